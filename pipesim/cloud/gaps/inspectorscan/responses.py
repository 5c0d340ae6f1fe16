"""The one operation of Inspector Scan. Source: Amazon Inspector Scan API reference, ScanSbom."""

from __future__ import annotations

import json
from typing import Any

from moto.core.responses import BaseResponse

from pipesim.cloud.gaps.inspectorscan.models import InspectorScanBackend, inspectorscan_backends


class InspectorScanResponse(BaseResponse):
    """Each method is one operation."""

    def __init__(self) -> None:
        super().__init__(service_name="inspector-scan")

    @property
    def backend(self) -> InspectorScanBackend:
        """What knows the vulnerabilities."""
        found: InspectorScanBackend = inspectorscan_backends[self.current_account][self.region]
        return found

    def scan_sbom(self) -> str:
        """ScanSbom."""
        given: dict[str, Any] = json.loads(self.body)
        return json.dumps({"sbom": self.backend.scan(given.get("sbom") or {})})
