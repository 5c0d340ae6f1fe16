"""Where the service is, under both names."""

from __future__ import annotations

from typing import Any

from pipesim.cloud.gaps.codeconnections.responses import CodeConnectionsResponse, CodeStarConnectionsResponse


def dispatch(request: Any, full_url: str, headers: Any) -> Any:
    """Hand a call to the name under which it was made."""
    older = "codestar-connections" in full_url.split("/", 3)[2]
    return (CodeStarConnectionsResponse if older else CodeConnectionsResponse).dispatch(request, full_url, headers)


url_bases = [r"https?://(?:codeconnections|codestar-connections)\.(.+)\.amazonaws\.com"]
url_paths = {"{0}/$": dispatch}
