"""What Inspector Scan knows: a few published vulnerabilities of packages that lessons use.

Source: Amazon Inspector User Guide, "Amazon Inspector Scan API"; the vulnerabilities stand in
``vulnerabilities.toml``, each with the versions that the National Vulnerability Database names.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.exceptions import JsonRESTError

MOST_COMPONENTS = 2000
NUMBER = re.compile(r"\d+")


class ValidationException(JsonRESTError):
    """What is no bill of materials, or too large a one."""

    def __init__(self, message: str, reason: str = "CANNOT_PARSE") -> None:
        super().__init__("ValidationException", message)
        self.description = f'{{"message": "{message}", "reason": "{reason}"}}'


class InspectorScanBackend(BaseBackend):
    """One account in one region."""

    def scan(self, sbom: Mapping[str, Any]) -> dict[str, Any]:
        """Return the bill of materials with the vulnerabilities of its components.

        Args:
            sbom: CycloneDX 1.5.

        Raises:
            ValidationException: it is none, or has too many components.
        """
        components = sbom.get("components", [])
        if sbom.get("bomFormat") != "CycloneDX" or sbom.get("specVersion") != "1.5":
            raise ValidationException("The SBOM must be in CycloneDX 1.5 format.", "UNSUPPORTED_SBOM_TYPE")
        if len(components) > MOST_COMPONENTS:
            raise ValidationException(f"The SBOM has more than {MOST_COMPONENTS} components.", "OTHER")
        found: dict[str, dict[str, Any]] = {}
        for component in components:
            for known in vulnerabilities():
                if _concerns(known, str(component.get("purl", ""))):
                    entry = found.setdefault(known["id"], _written(known))
                    entry["affects"].append({"ref": component.get("bom-ref", component["purl"])})
        counts = dict.fromkeys(("critical", "high", "medium", "low", "other"), 0)
        for known_id in found:
            counts[found[known_id]["ratings"][0]["severity"]] += 1
        properties = [
            {"name": f"amazon:inspector:sbom_scanner:{severity}_vulnerabilities", "value": str(count)}
            for severity, count in counts.items()
        ]
        return {
            **sbom,
            "metadata": {**sbom.get("metadata", {}), "properties": properties},
            "vulnerabilities": [found[known_id] for known_id in sorted(found)],
        }


@cache
def vulnerabilities() -> tuple[dict[str, Any], ...]:
    """Every vulnerability that is known here: ``id``, ``package``, ``before``, ``severity``, ``score``, ``title``."""
    text = files("pipesim.cloud.gaps.inspectorscan").joinpath("vulnerabilities.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["vulnerability"])


def _concerns(known: Mapping[str, Any], purl: str) -> bool:
    package, _, version = purl.removeprefix("pkg:").rpartition("@")
    since = known.get("since", "0")
    return package == known["package"] and _key(since) <= _key(version) < _key(known["before"])


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in NUMBER.findall(version))


def _written(known: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "bom-ref": f"vuln-{known['id']}",
        "id": known["id"],
        "source": {"name": "NVD", "url": f"https://nvd.nist.gov/vuln/detail/{known['id']}"},
        "ratings": [{"score": known["score"], "severity": known["severity"], "method": "CVSSv31"}],
        "description": known["title"],
        "affects": [],
        "properties": [{"name": "amazon:inspector:sbom_scanner:fixed_version", "value": known["before"]}],
    }


inspectorscan_backends = BackendDict(InspectorScanBackend, "inspector-scan", additional_regions=["us-east-1"])
