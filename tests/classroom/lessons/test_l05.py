"""Lesson 5: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import yaml

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada")


def rows(text: str) -> tuple[int, int]:
    """How many builds stand on the longest way through the graph, and how many there are."""
    waits = {one["identifier"]: one.get("depend-on", []) for one in yaml.safe_load(text)["batch"]["build-graph"]}
    depth: dict[str, int] = Counter()
    for _ in waits:
        depth = {name: 1 + max((depth.get(other, 0) for other in others), default=0) for name, others in waits.items()}
    return max(depth.values()), len(waits)


@pytest.mark.parametrize("name", NAMES)
def test_the_batch(name: str) -> None:
    case = ps.classroom.case("05-1", of=name)
    deep, many = rows(case.buildspec)
    each = case.each_takes

    assert "all right" in told("05-1", (deep * each, many * each), name)
    assert "one build came after the other" in told("05-1", (many * each, many * each), name)
    assert "one build alone" in told("05-1", (each, many * each), name)
    assert "too long" in told("05-1", (many * each + 9, many * each), name)
    wrong = told("05-1", (deep * each, deep * each), name)
    assert "1 of 2 right" in wrong and "take together" in wrong
    assert "nothing can be made of" in told("05-1", "soon", name)


def spec(case: Any) -> dict[str, Any]:
    return {
        "version": 0.2,
        "env": {"variables": {case.variable: case.value}, "exported-variables": [case.variable]},
        "phases": {"build": {"commands": [case.test, case.package]}},
        "artifacts": {"base-directory": case.folder, "files": ["**/*"]},
    }


def without(case: Any, change: Callable[[dict[str, Any]], object]) -> str:
    document = spec(case)
    change(document)
    return yaml.safe_dump(document)


@pytest.mark.parametrize("name", NAMES)
def test_the_buildspec(name: str) -> None:
    case = ps.classroom.case("05-2", of=name)

    assert "all right" in told("05-2", yaml.safe_dump(spec(case)), name)
    assert "no YAML" in told("05-2", "version: 0.2\nphases: {", name)
    backwards = without(case, lambda one: one["phases"]["build"]["commands"].reverse())
    assert f"the log has '{case.package}' and then '{case.test}'" in told("05-2", backwards, name)
    assert "neither of the two" in told("05-2", without(case, lambda one: one.pop("phases")), name)
    hidden = told("05-2", without(case, lambda one: one["env"].pop("exported-variables")), name)
    assert "the build exports nothing" in hidden
    unset = told("05-2", without(case, lambda one: one["env"].pop("variables")), name)
    assert "the build exports {" in unset
    assert "which nobody wants" in told("05-2", without(case, lambda one: one.pop("artifacts")), name)
    deep = told("05-2", without(case, lambda one: one["artifacts"].pop("base-directory")), name)
    assert "which nobody wants" in deep
    flat = told("05-2", without(case, lambda one: one["artifacts"].update(files=["index.html"])), name)
    assert "the bucket lacks" in flat
    deaf = yaml.safe_dump(spec(case)).replace(case.test, f"{case.test} || true")
    assert "the log has" in told("05-2", deaf, name)
    assert "a buildspec is text" in told("05-2", spec(case), name)


def made(needs: str, makes: str, *, rest: bool = True, strict: bool = True, says: str = "") -> type[ps.Jenkins]:
    class Mine(ps.Jenkins):
        def build(self, project: str, files: dict[str, bytes]) -> dict[str, bytes]:
            if strict and needs not in files:
                raise ps.JobFailed(says or f"there is no {needs}")
            return {**(files if rest else {}), makes: b"compiled"}

    return Mine


@pytest.mark.parametrize("name", NAMES)
def test_the_jenkins(name: str) -> None:
    case = ps.classroom.case("05-3", of=name)
    given = (case.needs, case.makes)

    assert "all right" in told("05-3", made(*given), name)
    assert "the bucket holds" in told("05-3", ps.Jenkins, name)
    assert "the bucket holds" in told("05-3", made(*given, rest=False), name)
    assert "the action ends as Succeeded" in told("05-3", made(*given, strict=False), name)
    assert "3 of 4 right" in told("05-3", made(*given, says="sorry"), name)
    assert "the action says" in told("05-3", made("other", case.makes), name)
    assert "the class itself" in told("05-3", 7, name)


def signs(
    case: Any, *, ask: str = "loop", take: bool = True, reads: bool = True, says: bool = True
) -> Callable[[Any], None]:
    def worker(codepipeline: Any) -> None:
        jobs = codepipeline.poll_for_jobs(actionTypeId=case.type_id)["jobs"]
        for job in jobs if ask == "loop" else [jobs[0]]:
            if take:
                codepipeline.acknowledge_job(jobId=job["id"], nonce=job["nonce"])
            image = job["data"]["actionConfiguration"]["configuration"]["Image"]
            if ask == "never":
                continue
            if reads and image.endswith(case.forbidden):
                details = {"type": "JobFailed", "message": f"{image} is not for signing" if says else "no"}
                codepipeline.put_job_failure_result(jobId=job["id"], failureDetails=details)
            else:
                codepipeline.put_job_success_result(jobId=job["id"])

    return worker


@pytest.mark.parametrize("name", NAMES)
def test_the_signer(name: str) -> None:
    case = ps.classroom.case("05-4", of=name)

    assert "all right" in told("05-4", signs(case), name)
    assert "without a job it breaks: IndexError" in told("05-4", signs(case, ask="first"), name)
    assert "the service refused a call" in told("05-4", signs(case, take=False), name)
    assert f"with shop:{case.forbidden} the action is Succeeded" in told("05-4", signs(case, reads=False), name)
    assert "it says: no" in told("05-4", signs(case, says=False), name)
    assert "no job was acknowledged" in told("05-4", lambda codepipeline: None, name)
    assert "the function itself" in told("05-4", "poll", name)


def served(case: Any, *, reads: str = "BuildOutput", **other: str) -> dict[str, Any]:
    """The right declaration, in which single values are otherwise."""
    document = case.pipeline.to_document()
    first, second = (stage["actions"][0] for stage in document["stages"][1:3])
    right = {"ProjectName": case.project, "ActionID": case.action_id, "BuildConfigurationID": case.configuration}
    first["configuration"]["ProjectName"] = other.pop("ProjectName", right.pop("ProjectName"))
    second["configuration"] |= {**right, **other}
    second["inputArtifacts"] = [{"name": reads}]
    return document


@pytest.mark.parametrize("name", NAMES)
def test_the_two_servers(name: str) -> None:
    case = ps.classroom.case("05-5", of=name)

    assert "all right" in told("05-5", served(case), name)
    assert "all right" in told("05-5", ps.load(served(case)), name)
    untouched = told("05-5", case.pipeline, name)
    assert "0 of 4 right" in untouched and "CloudBees asks for another one" in untouched
    assert "TeamCity asks for another one" in told("05-5", served(case, ActionID=case.project), name)
    assert "it has built Shop_Old" in told("05-5", served(case, BuildConfigurationID="Shop_Old"), name)
    assert "the work of one of them is missing" in told("05-5", served(case, reads="SourceOutput"), name)


def test_one_server_alone_is_no_answer() -> None:
    case = ps.classroom.case("05-5")
    alone = ps.load("GitHub -> CloudBees -> S3").to_document()
    alone["stages"][0] = case.pipeline.to_document()["stages"][0]
    alone["stages"][1]["actions"][0]["configuration"]["ProjectName"] = case.project

    assert "no action of TeamCity has run" in told("05-5", alone)
    assert "0 of 4 right" in told("05-5", 7)
    assert "nothing is answered yet" in told("05-5", {})
