"""Jenkins, with the AWS CodePipeline plugin: the action type that its wizard creates, and the worker that it is.

Source: AWS CodePipeline User Guide, "Tutorial: Create a four-stage pipeline" (Jenkins) and "Create and add a custom
action in CodePipeline"; the README of the Jenkins plugin aws-codepipeline-plugin.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pipesim.cloud.ci.build_server import BuildServer


class Jenkins(BuildServer):
    """A Jenkins server; its projects poll for their own jobs, and hand their workspace on.

    To make it build something, override `build`; to make a build fail, raise `JobFailed` in it:

    >>> class Strict(Jenkins):
    ...     def build(self, project, files):
    ...         if "Jenkinsfile" not in files:
    ...             raise JobFailed(f"{project}: no Jenkinsfile in the workspace")
    ...         return {**files, "target/app.jar": b"compiled"}
    """

    provider = "Jenkins"
    url = "https://jenkins.example.com"
    queried = "ProjectName"
    keys: ClassVar[Mapping[str, str]] = {"ProjectName": "The project, as it is called in Jenkins."}
    entity_url = "{url}/job/{{Config:ProjectName}}/"
    execution_url = "{url}/job/{{Config:ProjectName}}/{{ExternalExecutionId}}/"

    def build(self, project: str, files: dict[str, bytes]) -> dict[str, bytes]:
        """Build the project: the workspace goes in, what is archived comes out.

        Args:
            project: the project's name.
            files: the files of all inputs, by name.
        """
        return files
