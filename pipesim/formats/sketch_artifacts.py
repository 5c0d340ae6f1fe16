"""Which artifacts a sketched action takes, as a person would wire them by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipesim.catalog.action_types import find_action_type
from pipesim.definition.model import ActionTypeId

_EVERYTHING = {"CodeBuild", "Jenkins", "CloudBees", "TeamCity", "Commands"}
_IMAGES = 4
_SCANS = {"InspectorScan", "Snyk"}
_PLAIN = {"build", "code", "commands", "jenkins", "source", "output", "package"}
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True, slots=True)
class Artifact:
    """An output artifact and the word that tells it from its peers."""

    name: str
    subject: str


@dataclass(slots=True)
class Shelf:
    """The artifacts at hand while a sketch is read from left to right.

    Attributes:
        sources: what the source actions put out.
        builds: what the builds so far put out and what later actions take.
        together: whether the newest builds ran side by side, so that a build after them gathers them.
        gathered: the names of builds that a later build has gathered and that its own output replaces.
    """

    sources: list[Artifact] = field(default_factory=list)
    builds: list[Artifact] = field(default_factory=list)
    together: bool = False
    gathered: set[str] = field(default_factory=set)

    def take(self, action_type: ActionTypeId, subject: str) -> tuple[str, ...]:
        """The input artifacts of an action: those of its own name first, then all, then the newest."""
        fewest, most = input_counts(action_type)
        wanted = min(most, max(fewest, _wanted(action_type)))
        if wanted == 0:
            return ()
        from_sources = not self.builds or (action_type.category == "Build" and not self.together)
        offered = self.sources if from_sources else self.builds
        named = [artifact for artifact in offered if _belongs(artifact, subject)] or offered
        chosen = tuple(artifact.name for artifact in (named[:wanted] if from_sources else named[-wanted:]))
        if not from_sources and action_type.category in ("Build", "Compute"):
            self.gathered.update(chosen)
        return chosen

    def put(self, artifacts: Sequence[Artifact]) -> None:
        """Put what an action group built on the shelf."""
        if not artifacts:
            return
        self.builds = [build for build in self.builds if build.name not in self.gathered]
        self.builds.extend(artifacts)
        self.together = len(artifacts) > 1


def input_counts(action_type: ActionTypeId) -> tuple[int, int]:
    """The smallest and the largest number of input artifacts; (0, 5) for a type that the catalog does not know.

    Source: CodePipeline user guide, "Input and output artifacts"; 0 to 5 is the range of custom actions.
    """
    known = find_action_type(action_type.category, action_type.owner, action_type.provider, action_type.version)
    return known.inputs if known else (0, 5)


def puts_out(action_type: ActionTypeId) -> bool:
    """Whether a sketched action of this type has an output artifact."""
    known = find_action_type(action_type.category, action_type.owner, action_type.provider, action_type.version)
    fewest, most = known.outputs if known else (0, 5)
    return fewest > 0 or (most > 0 and action_type.category in ("Source", "Build", "Compute"))


def is_deployable(action_type: ActionTypeId) -> bool:
    """Whether later actions take what this one puts out; the report of a scan is no input of a deployment."""
    return action_type.provider not in _SCANS


def _wanted(action_type: ActionTypeId) -> int:
    if action_type.provider in _EVERYTHING:
        return 10
    if action_type.provider == "CodeDeployToECS":
        return _IMAGES
    if action_type.provider in _SCANS:
        return 1
    return 0 if action_type.category in ("Approval", "Invoke", "Source") else 1


def _belongs(artifact: Artifact, subject: str) -> bool:
    parts = _parts(artifact.subject)
    return bool(parts - _PLAIN) and parts <= _parts(subject)


def _parts(name: str) -> set[str]:
    return {part.lower() for part in _PART.findall(name)}
