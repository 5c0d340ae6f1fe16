"""Lesson 4: sources, triggers and filters."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate, pairwise
from random import Random
from typing import TYPE_CHECKING, Any

from pipesim.assumptions.units import minutes
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import close, number, sound
from pipesim.cloud.account import Cloud
from pipesim.definition.model import Pipeline
from pipesim.definition.triggers import PullRequest, Push
from pipesim.engine.simulate import simulate
from pipesim.formats.load import load
from pipesim.trace.events import EventKind

if TYPE_CHECKING:
    from pipesim.cloud.repositories import RemoteRepository

REPOSITORY = "ana/shop"
LETTERS = "abcdefgh"
SECOND_THOUGHT = minutes(10)
Act = Callable[["RemoteRepository"], object]


def _listening(name: str, triggers: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """The declaration of a pipeline that listens to the shop's repository."""
    document = copy.deepcopy(load("GitHub -> S3").to_document())
    document["name"], document["pipelineType"] = name, "V2"
    document["stages"][0]["actions"][0]["configuration"]["FullRepositoryId"] = REPOSITORY
    if triggers is not None:
        document["triggers"] = [
            {"providerType": "CodeStarSourceConnection", "gitConfiguration": {"sourceActionName": "GitHub", **one}}
            for one in triggers
        ]
    return document


def _seven_events(luck: Random) -> Mapping[str, Any]:
    """Filters of every kind, and seven things that happen in the repository."""
    folder, version = luck.choice(("src", "app", "lib")), luck.randint(2, 9)
    filters = {
        "push": [
            {
                "branches": {"includes": ["main", "release/*"], "excludes": [f"release/{version}"]},
                "filePaths": {"includes": [f"{folder}/**"], "excludes": ["**/*.md"]},
            },
            {"tags": {"includes": ["v*"]}},
        ],
        "pullRequest": [{"branches": {"includes": ["main"]}, "events": ["OPEN"]}],
    }
    happened: list[Push | PullRequest] = [
        Push("main", files=(f"{folder}/cart/price.py", "README.md")),
        Push("main", files=(f"{folder}/NOTES.md", "README.md")),
        Push(f"release/{version}", files=(f"{folder}/cart/price.py",)),
        Push(f"release/{version - 1}", files=(f"{folder}/tax.py",)),
        Push(tag=f"v{version}.0"),
        PullRequest("UPDATED", "idea", "main", (f"{folder}/tax.py",)),
        PullRequest("OPEN", "idea", "main", ("README.md",)),
        Push("idea", files=(f"{folder}/tax.py",)),
    ]
    luck.shuffle(happened)
    return {
        "pipeline": load(_listening("shop", [filters])),
        "filters": filters,
        "events": dict(zip(LETTERS, happened, strict=True)),
    }


@exercise(
    "04-1",
    "Which of them start the pipeline?",
    kind=Kind.PREDICT,
    wants='a list of letters, such as ["a", "d"]',
    parts=("all that do", "none that does not"),
    case=_seven_events,
)
def which_start(answer: Any, case: Case, marks: Marks) -> None:
    """Let each thing happen alone in a simulation, and see whether an execution follows."""
    named = {str(one).strip().lower() for one in answer}
    if unknown := named - set(case.events):
        raise ValueError(f"there is no {', '.join(sorted(unknown))} (there are {', '.join(case.events)})")
    truth = {letter for letter, event in case.events.items() if _sets_off(case.pipeline, event)}
    marks.part(
        "all that do",
        truth <= named,
        yes=f"{len(truth)} of {len(case.events)} start it",
        no=f"{len(truth - named)} more would start it",
        hint="One fitting filter of the list is enough, and one fitting file of a push.",
        stronger="Simulate one at a time: ps.simulate(case.pipeline, commands=[(600, case.events['a'])]).",
    )
    wrong = sorted(named - truth)
    marks.part(
        "none that does not",
        not wrong,
        yes="and nothing else",
        no=f"{wrong[0]} would not start it: {case.events[wrong[0]]}" if wrong else "",
        hint="Excludes win over includes, and inside one filter everything must fit.",
        stronger="ps.events_table(trace) says of a change that was ignored why.",
    )


def _sets_off(pipeline: Pipeline, event: Push | PullRequest) -> bool:
    trace = simulate(pipeline, seed=1, commands=[(SECOND_THOUGHT, event)])
    return any(one.kind == EventKind.EXECUTION_STARTED and one.time >= SECOND_THOUGHT for one in trace)


def _one_folder(luck: Random) -> Mapping[str, Any]:
    """A repository of many services, of which one is this pipeline's."""
    folder = luck.choice(("cart", "billing", "search", "login"))
    return {"pipeline": load(_listening(folder)), "folder": f"services/{folder}"}


@exercise(
    "04-2",
    "Only what concerns it",
    kind=Kind.BUILD,
    wants="a pipeline or its declaration, with triggers",
    parts=("accepted", "starts when it should", "stays quiet when it should"),
    case=_one_folder,
)
def one_folder(answer: Any, case: Case, marks: Marks) -> None:
    """Push to a repository in a mocked account, and look after each push whether the pipeline started."""
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    folder = case.folder
    should: dict[str, Act] = {
        f"a push to main that changes {folder}/app.py": _push("main", f"{folder}/app.py"),
        f"a push to main that changes {folder}/tax/rules.py": _push("main", f"{folder}/tax/rules.py"),
        f"a push to release/2 that changes {folder}/app.py": _push("release/2", f"{folder}/app.py"),
        f"a push to main that changes {folder}/app.py and README.md": _push("main", f"{folder}/app.py", "README.md"),
    }
    should_not: dict[str, Act] = {
        "a push to main that changes README.md": _push("main", "README.md"),
        f"a push to main that changes {folder}/NOTES.md": _push("main", f"{folder}/NOTES.md"),
        f"a push to main that changes {folder}-old/app.py": _push("main", f"{folder}-old/app.py"),
        "a push to main that changes services/other/app.py": _push("main", "services/other/app.py"),
        f"a push to idea that changes {folder}/app.py": _push("idea", f"{folder}/app.py"),
        "a tag": lambda repository: repository.tag("v1"),
    }
    started = _watch([pipeline], {**should, **should_not}, branches=("release/2", "idea"))
    deaf = [what for what in should if not started[what]]
    marks.part(
        "starts when it should",
        not deaf,
        yes=f"all {len(should)} changes that concern it start it",
        no=f"{deaf[0]} starts nothing" if deaf else "",
        hint="Which criterion does not let it through: the branch or the path?",
        stronger="In a pattern * stays inside one folder, ** goes through any number of them.",
    )
    noisy = [what for what in should_not if started[what]]
    marks.part(
        "stays quiet when it should",
        not noisy,
        yes=f"{len(should_not)} changes of others leave it alone",
        no=f"{noisy[0]} starts it, too" if noisy else "",
        hint="Without triggers every push to BranchName starts it; with them, only what their filters let in.",
        stronger="One push filter with branches and filePaths; filePaths may have excludes as well as includes.",
    )


def _push(branch: str, *paths: str) -> Act:
    def push(repository: RemoteRepository) -> None:
        content = f"after {len(repository.history.commits)} commits"
        repository.push(dict.fromkeys(paths, content), branch)

    return push


def _watch(pipelines: Iterable[Pipeline], acts: Mapping[str, Act], branches: Iterable[str]) -> dict[str, list[str]]:
    """Do things in the repository one after the other; return the names of the pipelines that each of them started."""
    started = {}
    with Cloud(seed=1, actions="assumed") as cloud:
        repository = cloud.repository(REPOSITORY)
        repository.push({"README.md": "# The shop"})
        for branch in branches:
            repository.branch(branch)
        records = [cloud.provision(pipeline) for pipeline in pipelines]
        cloud.run_until_idle()
        for what, act in acts.items():
            before = {record.name: len(record.simulation.executions) for record in records}
            act(repository)
            cloud.run_until_idle()
            started[what] = [
                record.name
                for record in records
                for _ in range(len(record.simulation.executions) - before[record.name])
            ]
    return started


def _three_pipelines(luck: Random) -> Mapping[str, Any]:
    """Three pipelines of one repository; the word that marks a version which is not to be released is the learner's."""
    return {
        "declarations": {name: _listening(name) for name in ("test", "staging", "production")},
        "not_yet": luck.choice(("beta", "rc", "draft", "preview")),
    }


@exercise(
    "04-3",
    "One repository, three pipelines",
    kind=Kind.BUILD,
    wants="a dictionary with the three declarations (or pipelines) under 'test', 'staging' and 'production'",
    parts=(
        "accepted",
        "pull requests are tested",
        "main goes to staging",
        "versions go to production",
        "nothing else starts anything",
    ),
    case=_three_pipelines,
)
def three_pipelines(answer: Any, case: Case, marks: Marks) -> None:
    """Live a week in the repository: pull requests, merges, pushes, tags."""
    given = dict(answer)
    if missing := [name for name in case.declarations if name not in given]:
        raise ValueError(f"there is no {', '.join(missing)} in it")
    pipelines = []
    for name in case.declarations:
        pipeline = sound(given[name], marks, "accepted")
        if pipeline is None:
            return
        if pipeline.name != name:
            raise ValueError(f"the pipeline under {name!r} is called {pipeline.name!r}: keep its name")
        pipelines.append(pipeline)
    wanted = _week(case.not_yet)
    started = _watch(pipelines, {what: act for what, (act, _) in wanted.items()}, branches=("later", "idea"))
    parts = {
        "pull requests are tested": (
            ["test"],
            "A pullRequest filter has branches, which are those that are to take the changes, and events.",
            'Use "pullRequest": [{"branches": …, "events": ["OPEN", "UPDATED"]}]: a CLOSED one was merged or given up.',
        ),
        "main goes to staging": (
            ["staging"],
            "A merge is a push to the branch that takes it.",
            "A push filter with the branch main; no filter of files.",
        ),
        "versions go to production": (
            ["production"],
            "Tags have criteria of their own, which cannot be mixed with branches in one filter.",
            'Use "push": [{"tags": {"includes": […]}}].',
        ),
        "nothing else starts anything": (
            [],
            "Excludes win over includes.",
            "Tags that begin with v are let in by v*; patterns with * on both sides can take some of them out again.",
        ),
    }
    for part, (names, hint, stronger) in parts.items():
        mine = {what: started[what] for what, (_, expected) in wanted.items() if expected == names}
        wrong = [what for what, found in mine.items() if found != names]
        marks.part(
            part,
            not wrong,
            yes=f"tried with {len(mine)} of them",
            no=f"{wrong[0]} starts {_listed(mine[wrong[0]])}" if wrong else "",
            hint=hint,
            stronger=stronger,
        )


def _week(not_yet: str) -> dict[str, tuple[Act, list[str]]]:
    """What happens in the repository, and which pipelines should start then."""
    return {
        "a pull request into main": (
            lambda repository: repository.open_pull_request("idea", files={"a.py": "1"}),
            ["test"],
        ),
        "another push to a pull request": (_push("idea", "a.py"), ["test"]),
        "a merge into main": (lambda repository: repository.pull_requests[0].merge(), ["staging"]),
        "a push to main": (_push("main", "README.md"), ["staging"]),
        "a push to another branch": (_push("later", "b.py"), []),
        "a pull request into another branch": (lambda repository: repository.open_pull_request("idea", "later"), []),
        "the tag v1.0": (lambda repository: repository.tag("v1.0"), ["production"]),
        "the tag v2": (lambda repository: repository.tag("v2"), ["production"]),
        f"the tag v2.1-{not_yet}": (lambda repository: repository.tag(f"v2.1-{not_yet}"), []),
        f"the tag v2.1-{not_yet}2": (lambda repository: repository.tag(f"v2.1-{not_yet}2"), []),
        "the tag nightly": (lambda repository: repository.tag("nightly"), []),
    }


def _listed(names: list[str]) -> str:
    return " and ".join(names) if names else "nothing"


def _polled(luck: Random) -> Mapping[str, Any]:
    """A polled source, and pushes of which some come close together."""
    pushes = [60]
    while any(second % 60 < 3 or second % 60 > 57 for second in pushes):
        gaps = [luck.randint(15, 35), luck.randint(15, 35), luck.randint(50, 80)]
        pushes = [*accumulate(gaps, initial=luck.randint(125, 230))]
    polled = copy.deepcopy(load("CodeCommit -> S3").to_document())
    polled["name"] = "polled"
    told = copy.deepcopy(polled)
    told["name"] = "told"
    told["stages"][0]["actions"][0]["configuration"]["PollForSourceChanges"] = "false"
    return {
        "polled": load(polled),
        "told": load(told),
        "repository": "codecommit-to-s3",
        "pushes": pushes,
    }


@exercise(
    "04-4",
    "What polling costs",
    kind=Kind.CHOOSE,
    wants="three numbers: executions with polling, executions with events, the longest wait with polling in seconds",
    parts=("executions with polling", "executions with events", "the longest wait"),
    case=_polled,
)
def polling(answer: Any, case: Case, marks: Marks) -> None:
    """Push at the same moments to a polled and to an event-driven pipeline, in a mocked account."""
    given = [number(one) for one in answer]
    polled, told = (_starts(case[name], case.repository, case.pushes) for name in ("polled", "told"))
    waits = [min(start for start in polled if start >= push) - push for push in case.pushes]
    closest = min(later - sooner for sooner, later in pairwise(case.pushes))
    marks.part(
        "executions with polling",
        close(given[0], len(polled), within=0.1),
        yes=f"{len(polled)} executions for {len(case.pushes)} pushes: a poll sees only the newest commit",
        no=f"{given[0]:g} is not what a poll every minute makes of pushes {closest} seconds apart",
        hint="The first execution, at the beginning, does not count. How many polls find something new?",
        stronger="Stand the pipeline up in a cloud, push at those seconds (cloud.advance(to=…)), and count.",
    )
    marks.part(
        "executions with events",
        close(given[1], len(told), within=0.1),
        yes="each push is an event of its own",
        no=f"{given[1]:g} is not what events make of {len(case.pushes)} pushes",
        hint="Each push is announced by itself.",
    )
    marks.part(
        "the longest wait",
        close(given[2], max(waits), within=2.0),
        yes=f"{max(waits):.0f} seconds, and with events none",
        no=f"{given[2]:g} seconds is too {'long' if given[2] > max(waits) else 'short'}",
        hint="Polls come once a minute, the first at the beginning. Which push just missed one?",
        stronger="For each push: the start of the first execution after it, less the push. Take the largest.",
    )


def _starts(pipeline: Pipeline, repository: str, pushes: Iterable[int]) -> list[float]:
    """When executions started, but for the first, in seconds."""
    with Cloud(seed=1) as cloud:
        record = cloud.provision(pipeline)
        for second in pushes:
            cloud.advance(to=second)
            cloud.repository(repository, "CodeCommit").push({"index.html": json.dumps(second)})
        cloud.advance(minutes=5)
        return [event.time for event in record.simulation.trace if event.kind == EventKind.EXECUTION_STARTED][1:]
