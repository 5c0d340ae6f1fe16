from __future__ import annotations

import subprocess
import sys

import pytest

from pipesim.definition.constraints import broken_constraints, service_path
from pipesim.definition.document import to_document
from tests.definition.test_checking import shop


def broken(**members) -> list[tuple[str, str, str]]:
    document = to_document(shop()) | members
    return [(problem.path, problem.rule, problem.message) for problem in broken_constraints(document)]


def test_messages_have_the_form_of_recorded_answers():
    assert broken(variables=[{"name": "a b"}]) == [
        (
            "variables[0].name",
            "name-pattern",
            "1 validation error detected: Value at 'pipeline.variables.1.member.name' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [A-Za-z0-9@\-_]+",
        )
    ]
    assert broken(variables=[{"name": "a", "defaultValue": ""}]) == [
        (
            "variables[0].defaultValue",
            "text-length",
            "1 validation error detected: Value at 'pipeline.variables.1.member.defaultValue' failed to satisfy "
            "constraint: Member must have length greater than or equal to 1",
        )
    ]


def test_configuration_values_are_judged_by_their_map():
    document = to_document(shop())
    document["stages"][1]["actions"][0]["configuration"] = {"ProjectName": ""}
    (problem,) = broken_constraints(document)

    assert problem.path == "stages[1].actions[0].configuration.ProjectName"
    assert problem.message == (
        "1 validation error detected: Value at 'pipeline.stages.2.member.actions.1.member.configuration' failed to "
        "satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 1000, "
        "Member must have length greater than or equal to 1]"
    )


@pytest.mark.parametrize(
    ("member", "value", "rule"),
    [
        ("name", "x" * 101, "text-length"),
        ("name", "a/b", "name-pattern"),
        ("roleArn", "arn:aws:iam::1:role/x", "text-pattern"),
        ("executionMode", "queued", "unknown-value"),
        ("pipelineType", "V3", "unknown-value"),
        ("artifactStore", {"type": "S3", "location": "ab"}, "text-length"),
        ("artifactStore", {"type": "GCS", "location": "abc"}, "unknown-value"),
        ("triggers", [{"providerType": "GitHub", "gitConfiguration": {"sourceActionName": "a"}}], "unknown-value"),
        ("version", 0, "number-range"),
        ("version", "0", "number-range"),
    ],
)
def test_values_outside_the_model_are_found(member, value, rule):
    assert [found[1] for found in broken(**{member: value})] == [rule]


def test_values_at_the_edge_of_the_model_are_taken():
    assert broken(name="x" * 100, version=1, artifactStore={"type": "S3", "location": "abc"}) == []


def test_paths_of_the_service_count_from_one():
    assert service_path('stages[0].actions[2].configuration["a.b"]') == (
        "pipeline.stages.1.member.actions.3.member.configuration.a.b"
    )


def test_the_package_does_not_import_botocore_before_it_is_needed():
    code = "import sys, pipesim, pipesim.definition.checking; sys.exit('botocore' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
