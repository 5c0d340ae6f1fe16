"""What build servers have in common: the action type, the artifacts, the number of a build, the report.

Source: CodePipeline User Guide, "Create and add a custom action in CodePipeline".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pipesim.cloud.job_artifacts import fetch, hand_over, reopened
from pipesim.cloud.workers import JobFailed, JobWorker
from pipesim.engine.behaviours.work import draw
from pipesim.vocabulary import ActionCategory, ActionOwner

if TYPE_CHECKING:
    from pipesim.cloud.account import Account, Cloud


class BuildServer(JobWorker):
    """A build server; make a class from it, and say what `build` does.

    Args:
        cloud: whose jobs it works on.
        category: ``Build`` or ``Test``.
        projects: works for these alone, as a server does on which a project polls for its own jobs; empty: for all.
        url: its address; None: the one of the class.
        interval: seconds between two polls.

    Attributes:
        provider: the provider's name.
        queried: the configuration key by whose value it polls.
        keys: the configuration keys of the action type, all of them required, with what they mean.
        entity_url, execution_url: templates of the links to a project and to a build.
        builds: how many builds there were of each project.
    """

    provider: ClassVar[str] = ""
    url: str = ""
    queried: ClassVar[str] = "ProjectName"
    keys: ClassVar[Mapping[str, str]] = {}
    entity_url: ClassVar[str] = ""
    execution_url: ClassVar[str] = ""

    def __init__(
        self,
        cloud: Cloud | Account,
        *,
        category: str = ActionCategory.BUILD.value,
        projects: tuple[str, ...] = (),
        url: str | None = None,
        interval: float = 30.0,
    ) -> None:
        super().__init__(cloud, category, self.provider, interval=interval)
        self.url = (url or self.url).rstrip("/")
        self.projects = projects
        self.builds: Counter[str] = Counter()

    def build(self, project: str, files: dict[str, bytes]) -> dict[str, bytes]:
        """Build a project, or raise `JobFailed`; return the files of the output.

        Args:
            project: its name.
            files: the files of all inputs, by name.
        """
        return files

    def work(self, job: Mapping[str, Any]) -> Mapping[str, Any]:
        """Fetch the inputs, build, put the outputs where they belong, and report the number of the build."""
        project = self.project_of(job["data"]["actionConfiguration"]["configuration"])
        self.builds[project] += 1
        number = str(self.builds[project])
        run = self.account.jobs.find(job["id"]).run
        try:
            job = reopened(job, self.client.get_job_details)
            files = fetch(job)
            if draw(run)[1]:
                assumed = run.plan.assumption
                raise JobFailed(assumed.message or f"Build {number} of {project}: FAILURE", assumed.code)
            hand_over(job, self.build(project, files), self.account.now)
        except JobFailed as failed:
            failed.external_id = failed.external_id or number
            raise
        return {"executionDetails": {"summary": f"Build {number} of {project}: SUCCESS", "externalExecutionId": number}}

    def takes(self, job: Mapping[str, Any]) -> float:
        """As long as is assumed of the action."""
        return draw(self.account.jobs.find(job["id"]).run)[0]

    def project_of(self, configuration: Mapping[str, str]) -> str:
        """The project that an action wants built."""
        return configuration.get(self.queried) or configuration.get("ProjectName", "")

    def prepare(self) -> None:
        """Create the action type, unless the account has it."""
        wanted = self._wanted["actionTypeId"]
        listed = self.client.list_action_types(actionOwnerFilter=ActionOwner.CUSTOM.value)["actionTypes"]
        if all(one["id"] != wanted for one in listed):
            self.client.create_custom_action_type(**self.declaration(wanted["category"], self.url))

    @classmethod
    def declaration(cls, category: str, url: str = "") -> dict[str, Any]:
        """What CreateCustomActionType is told of it.

        Args:
            category: ``Build`` or ``Test``.
            url: the server's address; empty: the one of the class.
        """
        url = url or cls.url
        return {
            "category": category,
            "provider": cls.provider,
            "version": "1",
            "settings": {
                "entityUrlTemplate": cls.entity_url.format(url=url),
                "executionUrlTemplate": cls.execution_url.format(url=url),
            },
            "configurationProperties": [
                {
                    "name": name,
                    "required": True,
                    "key": True,
                    "secret": False,
                    "queryable": name == cls.queried,
                    "description": meaning,
                }
                for name, meaning in cls.keys.items()
            ],
            "inputArtifactDetails": {"minimumCount": 0, "maximumCount": 5},
            "outputArtifactDetails": {"minimumCount": 0, "maximumCount": 5},
        }

    def _taken(self) -> Iterator[Mapping[str, Any]]:
        if not self.projects:
            yield from super()._taken()
        for project in self.projects:
            self._wanted["queryParam"] = {self.queried: project}
            yield from super()._taken()
