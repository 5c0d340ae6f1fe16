"""Inspector's scan of a bill of materials, a service that moto does not have."""

from __future__ import annotations

from pipesim.cloud.gaps.inspectorscan.models import inspectorscan_backends
from pipesim.cloud.gaps.new_service import NewService

_service = NewService("inspectorscan", r"https?://inspector-scan\.(.+)\.amazonaws\.com", inspectorscan_backends)
install = _service.install
uninstall = _service.uninstall
