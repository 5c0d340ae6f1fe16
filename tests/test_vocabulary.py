"""The vocabulary is botocore's service model, member by member, in both directions."""

from __future__ import annotations

import inspect
from enum import StrEnum
from functools import cache

import pytest

from pipesim import vocabulary


@cache
def words_of_aws() -> dict[str, set[str]]:
    """Every enumeration of the CodePipeline API with its members."""
    import botocore.session

    model = botocore.session.get_session().get_service_model("codepipeline")
    shapes = [model.shape_for(name) for name in model.shape_names]
    return {shape.name: set(shape.enum) for shape in shapes if getattr(shape, "enum", None)}


@cache
def our_words() -> dict[str, set[str]]:
    classes = inspect.getmembers(vocabulary, inspect.isclass)
    return {
        name: {member.value for member in class_}
        for name, class_ in classes
        if issubclass(class_, StrEnum) and class_ is not StrEnum
    }


def test_the_service_has_enumerations_to_compare_with():
    assert len(words_of_aws()) > 30


def test_every_enumeration_of_the_service_is_here():
    assert set(words_of_aws()) - set(our_words()) == set(), "AWS added an enumeration: add it to pipesim/vocabulary.py"


def test_no_enumeration_is_of_our_own_making():
    assert set(our_words()) - set(words_of_aws()) == set()


@pytest.mark.parametrize("name", sorted(our_words()))
def test_members_are_those_of_the_service(name):
    assert our_words()[name] == words_of_aws()[name]


@pytest.mark.parametrize("name", sorted(our_words()))
def test_a_member_is_named_after_its_value(name):
    for member in getattr(vocabulary, name):
        assert member.name.replace("_", "").lower() == member.value.replace("_", "").lower()
