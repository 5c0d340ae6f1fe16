"""Build servers outside AWS: each takes jobs of a custom action type, and each is there to be read and replaced."""

from __future__ import annotations

from pipesim.cloud.ci.build_server import BuildServer
from pipesim.cloud.ci.cloudbees import CloudBees
from pipesim.cloud.ci.jenkins import Jenkins
from pipesim.cloud.ci.team_city import TeamCity

SERVERS: dict[str, type[BuildServer]] = {server.provider: server for server in (Jenkins, CloudBees, TeamCity)}
"""The build servers by the provider's name."""

__all__ = ["SERVERS", "BuildServer", "CloudBees", "Jenkins", "TeamCity"]
