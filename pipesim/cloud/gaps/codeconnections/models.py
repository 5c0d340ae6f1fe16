"""What the service keeps: connections, and hosts for Git servers that a company runs itself.

Both begin as ``PENDING``. A person completes the handshake in the console, for which the API has no operation:
`CodeConnectionsBackend.complete` stands for it. Source: AWS CodeConnections API reference; Developer Tools console
User Guide, "Update a pending connection", "Set up a pending host".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend
from moto.moto_api._internal import mock_random

from pipesim.cloud.gaps.codeconnections.exceptions import (
    ResourceNotFoundException,
    ResourceUnavailableException,
    ValidationException,
)

PENDING, AVAILABLE = "PENDING", "AVAILABLE"
PROVIDERS = ("Bitbucket", "GitHub", "GitHubEnterpriseServer", "GitLab", "GitLabSelfManaged")
OF_HOSTS = ("GitHubEnterpriseServer", "GitLabSelfManaged")
"""The providers that are reached through a host."""


@dataclass(slots=True)
class Resource:
    """A connection or a host.

    Attributes:
        told: what the calls about it answer.
        tags: its tags.
    """

    told: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)


class CodeConnectionsBackend(BaseBackend):
    """The connections and hosts of one account in one region, under whichever of the two names they are called."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.connections: dict[str, Resource] = {}
        self.hosts: dict[str, Resource] = {}

    def create_connection(
        self,
        name: str,
        provider: str | None,
        host: str | None,
        tags: Mapping[str, str],
        *,
        service: str = "codeconnections",
        arn: str | None = None,
    ) -> Resource:
        """Make a connection that nobody has shaken hands on yet.

        Args:
            name: its name.
            provider: one of `PROVIDERS`; None: that of the host.
            host: the ARN of the host, for a provider that needs one.
            tags: its tags.
            service: under which name the service was called; the ARN bears it.
            arn: its ARN; None: a new one.
        """
        if (provider is None) == (host is None):
            raise ValidationException("Exactly one of ProviderType and HostArn must be given")
        if host is not None:
            known = self.host(host)
            if known.told["Status"] != AVAILABLE:
                raise ResourceUnavailableException(f"Host {host} is not available: its status is {PENDING}")
            provider = known.told["ProviderType"]
        elif provider in OF_HOSTS:
            raise ValidationException(f"A connection to {provider} needs a HostArn")
        arn = arn or self._arn(service, f"connection/{mock_random.uuid4()}")
        told = {
            "ConnectionName": name,
            "ConnectionArn": arn,
            "ProviderType": provider,
            "OwnerAccountId": self.account_id,
            "ConnectionStatus": PENDING,
        }
        if host is not None:
            told["HostArn"] = host
        self.connections[_id(arn)] = Resource(told, dict(tags))
        return self.connections[_id(arn)]

    def create_host(
        self, name: str, provider: str, endpoint: str, network: Mapping[str, Any] | None, tags: Mapping[str, str],
        service: str = "codeconnections",
    ) -> Resource:  # fmt: skip
        """Make a host that nobody has set up yet."""
        if provider not in OF_HOSTS:
            raise ValidationException(f"A host is for {' or '.join(OF_HOSTS)}, not for {provider}")
        arn = self._arn(service, f"host/{name}-{str(mock_random.uuid4())[:8]}")
        told = {
            "Name": name, "HostArn": arn, "ProviderType": provider, "ProviderEndpoint": endpoint, "Status": PENDING,
        }  # fmt: skip
        if network:
            told["VpcConfiguration"] = dict(network)  # type: ignore[assignment]
        self.hosts[_id(arn)] = Resource(told, dict(tags))
        return self.hosts[_id(arn)]

    def complete(self, arn: str) -> None:
        """A person completes the handshake of a connection, or sets a host up, in the console.

        Args:
            arn: of the connection or the host.
        """
        told = self.any(arn).told
        told["ConnectionStatus" if "ConnectionArn" in told else "Status"] = AVAILABLE

    def connection(self, arn: str) -> Resource:
        """Return a connection."""
        if _id(arn) not in self.connections:
            raise ResourceNotFoundException("Connection", arn)
        return self.connections[_id(arn)]

    def host(self, arn: str) -> Resource:
        """Return a host."""
        if _id(arn) not in self.hosts:
            raise ResourceNotFoundException("Host", arn)
        return self.hosts[_id(arn)]

    def any(self, arn: str) -> Resource:
        """Return a connection or a host."""
        return self.host(arn) if ":host/" in arn else self.connection(arn)

    def delete_connection(self, arn: str) -> None:
        """Forget a connection."""
        self.connection(arn)
        del self.connections[_id(arn)]

    def delete_host(self, arn: str) -> None:
        """Forget a host that no connection uses."""
        self.host(arn)
        if any(one.told.get("HostArn") == arn for one in self.connections.values()):
            raise ResourceUnavailableException(f"Host {arn} still has connections: delete them first")
        del self.hosts[_id(arn)]

    def _arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.region_name}:{self.account_id}:{rest}"


def _id(arn: str) -> str:
    """What an ARN says after the account; both names of the service mean the same thing by it."""
    return arn.split(":", 5)[-1]


codeconnections_backends = BackendDict(CodeConnectionsBackend, "codestar-connections")
