import json
import re

import pytest

from pipesim.definition.checking import check
from pipesim.errors import SourceError
from pipesim.formats.load import load
from pipesim.formats.samples import data_folder, history_names, sample, sample_history
from pipesim.trace.history import history
from pipesim.trace.measures import measure
from tests.test_notebooks import load_tool

NAMES = ("e-commerce", "enterprise", "startup")
EXECUTIONS = {"startup": 300, "e-commerce": 201, "enterprise": 55}


def files(name):
    return sorted(sample_history(name).iterdir())


def test_there_are_three_and_the_readme_lists_them():
    readme = (data_folder() / "histories" / "README.md").read_text(encoding="utf-8")

    assert history_names() == NAMES
    assert sorted(re.findall(r"^\| `([a-z-]+)`", readme, re.MULTILINE)) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_small_and_names_the_example_account_only(name):
    for path in files(name):
        text = path.read_text(encoding="utf-8")

        assert len(text) < 1_000_000
        assert set(re.findall(r"(?<![\da-f-])\d{12}(?![\da-f-])", text)) <= {"111122223333"}


@pytest.mark.parametrize("name", NAMES)
def test_a_history_is_read_with_its_declaration_and_without(name):
    pipeline = load(sample(name))

    declared = history(sample_history(name), pipeline=pipeline)
    inferred = history(sample_history(name))

    def shape(one):
        return [(stage.name, [{action.name for action in group} for group in stage.groups]) for stage in one.stages]

    assert len(declared.executions) == EXECUTIONS[name]
    assert shape(pipeline) == shape(inferred.pipeline)
    assert check(inferred.pipeline) == ()
    assert measure(declared).shipped == measure(inferred).shipped > 0.05 * EXECUTIONS[name]
    assert sum(measure(declared).waiting.values()) > 0


def test_the_tool_writes_what_is_committed(tmp_path, capsys):
    load_tool("make_histories").main(tmp_path)

    for name in NAMES:
        assert [path.name for path in files(name)] == sorted(path.name for path in (tmp_path / name).iterdir())
        for path in files(name):
            assert path.read_bytes() == (tmp_path / name / path.name).read_bytes()


def test_the_histories_hold_what_makes_real_ones_hard():
    pages = (sample_history("startup") / "actions-1.json").read_text(encoding="utf-8").splitlines()
    records = [record for page in pages for record in json.loads(page)["actionExecutionDetails"]]
    events = [json.loads(line) for line in files("enterprise")[0].read_text(encoding="utf-8").splitlines()]

    assert len(pages) > 5
    assert len({record["actionExecutionId"] for record in records}) < len(records)
    assert {record["status"] for record in records} == {"Succeeded", "Failed", "Abandoned", "InProgress"}
    assert len({event["id"] for event in events}) < len(events)
    assert [event["time"] for event in events] != sorted(event["time"] for event in events)


def test_an_unknown_history_is_refused_with_a_guess():
    with pytest.raises(SourceError, match="Did you mean 'startup'"):
        sample_history("starup")
