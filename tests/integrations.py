"""The table of the course's systems: a pytest plugin that knows which tests of providers passed.

A test says what it shows with ``@pytest.mark.provider("Deploy/ECS", "success")``. When every such test was
collected and run, the table in docs/integrations.md must be what they showed, else the session fails;
``python tools/integrations_table.py`` writes it anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "integrations.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
MARK = re.compile(r"""\.provider\(|mark\.provider\b""")
KINDS = {
    "success": "success",
    "failure": "its own failure",
    "permission": "missing permission",
    "input": "missing input",
}
NEVER = "not shown"
PROOF = "proof of a provider"

COURSE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Source", "CodeCommit", ("Source/CodeCommit",)),
    ("Source", "GitHub", ("Source/CodeStarSourceConnection/GitHub", "Source/CodeStarSourceConnection")),
    ("Source", "GitHub, version 1", ("Source/GitHub",)),
    ("Source", "Bitbucket", ("Source/CodeStarSourceConnection/Bitbucket", "Source/CodeStarSourceConnection")),
    ("Source", "ECR", ("Source/ECR",)),
    ("Source", "S3", ("Source/S3",)),
    ("Build", "CodeBuild", ("Build/CodeBuild",)),
    ("Build", "Jenkins", ("Build/Jenkins",)),
    ("Build", "CloudBees", ("Build/CloudBees",)),
    ("Build", "TeamCity", ("Build/TeamCity",)),
    ("Test", "CodeBuild", ("Test/CodeBuild",)),
    ("Test", "AWS Device Farm", ("Test/DeviceFarm",)),
    ("Test", "BlazeMeter (load)", ("Test/BlazeMeter",)),
    ("Test", "StormRunner Load (load)", ("Test/StormRunnerLoad",)),
    ("Test", "Ghost Inspector (user interface)", ("Test/GhostInspector",)),
    ("Test", "Runscope (API)", ("Test/Runscope",)),
    ("Approval", "Manual approval", ("Approval/Manual",)),
    ("Deploy", "CodeDeploy", ("Deploy/CodeDeploy",)),
    ("Deploy", "CodeDeploy to ECS (blue/green)", ("Deploy/CodeDeployToECS",)),
    ("Deploy", "Elastic Beanstalk", ("Deploy/ElasticBeanstalk",)),
    ("Deploy", "CloudFormation", ("Deploy/CloudFormation",)),
    ("Deploy", "ECS", ("Deploy/ECS",)),
    ("Deploy", "S3 (static website)", ("Deploy/S3",)),
    ("Invoke", "Lambda", ("Invoke/Lambda",)),
    ("Invoke", "Step Functions", ("Invoke/StepFunctions",)),
)
"""What the course names, stage by stage: stage, system, and the names in marks that stand for it."""

Shown = Mapping[str, Mapping[str, Iterable[str]]]
"""The test files that showed something, by provider and kind."""


def table(shown: Shown) -> str:
    """The rows of the course's systems, and under them those of every other provider that was shown.

    >>> print(table({"Deploy/ECS": {"success": ["tests/cloud/actions/test_ecs.py"]}}).splitlines()[-4])
    | Deploy | ECS | [test_ecs](../tests/cloud/actions/test_ecs.py) | not shown | not shown | not shown |
    """
    rows = [(stage, system, _merge(shown, names)) for stage, system, names in COURSE]
    taught = {name for _, _, names in COURSE for name in names}
    others = [
        (name.split("/", 1)[0], name.split("/", 1)[1], shown[name]) for name in sorted(shown) if name not in taught
    ]
    lines = _head("the course's systems") + [_row(*row) for row in rows]
    if others:
        lines += ["", *_head("beyond the course"), *(_row(*row) for row in others)]
    return "\n".join(lines)


def written(document: str) -> str:
    """The table that stands in the document."""
    return document.split(BEGIN, 1)[1].split(END, 1)[0].strip()


def rewritten(document: str, new: str) -> str:
    """The document with another table."""
    head, rest = document.split(BEGIN, 1)
    return f"{head}{BEGIN}\n\n{new}\n\n{END}{rest.split(END, 1)[1]}"


def _merge(shown: Shown, names: Iterable[str]) -> dict[str, set[str]]:
    """What the first of these names that has a proof of a kind has for it."""
    found: dict[str, set[str]] = {}
    for name in names:
        for kind, files in shown.get(name, {}).items():
            found.setdefault(kind, set(files))
    return found


def _head(title: str) -> list[str]:
    return [f"| stage | {title} | {' | '.join(KINDS.values())} |", "|---" * (2 + len(KINDS)) + "|"]


def _row(stage: str, system: str, kinds: Mapping[str, Iterable[str]]) -> str:
    cells = [", ".join(map(_link, sorted(kinds.get(kind, ())))) or NEVER for kind in KINDS]
    return f"| {stage} | {system} | {' | '.join(cells)} |"


def _link(file: str) -> str:
    return f"[{Path(file).stem}](../{file})"


@dataclass(frozen=True)
class Proof:
    """One mark of one test."""

    node: str
    file: str
    name: str
    kind: str


class Integrations:
    """The plugin.

    Args:
        write: write the table anew instead of comparing it.
    """

    def __init__(self, write: bool = False) -> None:
        self.write = write
        self.complaint = ""
        self._proofs: list[Proof] = []
        self._left_out = False
        self._marked: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Take note of the proofs; each test carries its own, so that they reach whoever gathers the reports."""
        self._marked = _marked()
        for item in items:
            for mark in item.iter_markers("provider"):
                name, kind = mark.args
                if kind not in KINDS:
                    raise pytest.UsageError(f"{item.nodeid}: unknown kind {kind!r} (must be one of {', '.join(KINDS)})")
                file = item.path.relative_to(ROOT).as_posix()
                item.user_properties.append((PROOF, (file, name, kind)))

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self._left_out |= any(item.get_closest_marker("provider") for item in items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        proofs = [Proof(report.nodeid, *value) for name, value in report.user_properties if name == PROOF]
        if report.when == "call" and report.passed:
            self._proofs += proofs
        elif proofs and report.skipped:
            self._left_out = True

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workerinput"):
            return  # one of several processes of pytest-xdist: the one that gathers the reports compares
        if not self._is_complete(session):
            if self.write:
                missing = self._marked - {proof.file for proof in self._proofs}
                self.complaint = "the table was not written: not every test of a provider was run and passed" + (
                    f" ({', '.join(sorted(missing))} not collected)" if missing else ""
                )
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
            return
        document = DOCUMENT.read_text(encoding="utf-8")
        new = table(self.shown())
        if self.write:
            DOCUMENT.write_text(rewritten(document, new), encoding="utf-8")
        elif written(document) != new:
            self.complaint = (
                "the table in docs/integrations.md is not what the tests showed: python tools/integrations_table.py"
            )
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.complaint:
            terminalreporter.write_line(self.complaint, red=True)

    def shown(self) -> dict[str, dict[str, set[str]]]:
        """The files of the tests that passed, by provider and kind."""
        found: dict[str, dict[str, set[str]]] = {}
        for proof in self._proofs:
            found.setdefault(proof.name, {}).setdefault(proof.kind, set()).add(proof.file)
        return found

    def _is_complete(self, session: pytest.Session) -> bool:
        """Whether every test of a provider was collected and passed; failures are told by themselves."""
        chosen = session.config.option
        if (
            not self._proofs
            or self._left_out
            or session.testsfailed
            or chosen.keyword
            or chosen.markexpr not in ("", "provider")
            or any("::" in argument for argument in session.config.args)
        ):
            return False
        return _marked() <= {proof.file for proof in self._proofs}


def _marked() -> set[str]:
    """The files that prove something of a provider."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "tests" / "cloud").rglob("test_*.py"))
        if MARK.search(path.read_text(encoding="utf-8"))
    }
