"""The ``batch`` section of a buildspec: which builds there are, and what waits for what.

Source: AWS CodeBuild User Guide, "Batch build buildspec reference".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import yaml

from pipesim.errors import SourceError


@dataclass(frozen=True, slots=True)
class BatchBuild:
    """One build of a batch.

    Attributes:
        identifier: its name in the batch.
        waits_for: the identifiers of the builds that must be over first.
        variables: its environment variables.
        buildspec: the file of its own buildspec; empty: the batch's.
        ignore_failure: whether the batch goes on as if it had succeeded.
    """

    identifier: str
    waits_for: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    buildspec: str = ""
    ignore_failure: bool = False


def parse_batch(text: str) -> tuple[BatchBuild, ...]:
    """Return the builds of a buildspec's batch, each after those that it waits for.

    Args:
        text: the buildspec.

    Raises:
        SourceError: there is no batch, or it is not written as the reference says.

    >>> [one.identifier for one in parse_batch("batch: {build-list: [{identifier: a}, {identifier: b}]}")]
    ['a', 'b']
    """
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as broken:
        raise SourceError(f"the buildspec is no YAML: {' '.join(str(broken).split())}") from None
    batch = document.get("batch") if isinstance(document, dict) else None
    if not isinstance(batch, dict):
        raise SourceError("the buildspec has no 'batch' section")
    try:
        builds = tuple(_builds(batch))
    except (AttributeError, KeyError, TypeError):
        raise SourceError("the 'batch' section is not written as a build-graph, build-list or build-matrix") from None
    names = [one.identifier for one in builds]
    if not builds or len(set(names)) != len(names):
        raise SourceError("the 'batch' section needs builds, each with an identifier of its own")
    return _ordered(builds)


def _builds(batch: Mapping[str, Any]) -> Iterator[BatchBuild]:
    for section in ("build-graph", "build-list"):
        for entry in batch.get(section) or ():
            env = entry.get("env") or {}
            yield BatchBuild(
                identifier=str(entry["identifier"]),
                waits_for=tuple(map(str, entry.get("depend-on") or ())),
                variables={str(name): str(value) for name, value in (env.get("variables") or {}).items()},
                buildspec=str(entry.get("buildspec") or ""),
                ignore_failure=bool(entry.get("ignore-failure", False)),
            )
    if matrix := batch.get("build-matrix"):
        yield from _matrix(matrix)


def _matrix(matrix: Mapping[str, Any]) -> Iterator[BatchBuild]:
    """A build for every combination of the variables and buildspecs of a matrix."""
    dynamic, static = matrix.get("dynamic") or {}, matrix.get("static") or {}
    variables = (dynamic.get("env") or {}).get("variables") or {}
    specs = dynamic.get("buildspec") or [""]
    fixed = {str(key): str(value) for key, value in ((static.get("env") or {}).get("variables") or {}).items()}
    for number, (spec, *values) in enumerate(product(specs, *variables.values()), 1):
        chosen = {str(name): str(value) for name, value in zip(variables, values, strict=True)}
        yield BatchBuild(
            f"build{number}", (), {**fixed, **chosen}, str(spec), bool(static.get("ignore-failure", False))
        )


def _ordered(builds: tuple[BatchBuild, ...]) -> tuple[BatchBuild, ...]:
    left, done = list(builds), dict[str, BatchBuild]()
    while left:
        ready = next((one for one in left if set(one.waits_for) <= set(done)), None)
        if ready is None:
            raise SourceError(f"builds of the batch wait for each other, or for none: {left[0].identifier}")
        left.remove(ready)
        done[ready.identifier] = ready
    return tuple(done.values())
