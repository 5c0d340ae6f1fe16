"""A bill of materials: the packages that the files of a source name, as CycloneDX 1.5 writes them.

Source: Amazon Inspector User Guide, "Amazon Inspector SBOM Generator"; CycloneDX specification 1.5.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*==\s*([A-Za-z0-9.+!_-]+)")
DEPENDENCY = re.compile(
    r"<dependency>\s*<groupId>([^<]+)</groupId>\s*<artifactId>([^<]+)</artifactId>\s*<version>([^<$]+)</version>"
)


def components_of(files: Mapping[str, bytes]) -> list[dict[str, str]]:
    """Return the packages of pinned versions that ``requirements.txt``, ``package.json``, its lock file and
    ``pom.xml`` name, each once, by their package URL.

    Args:
        files: contents by name.

    >>> components_of({"requirements.txt": b"requests==2.30.0"})
    [{'type': 'library', 'name': 'requests', 'version': '2.30.0', 'purl': 'pkg:pypi/requests@2.30.0'}]
    """
    found: dict[str, dict[str, str]] = {}
    for path, body in sorted(files.items()):
        reader = READERS.get(path.rsplit("/", 1)[-1])
        for kind, name, version in reader(body.decode("utf-8", errors="replace")) if reader else ():
            purl = f"pkg:{kind}/{name}@{version}"
            found[purl] = {"type": "library", "name": name.rsplit("/", 1)[-1], "version": version, "purl": purl}
    return [found[purl] for purl in sorted(found)]


def bill(components: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """Return the bill of materials of these packages."""
    listed = [{"bom-ref": f"comp-{number}", **one} for number, one in enumerate(components, 1)]
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": listed}


def _requirements(text: str) -> Iterator[tuple[str, str, str]]:
    for line in text.splitlines():
        if match := REQUIREMENT.match(line):
            yield "pypi", match[1].lower().replace("_", "-"), match[2]


def _package(text: str) -> Iterator[tuple[str, str, str]]:
    document = _parsed(text)
    for section in ("dependencies", "devDependencies"):
        for name, version in _mapping(document.get(section)).items():
            if isinstance(version, str) and (bare := version.lstrip("^~=v")) and bare[0].isdigit():
                yield "npm", name, bare


def _lock(text: str) -> Iterator[tuple[str, str, str]]:
    for path, one in _mapping(_parsed(text).get("packages")).items():
        version = _mapping(one).get("version")
        if path and isinstance(version, str):
            yield "npm", path.rpartition("node_modules/")[2], version


def _maven(text: str) -> Iterator[tuple[str, str, str]]:
    for group, artifact, version in DEPENDENCY.findall(text):
        yield "maven", f"{group.strip()}/{artifact.strip()}", version.strip()


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        return _mapping(json.loads(text))
    except ValueError:
        return {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


READERS = {
    "requirements.txt": _requirements,
    "package.json": _package,
    "package-lock.json": _lock,
    "pom.xml": _maven,
}
"""What reads a file of this name."""
