from __future__ import annotations

import copy
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipesim.definition.document import parse_document, to_document
from pipesim.definition.model import Pipeline
from pipesim.errors import DeclarationError
from tests.strategies import ROLE, documents, pipelines


def smallest() -> dict:
    return {
        "name": "shop",
        "roleArn": ROLE,
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "stages": [
            {
                "name": "Source",
                "actions": [
                    {
                        "name": "Fetch",
                        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
                    }
                ],
            }
        ],
    }


def problems_of(document: object) -> list[tuple[str, str]]:
    with pytest.raises(DeclarationError) as caught:
        parse_document(document)
    return [(problem.path, problem.rule) for problem in caught.value.problems]


@given(documents())
def test_load_write_load_is_the_identity(document):
    pipeline = parse_document(document)
    written = to_document(pipeline)

    assert parse_document(written) == pipeline
    assert to_document(parse_document(json.loads(json.dumps(written)))) == written


@given(documents())
def test_every_given_member_comes_back(document):
    declaration = document.get("pipeline", document)
    written = to_document(parse_document(document))

    assert_kept(declaration, written)


def assert_kept(given_value, written) -> None:
    """The written document holds all that the given one holds, but for empty members and numbers as text."""
    if isinstance(given_value, dict):
        for key, value in given_value.items():
            if value not in ({}, []):
                assert_kept(value, written[key])
    elif isinstance(given_value, list):
        assert len(given_value) == len(written)
        for one, other in zip(given_value, written, strict=True):
            assert_kept(one, other)
    else:
        assert str(given_value) == str(written)


@given(pipelines())
def test_models_survive_the_document(pipeline):
    assert parse_document(to_document(pipeline)) == pipeline


def test_input_is_left_alone():
    document = smallest()
    before = copy.deepcopy(document)
    parse_document(document)

    assert document == before


def test_defaults_are_those_that_the_service_echoes():
    written = to_document(parse_document(smallest()))

    assert written["version"] == 1
    assert written["executionMode"] == "SUPERSEDED"
    assert written["pipelineType"] == "V1"
    assert written["stages"][0]["actions"][0] == {
        "name": "Fetch",
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "runOrder": 1,
        "configuration": {},
        "inputArtifacts": [],
        "outputArtifacts": [],
    }


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("executionMode", "QUEUED"),
        ("variables", [{"name": "v"}]),
        (
            "triggers",
            [{"providerType": "CodeStarSourceConnection", "gitConfiguration": {"sourceActionName": "Fetch"}}],
        ),
    ],
)
def test_members_of_v2_make_a_v2_pipeline_when_no_type_is_given(member, value):
    assert to_document(parse_document(smallest() | {member: value}))["pipelineType"] == "V2"
    explicit = parse_document(smallest() | {member: value, "pipelineType": "V1"})
    assert explicit.pipeline_type == "V1"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda d: d,
        lambda d: {"pipeline": d},
        lambda d: {"pipeline": d, "metadata": {"created": 1.5}, "ResponseMetadata": {"RequestId": "x"}},
        lambda d: {"pipeline": d, "tags": [{"key": "a", "value": "b"}]},
    ],
)
def test_wrapped_documents_are_read(wrap):
    assert isinstance(parse_document(wrap(smallest())), Pipeline)


def test_paths_of_wrapped_documents_start_inside_the_declaration():
    broken = smallest()
    broken["stages"][0]["name"] = 7

    assert problems_of({"pipeline": broken}) == [("stages[0].name", "wrong-type")]


def test_every_problem_of_shape_is_raised_at_once_in_the_order_of_the_document():
    broken = smallest()
    del broken["roleArn"]
    action = broken["stages"][0]["actions"][0]
    action["runOrder"] = True
    action["runorder"] = 1
    action["configuration"] = {"Poll.For": False}
    action["commands"] = []
    broken["stages"].append("Build")

    assert problems_of(broken) == [
        ("stages[0].actions[0].runOrder", "wrong-type"),
        ("stages[0].actions[0].runorder", "unknown-member"),
        ('stages[0].actions[0].configuration["Poll.For"]', "wrong-type"),
        ("stages[0].actions[0].commands", "empty-list"),
        ("stages[1]", "wrong-type"),
        ("roleArn", "missing-member"),
    ]


def test_unknown_members_get_a_hint():
    with pytest.raises(DeclarationError, match="did you mean 'executionMode'"):
        parse_document(smallest() | {"executionmode": "QUEUED"})


@pytest.mark.parametrize("bad", [True, math.nan, math.inf, 1.5, "one", "", [], {}, 10**40, "9" * 5000, -math.inf])
def test_what_is_no_whole_number_is_refused(bad):
    broken = smallest()
    broken["stages"][0]["actions"][0]["runOrder"] = bad

    assert problems_of(broken) == [("stages[0].actions[0].runOrder", "wrong-type")]


@pytest.mark.parametrize("good", [3, 3.0, "3", " 3 "])
def test_whole_numbers_may_be_text(good):
    document = smallest()
    document["stages"][0]["actions"][0]["runOrder"] = good
    document["version"] = good
    document["stages"][0]["actions"][0]["actionTypeId"]["version"] = 1
    pipeline = parse_document(document)
    action = pipeline.stages[0].actions[0]

    assert (pipeline.version, action.run_order, action.type.version) == (3, 3, "1")


def test_null_means_absent():
    assert parse_document(smallest() | {"executionMode": None}) == parse_document(smallest())
    assert problems_of(smallest() | {"name": None}) == [("name", "missing-member")]


def test_deep_nesting_is_a_plain_problem():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]

    assert problems_of(smallest() | {"name": deep}) == [("name", "wrong-type")]


@pytest.mark.parametrize("document", [None, [], "text", 5, {}, {"pipeline": 5}, {"pipeline": []}, {1: 2}])
def test_what_is_no_declaration_is_refused(document):
    assert problems_of(document)


def test_half_characters_are_refused():
    assert problems_of(smallest() | {"name": "a\ud800"}) == [("name", "wrong-type")]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200)
@given(documents(), st.data(), json_values)
def test_any_value_anywhere_is_read_or_refused(document, data, value):
    node = document
    while isinstance(node, (dict, list)) and node:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if data.draw(st.booleans()):
            node[key] = value
            break
        node = node[key]
    try:
        pipeline = parse_document(document)
    except DeclarationError as error:
        assert error.problems
        assert str(error)
    else:
        assert parse_document(to_document(pipeline)) == pipeline


def test_the_message_names_the_source():
    with pytest.raises(DeclarationError, match=r"^shop\.json: "):
        parse_document({}, source="shop.json")
