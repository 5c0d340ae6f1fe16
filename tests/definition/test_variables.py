from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipesim.definition.model import Action, ActionTypeId, EnvironmentVariable
from pipesim.definition.variables import Reference, find_malformed, find_references, references_of, resolve

words = st.text("abcXYZ09@-_", min_size=1, max_size=8)


@given(st.lists(st.tuples(words, words), max_size=4), words)
def test_references_are_found_and_replaced(pairs, glue):
    text = glue.join(f"#{{{namespace}.{key}}}" for namespace, key in pairs)

    assert [(found.namespace, found.key) for found in find_references(text)] == pairs
    assert resolve(text, lambda namespace, key: f"<{namespace}|{key}>") == glue.join(
        f"<{namespace}|{key}>" for namespace, key in pairs
    )


def test_what_comes_in_is_not_looked_at_again():
    values = {("a", "x"): "#{variables.y}", ("variables", "y"): "deep"}

    assert resolve("#{a.x}/#{variables.y}", lambda *name: values[name]) == "#{variables.y}/deep"


def test_a_backslash_in_a_value_stays():
    assert resolve("#{a.x}", lambda *_: r"\1\g<0>") == r"\1\g<0>"


def test_the_error_of_the_lookup_goes_through():
    with pytest.raises(KeyError):
        resolve("#{a.x}", lambda namespace, key: {}[key])


@pytest.mark.parametrize("text", ["", "plain", "#{}", "#{a}", "#{.b}", "#{a.}", "#{ a.b }", "{a.b}", "#a.b", "#{a.b"])
def test_what_is_no_reference_stays(text):
    assert find_references(text) == ()
    assert resolve(text, lambda *_: "never") == text


@pytest.mark.parametrize(("text", "malformed"), [("#{a}", ("a",)), ("#{a.b}", ()), ("#{} #{x y}", ("", "x y"))])
def test_malformed_references_are_named(text, malformed):
    assert find_malformed(text) == malformed


def test_keys_may_have_periods():
    assert find_references("#{a.b.c}") == (Reference("a", "b.c"),)


def test_an_action_lists_its_references_with_their_places():
    action = Action(
        "Run",
        ActionTypeId("Compute", "AWS", "Commands"),
        configuration={"VpcId": "#{Net.Vpc}"},
        commands=("make", "echo #{variables.Who}"),
        environment_variables=(EnvironmentVariable("ID", "#{codepipeline.PipelineExecutionId}"),),
    )

    assert references_of(action) == (
        Reference("Net", "Vpc", "configuration.VpcId"),
        Reference("variables", "Who", "commands[1]"),
        Reference("codepipeline", "PipelineExecutionId", "environmentVariables[0].value"),
    )
