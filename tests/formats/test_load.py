import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipesim.errors import DeclarationError, SourceError
from pipesim.formats.load import load
from pipesim.formats.samples import sample, sample_names

STARTUP = json.loads(sample("startup").read_text(encoding="utf-8"))["pipeline"]
METADATA = {"pipelineArn": "arn:aws:codepipeline:us-east-1:111122223333:startup", "created": 1700000000.0}


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(STARTUP, id="bare"),
        pytest.param({"pipeline": STARTUP}, id="wrapped"),
        pytest.param({"pipeline": STARTUP, "metadata": METADATA}, id="get-pipeline"),
    ],
)
def test_every_wrapping_gives_the_same_pipeline(document, tmp_path):
    file = tmp_path / "pipeline.json"
    file.write_bytes(b"\xff\xfe" + json.dumps(document, indent=2).replace("\n", "\r\n").encode("utf-16-le"))
    expected = load(sample("startup"))

    assert load(document) == expected
    assert load(json.dumps(document)) == expected
    assert load(json.dumps(document).encode()) == expected
    assert load(file) == expected
    assert load(str(file)) == expected


def test_a_pipeline_is_handed_back():
    pipeline = load(sample("startup"))

    assert load(pipeline) is pipeline


def test_what_the_service_would_fill_in_may_be_missing():
    document = json.loads(json.dumps(STARTUP))
    for member in ("version", "executionMode"):
        del document[member]
    for stage in document["stages"]:
        for action in stage["actions"]:
            action["runOrder"] = str(action["runOrder"])
            action["actionTypeId"]["version"] = 1
            for member in ("configuration", "inputArtifacts", "outputArtifacts"):
                if not action[member]:
                    del action[member]

    assert load(document) == load(STARTUP)


@pytest.mark.parametrize("name", sample_names())
def test_to_document_and_load_are_each_others_inverse(name):
    pipeline = load(sample(name))
    document = pipeline.to_document()

    assert load(document) == pipeline
    assert load(document).to_document() == document


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"Resources": {}}, ["CloudFormation template", "without a pipeline"]),
        ({"version": 3, "jobs": {}}, ["'version', 'jobs'", "neither 'stages' nor 'pipeline'"]),
        ({}, ["it holds nothing"]),
    ],
)
def test_another_document_is_refused(document, words, tmp_path):
    file = tmp_path / "other.json"
    file.write_text(json.dumps(document))

    with pytest.raises(SourceError) as caught:
        load(file)

    assert str(caught.value).startswith("other.json")
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize(
    "change",
    [{"stages": "none"}, {"stages": None}, {"name": 12}, {"pipeline": []}, {"stages": [{"name": "A", "actions": {}}]}],
)
def test_wrong_types_are_listed_as_problems(change):
    with pytest.raises(DeclarationError) as caught:
        load({**STARTUP, **change})

    assert caught.value.problems


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*STARTUP, "pipeline", "actions", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.one_of(JSON, st.fixed_dictionaries({"stages": JSON, "name": JSON, "roleArn": JSON})), st.booleans())
def test_no_json_causes_another_error(value, as_text):
    source = json.dumps(value) if as_text else value
    try:
        load(source)
    except (SourceError, DeclarationError) as error:
        assert str(error)


@given(st.integers(min_value=1, max_value=len(json.dumps(STARTUP)) - 1))
def test_a_truncated_file_is_always_called_cut_off(length):
    with pytest.raises(SourceError, match=r"cut off|not JSON"):
        load(json.dumps(STARTUP)[:length].encode())
