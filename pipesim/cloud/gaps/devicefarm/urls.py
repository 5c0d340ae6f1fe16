"""Where the service is."""

from __future__ import annotations

from pipesim.cloud.gaps.devicefarm.responses import DeviceFarmResponse

url_bases = [r"https?://devicefarm\.(.+)\.amazonaws\.com"]
url_paths = {"{0}/$": DeviceFarmResponse.dispatch}
