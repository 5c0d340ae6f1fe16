"""A buildspec read: which commands, variables and artifacts a build would have.

Commands are not executed; what a build makes is assumed. Two kinds are believed: one that sets a variable to plain
text, and one that says which status it exits with.
Source: AWS CodeBuild User Guide, "Build specification reference for CodeBuild".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from pipesim.errors import SourceError

_EXIT = re.compile(r"exit\s+(\d+)")
_ASSIGNED = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)=([^\s$`]*|'[^'$`]*'|\"[^\"$`]*\")")
PHASES = ("install", "pre_build", "build", "post_build")


@dataclass(frozen=True, slots=True)
class ArtifactSpec:
    """Which files make one output artifact.

    Attributes:
        files: names and patterns; ``**/*`` is everything.
        base: the folder in which they are looked for, and which their names in the artifact leave out.
        flat: whether folders are left out of the names.
    """

    files: tuple[str, ...]
    base: str = ""
    flat: bool = False

    def select(self, source: Mapping[str, bytes], made: bytes) -> dict[str, bytes]:
        """Return the files of the artifact.

        A file that the source has goes in as it is. One that only the commands would have made, and that is
        named and no pattern, gets assumed contents; when nothing at all is found, the whole source goes in.

        Args:
            source: the source's files by name.
            made: the contents of files that the commands would have made.
        """
        found: dict[str, bytes] = {}
        for pattern in self.files:
            path = f"{self.base}/{pattern}" if self.base else pattern
            matches = [name for name in source if _glob(path).fullmatch(name)]
            if not matches and not _is_pattern(path):
                found[self._name(path)] = made
            for name in matches:
                found[self._name(name)] = source[name]
        return found or dict(source)

    def _name(self, path: str) -> str:
        name = path.removeprefix(f"{self.base}/") if self.base else path
        return name.rsplit("/", 1)[-1] if self.flat else name


@dataclass(frozen=True, slots=True)
class Buildspec:
    """What a buildspec says.

    Attributes:
        commands: the commands of each phase, in the order of the phases.
        variables: environment variables in plain text.
        parameters: environment variables by the name of the parameter that holds them.
        secrets: environment variables by the reference to the secret that holds them.
        exported: the names of the variables that the build exports.
        artifacts: the primary artifact; None: the buildspec names none.
        secondary: the secondary artifacts by identifier.
        reports: the files of each report group, by its name or ARN.
    """

    commands: Mapping[str, tuple[str, ...]]
    variables: Mapping[str, str]
    parameters: Mapping[str, str]
    secrets: Mapping[str, str]
    exported: tuple[str, ...]
    artifacts: ArtifactSpec | None
    secondary: Mapping[str, ArtifactSpec]
    reports: Mapping[str, ArtifactSpec]


def parse_buildspec(text: str) -> Buildspec:
    """Read a buildspec.

    Args:
        text: YAML or JSON.

    Raises:
        SourceError: it is no buildspec.

    >>> parse_buildspec("version: 0.2\\nenv: {exported-variables: [TAG]}").exported
    ('TAG',)
    """
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as broken:
        raise SourceError(f"the buildspec is no YAML: {' '.join(str(broken).split())}") from None
    if not isinstance(document, dict):
        raise SourceError("the buildspec is no mapping: it begins with 'version: 0.2'")
    env = _mapping(document, "env")
    phases = _mapping(document, "phases")
    artifacts = _mapping(document, "artifacts")
    secondary = _mapping(artifacts, "secondary-artifacts")
    reports = _mapping(document, "reports")
    return Buildspec(
        commands={name: _commands(_mapping(phases, name)) for name in PHASES if name in phases},
        variables=_texts(env, "variables"),
        parameters=_texts(env, "parameter-store"),
        secrets=_texts(env, "secrets-manager"),
        exported=tuple(str(name) for name in _list(env, "exported-variables")),
        artifacts=_artifact(artifacts) if "files" in artifacts else None,
        secondary={str(name): _artifact(_mapping(secondary, name)) for name in secondary},
        reports={str(name): _artifact(_mapping(reports, name)) for name in reports},
    )


def exit_status(command: str) -> int:
    """Return the status with which a command ends for sure: that of ``exit N`` and ``false``; 0 of any other.

    >>> exit_status("exit 3"), exit_status("npm test")
    (3, 0)
    """
    match = _EXIT.fullmatch(command.strip())
    return 1 if command.strip() == "false" else int(match[1]) if match else 0


def assigned(command: str) -> tuple[str, str] | None:
    """Return the variable that a command sets to plain text; None: it sets none, or only a shell could tell.

    >>> assigned("export TAG=v7"), assigned("TAG=$(git describe)")
    (('TAG', 'v7'), None)
    """
    match = _ASSIGNED.fullmatch(command.strip())
    return (match[1], match[2].strip("'\"")) if match else None


def _commands(phase: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(command) for key in ("commands", "finally") for command in _list(phase, key))


def _artifact(section: Mapping[str, Any]) -> ArtifactSpec:
    base = str(section.get("base-directory") or "").strip("/")
    flat = str(section.get("discard-paths") or "no").lower() in {"yes", "true"}
    files = tuple(str(name).removeprefix("./") for name in _list(section, "files"))
    return ArtifactSpec(files, "" if base == "." else base.removeprefix("./"), flat)


def _mapping(section: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = section.get(key)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise SourceError(f"'{key}' of the buildspec is no mapping")
    return found


def _texts(section: Mapping[str, Any], key: str) -> dict[str, str]:
    return {str(name): str(value) for name, value in _mapping(section, key).items()}


def _list(section: Mapping[str, Any], key: str) -> list[Any]:
    found = section.get(key) or []
    return found if isinstance(found, list) else [found]


def _is_pattern(path: str) -> bool:
    return any(sign in path for sign in "*?[$")


def _glob(pattern: str) -> re.Pattern[str]:
    """The pattern of a path: ``**/`` is any number of folders, ``*`` stays within one."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    signs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(signs.get(part, re.escape(part)) for part in parts))
