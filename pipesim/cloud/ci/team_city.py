"""TeamCity, with JetBrains' plugin for CodePipeline: a build trigger polls for the jobs that bear its action id.

Source: AWS CodePipeline User Guide, "Integrations with CodePipeline action types" (TeamCity); the README of JetBrains'
plugin teamcity-aws-codepipeline-plugin.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pipesim.cloud.ci.build_server import BuildServer


class TeamCity(BuildServer):
    """A TeamCity server; what it publishes of a build is the output artifact.

    `projects` are action ids here: each stands for one build trigger, whatever the build configuration is called.
    """

    provider = "TeamCity"
    url = "https://teamcity.example.com"
    queried = "ActionID"
    keys: ClassVar[Mapping[str, str]] = {
        "TeamCityServerURL": "The address of the server, as people reach it.",
        "BuildConfigurationID": "The id of the build configuration.",
        "ActionID": "The id that the build trigger polls for.",
    }
    entity_url = "{{Config:TeamCityServerURL}}/viewType.html?buildTypeId={{Config:BuildConfigurationID}}"
    execution_url = "{{Config:TeamCityServerURL}}/viewLog.html?buildId={{ExternalExecutionId}}&tab=buildResultsDiv"

    def project_of(self, configuration: Mapping[str, str]) -> str:
        """The build configuration."""
        return configuration.get("BuildConfigurationID") or super().project_of(configuration)

    def build(self, project: str, files: dict[str, bytes]) -> dict[str, bytes]:
        """Build the configuration: the checked-out files go in, the published ones come out.

        Args:
            project: the id of the build configuration.
            files: the files of all inputs, by name.
        """
        return files
