"""The service's operations on connections and hosts; repository links and syncs are for other services.

Source: AWS CodeConnections API reference; botocore's models of both names.
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.responses import BaseResponse

from pipesim.cloud.gaps.codeconnections.models import CodeConnectionsBackend, Resource, codeconnections_backends


class CodeConnectionsResponse(BaseResponse):
    """Each method is one operation."""

    service = "codeconnections"

    def __init__(self) -> None:
        super().__init__(service_name=self.service)

    @property
    def backend(self) -> CodeConnectionsBackend:
        """What the caller's account has."""
        found: CodeConnectionsBackend = codeconnections_backends[self.current_account][self.region]
        return found

    def create_connection(self) -> str:
        """CreateConnection."""
        given = self._given()
        tags = _read(given.get("Tags"))
        made = self.backend.create_connection(
            given["ConnectionName"], given.get("ProviderType"), given.get("HostArn"), tags, service=self.service
        )
        return json.dumps({"ConnectionArn": made.told["ConnectionArn"], "Tags": _write(tags)})

    def get_connection(self) -> str:
        """GetConnection."""
        return json.dumps({"Connection": self.backend.connection(self._given()["ConnectionArn"]).told})

    def list_connections(self) -> str:
        """ListConnections."""
        given = self._given()
        wanted = {"ProviderType": given.get("ProviderTypeFilter"), "HostArn": given.get("HostArnFilter")}
        found = [
            one.told
            for one in self.backend.connections.values()
            if all(value is None or one.told.get(key) == value for key, value in wanted.items())
        ]
        return json.dumps(_page("Connections", found, given))

    def delete_connection(self) -> str:
        """DeleteConnection."""
        self.backend.delete_connection(self._given()["ConnectionArn"])
        return "{}"

    def create_host(self) -> str:
        """CreateHost."""
        given = self._given()
        tags = _read(given.get("Tags"))
        made = self.backend.create_host(
            given["Name"], given["ProviderType"], given["ProviderEndpoint"], given.get("VpcConfiguration"), tags,
            self.service,
        )  # fmt: skip
        return json.dumps({"HostArn": made.told["HostArn"], "Tags": _write(tags)})

    def get_host(self) -> str:
        """GetHost."""
        told = self.backend.host(self._given()["HostArn"]).told
        return json.dumps({key: value for key, value in told.items() if key != "HostArn"})

    def list_hosts(self) -> str:
        """ListHosts."""
        return json.dumps(_page("Hosts", [one.told for one in self.backend.hosts.values()], self._given()))

    def update_host(self) -> str:
        """UpdateHost."""
        given = self._given()
        told = self.backend.host(given["HostArn"]).told
        told.update({key: given[key] for key in ("ProviderEndpoint", "VpcConfiguration") if key in given})
        return "{}"

    def delete_host(self) -> str:
        """DeleteHost."""
        self.backend.delete_host(self._given()["HostArn"])
        return "{}"

    def tag_resource(self) -> str:
        """TagResource."""
        self._resource().tags.update(_read(self._given()["Tags"]))
        return "{}"

    def untag_resource(self) -> str:
        """UntagResource."""
        tags = self._resource().tags
        for key in self._given()["TagKeys"]:
            tags.pop(key, None)
        return "{}"

    def list_tags_for_resource(self) -> str:
        """ListTagsForResource."""
        return json.dumps({"Tags": _write(self._resource().tags)})

    def _resource(self) -> Resource:
        return self.backend.any(self._given()["ResourceArn"])

    def _given(self) -> dict[str, Any]:
        given: dict[str, Any] = json.loads(self.body or "{}")
        return given


class CodeStarConnectionsResponse(CodeConnectionsResponse):
    """The same service under its older name."""

    service = "codestar-connections"


def _page(name: str, found: list[dict[str, Any]], given: dict[str, Any]) -> dict[str, Any]:
    first, size = int(given.get("NextToken") or 0), given.get("MaxResults") or 100
    answer: dict[str, Any] = {name: found[first : first + size]}
    if first + size < len(found):
        answer["NextToken"] = str(first + size)
    return answer


def _read(tags: list[dict[str, str]] | None) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags or ()}


def _write(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
