"""Device Farm, a service that moto does not have: projects, devices, pools, uploads, and runs on every device."""

from __future__ import annotations

from pipesim.cloud.gaps.devicefarm.models import devicefarm_backends
from pipesim.cloud.gaps.new_service import NewService

_service = NewService("devicefarm", r"https?://devicefarm\.(.+)\.amazonaws\.com", devicefarm_backends)
install = _service.install
uninstall = _service.uninstall
