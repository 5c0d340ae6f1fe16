"""Where the service is."""

from __future__ import annotations

from pipesim.cloud.gaps.codestarnotifications.responses import NotificationsResponse

url_bases = [r"https?://codestar-notifications\.(.+)\.amazonaws\.com"]
url_paths = {"{0}/(?P<operation>[A-Za-z]+)$": NotificationsResponse.dispatch}
