"""Polled sources: S3 objects, CodeCommit and GitHub branches that CodePipeline looks at again and again.

A new revision starts an execution; a source that cannot be read starts none, and shows why in its action's
state. The service does not publish how often it looks: `Delays.polling` says what is assumed. A glimpse into the
mocked service decides whether there is anything to look at, so that a month of polling costs little; what only
a real look finds out, a permission that was taken away or given back, is found within the hour.

Source: CodePipeline User Guide, "Change detection methods"; recorded answers of the service: the first execution
of a polled pipeline is started by its poll, once for each polled source; a new version of an object counts even
when its bytes are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterator
from typing import TYPE_CHECKING, Any

import simpy
from botocore.exceptions import ClientError
from moto.codecommit.models import codecommit_backends
from moto.s3.models import s3_backends

from pipesim.catalog.limits import HOUR, POLLING_WITHOUT_EXECUTION
from pipesim.cloud import permissions
from pipesim.cloud.actions import codecommit_source, connection_source, github_v1_source, s3_source
from pipesim.cloud.actions.failures import ActionFailed, code_of
from pipesim.cloud.gaps.codecommit.models import history_of
from pipesim.definition.model import Action
from pipesim.engine.arrivals import polls
from pipesim.engine.commands import Start
from pipesim.trace.events import EventKind
from pipesim.vocabulary import TriggerType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account, PipelineRecord

GITHUB = "GitHub"
UNSEEN = object()


class Poller:
    """Looks at the polled sources of one pipeline.

    Args:
        account: where the pipeline is.
        record: the pipeline.
    """

    def __init__(self, account: Account, record: PipelineRecord) -> None:
        self._account = account
        self._record = record
        self._glimpsed: dict[str, Hashable] = {}
        self._looked: dict[str, float] = {}
        self._seen: dict[str, str] = {}
        self._failed: dict[str, tuple[str, str]] = {}
        account.env.process(self._live())

    def has_news(self) -> bool:
        """Whether the next poll will look at something that it has not seen."""
        return any(self._glimpsed.get(action.name, UNSEEN) != self._glimpse(action) for action in self._sources())

    def poll(self) -> None:
        """Look at every polled source; a new revision starts an execution."""
        for action in list(self._sources()):
            glimpse = self._glimpse(action)
            now = self._account.env.now
            if self._glimpsed.get(action.name, UNSEEN) == glimpse and now - self._looked[action.name] < HOUR:
                continue
            self._glimpsed[action.name] = glimpse
            self._looked[action.name] = now
            self._look(action)

    def _live(self) -> Generator[simpy.Event, Any, None]:
        while self._is_wanted():
            self.poll()
            yield self._account.env.timeout(self._account.delays.polling)

    def _is_wanted(self) -> bool:
        record = self._record
        if self._account.pipelines.get(record.name) is not record:
            return False
        began = (record.updated - self._account.start).total_seconds()
        if self._account.env.now - max(record.simulation.last_start, began) > POLLING_WITHOUT_EXECUTION:
            record.polling_disabled_at = self._account.now
            record.poller = None
            return False
        return True

    def _sources(self) -> Iterator[Action]:
        for action in self._record.pipeline.stages[0].actions:
            if (action.provider in LOOKS or action.provider == GITHUB) and polls(action):
                yield action

    def _glimpse(self, action: Action) -> Hashable:
        owner = (action.role_arn or self._record.pipeline.role_arn).split(":")[4]
        if action.provider == GITHUB:
            return _glimpse_of_github(self._account, action.configuration)
        return GLIMPSES[action.provider](owner, action.region or self._account.region, action.configuration)

    def _look(self, action: Action) -> None:
        simulation = self._record.simulation
        try:
            revision = self._newest(action)
        except ActionFailed as failed:
            assert failed.outcome.failure is not None
            self._note(action, failed.outcome.failure.value, failed.outcome.message)
        except ClientError as error:
            detail = error.response.get("Error", {})
            self._note(action, code_of(detail.get("Code", "")).value, detail.get("Message", str(error)))
        else:
            self._failed.pop(action.name, None)
            if self._seen.get(action.name) != revision:
                self._seen[action.name] = revision
                simulation.send(
                    Start(
                        change=revision[:7],
                        trigger_type=TriggerType.POLL_FOR_SOURCE_CHANGES.value,
                        trigger_detail=action.name,
                    )
                )

    def _newest(self, action: Action) -> str:
        """The newest revision of a source; AWS's own are read under the role, GitHub with the action's token."""
        account, pipeline = self._account, self._record.pipeline
        if action.provider == GITHUB:
            repository = github_v1_source.opened(account, action.configuration)
            return connection_source.newest(repository, action.configuration["Branch"]).id
        session = permissions.role_session(account, pipeline.role_arn, action.role_arn, pipeline.name)
        client = permissions.client(account, session, SERVICES[action.provider], action.region or account.region)
        return LOOKS[action.provider](client, action)

    def _note(self, action: Action, code: str, message: str) -> None:
        """A failed poll shows in the state of its action, once for as long as it stays the same."""
        self._seen.pop(action.name, None)
        if self._failed.get(action.name) != (code, message):
            self._failed[action.name] = (code, message)
            stage = self._record.pipeline.stages[0].name
            detail = {"code": code, "message": message}
            self._record.simulation.emit(EventKind.POLL_FAILED, stage=stage, action=action.name, detail=detail)


def _glimpse_of_object(owner: str, region: str, configuration: Any) -> Hashable:
    bucket = s3_backends[owner]["aws"].buckets.get(configuration.get("S3Bucket"))
    if bucket is None:
        return None
    found = bucket.keys.get(configuration.get("S3ObjectKey"))
    return (bucket.versioning_status, None if found is None else getattr(found, "version_id", None))


def _glimpse_of_branch(owner: str, region: str, configuration: Any) -> Hashable:
    repository = codecommit_backends[owner][region].repositories.get(configuration.get("RepositoryName"))
    if repository is None:
        return None
    return history_of(repository).branches.get(configuration.get("BranchName"))


def _glimpse_of_github(account: Account, configuration: Any) -> Hashable:
    found = account.remotes.find(GITHUB, f"{configuration['Owner']}/{configuration['Repo']}")
    if found is None:
        return None
    return found.history.branches.get(configuration["Branch"]), configuration["OAuthToken"] in found.revoked


def _look_at_object(client: Any, action: Action) -> str:
    return s3_source.newest(client, action.configuration, action.name).version


def _look_at_branch(client: Any, action: Action) -> str:
    return codecommit_source.newest(client, action.configuration).id


SERVICES = {"S3": "s3", "CodeCommit": "codecommit"}
GLIMPSES: dict[str, Callable[[str, str, Any], Hashable]] = {"S3": _glimpse_of_object, "CodeCommit": _glimpse_of_branch}
LOOKS: dict[str, Callable[[Any, Action], str]] = {"S3": _look_at_object, "CodeCommit": _look_at_branch}
"""How each provider's newest revision is found in the account; GitHub's lies outside of it."""
