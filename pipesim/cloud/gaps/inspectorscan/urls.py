"""Where the service is."""

from __future__ import annotations

from pipesim.cloud.gaps.inspectorscan.responses import InspectorScanResponse

url_bases = [r"https?://inspector-scan\.(.+)\.amazonaws\.com"]
url_paths = {"{0}/scan/sbom$": InspectorScanResponse.dispatch}
