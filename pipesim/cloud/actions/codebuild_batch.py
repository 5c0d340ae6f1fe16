"""A batch of builds: the buildspec's ``batch`` section says which, and what waits for what.

Each build takes a place of its own among the account's builds. With CombineArtifacts the files of all builds lie in
one artifact side by side; without it each build's files lie under its identifier, which the guides do not say and is
assumed. When the action is assumed to fail, the last build does.
Source: AWS CodeBuild User Guide, "Run builds in batches" and "Batch build buildspec reference"; AWS CodePipeline User
Guide, "AWS CodeBuild build and test action reference".
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import simpy
from moto.codebuild.models import codebuild_backends

from pipesim.cloud.actions.codebuild import close, foresee, primary_of, start_parameters, variables_given, workshop
from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import Archive, is_reference, pack, read_all, write
from pipesim.cloud.batchspec import BatchBuild, parse_batch
from pipesim.cloud.builds import CODEBUILD, SESSION, Workshop
from pipesim.cloud.clones import followed
from pipesim.cloud.gaps.codebuild import batches
from pipesim.cloud.gaps.codebuild.models import PIPELINE, RunningBuild
from pipesim.cloud.permissions import assume, client, role_client, session_of
from pipesim.engine.behaviours.work import draw
from pipesim.engine.outcome import Outcome
from pipesim.errors import SourceError

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun


def act_batch(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Start the batch, let every build run when its turn comes, and put together what they made."""
    archives = read_all(account, run)
    given = variables_given(run.configuration)
    region = run.plan.action.region or account.region
    id = role_client(account, run, "codebuild").start_build_batch(**start_parameters(account, run, given))[
        "buildBatch"
    ]["id"]
    backend = codebuild_backends[session_of(account, run).account][region]
    batch = batches.batches_of(backend)[id]
    batch["initiator"] = f"{PIPELINE}{run.sim.plan.pipeline.name}"
    batches.enter(batch, "DOWNLOAD_BATCHSPEC")
    try:
        source = _source_of(account, archives[primary_of(run)], backend, run)
        said = run.configuration.get("BuildspecOverride", "")
        text = said if "\n" in said else (source.read(said or "buildspec.yml") or b"").decode("utf-8", errors="replace")
        planned = parse_batch(text)
    except (SourceError, ActionFailed) as broken:
        batches.end(batch, "FAILED")
        code = "YAML_FILE_ERROR" if isinstance(broken, SourceError) else "CLIENT_ERROR"
        raise ActionFailed(
            f"Build terminated with state: FAILED. Phase: DOWNLOAD_BATCHSPEC, Code: {code}, Message: {broken}",
            external_id=id,
        ) from None
    batches.enter(batch, "IN_PROGRESS")
    crew = Crew(account, run, batch, given, region)
    yield run.sim.env.all_of([crew.plan(one, last=one is planned[-1]) for one in planned])
    return _ended(account, run, batch, crew, planned)


def _source_of(account: Account, archive: Archive, backend: Any, run: ActionRun) -> Archive:
    """The primary source, cloned under the project's role where it is a reference."""
    if not is_reference(archive):
        return archive
    name = run.configuration["ProjectName"].split(":project/")[-1]
    role = backend.codebuild_projects[name].project_metadata["serviceRole"]
    return followed(account, archive, assume(account, role, CODEBUILD, SESSION))


class Crew:
    """The builds of one batch at work.

    Args:
        account: the mocked account.
        run: the action.
        batch: what is told of the batch.
        given: the environment variables of the action.
        region: where it works.

    Attributes:
        shops: the builds that succeeded, by identifier.
        failures: how the others ended.
    """

    def __init__(
        self, account: Account, run: ActionRun, batch: dict[str, Any], given: list[dict[str, str]], region: str
    ) -> None:
        self.shops: dict[str, Workshop] = {}
        self.failures: dict[str, Outcome] = {}
        self._account, self._run, self._batch, self._given, self._region = account, run, batch, given, region
        self._processes: dict[str, simpy.Event] = {}

    def plan(self, build: BatchBuild, *, last: bool) -> simpy.Event:
        """Let a build run when those that it waits for are over; return the event of its end."""
        process = self._run.sim.env.process(self._build(build, last))
        self._processes[build.identifier] = process
        return process

    def _build(self, build: BatchBuild, last: bool) -> Generator[simpy.Event, Any, None]:
        run = self._run
        yield run.sim.env.all_of([self._processes[name] for name in build.waits_for if name in self._processes])
        group: dict[str, Any] = {
            "identifier": build.identifier, "dependsOn": list(build.waits_for), "ignoreFailure": build.ignore_failure,
        }  # fmt: skip
        self._batch["buildGroups"].append(group)
        if any(name in self.failures for name in build.waits_for):
            self.failures[build.identifier] = Outcome.failed("a build that it waits for failed")
            group["currentBuildSummary"] = {"buildStatus": "STOPPED"}
            return
        try:
            shop = self._start(build)
        except Exception as error:
            self.failures[build.identifier] = Outcome.failed(str(error))
            return
        stopped = run.sim.env.event()
        told = RunningBuild(shop.record, lambda: self._account.now, draw(run)[0], stopped.succeed)
        place = run.sim.pools.get(run.plan.pool)
        with place.request() if place is not None else nullcontext() as request:
            if request is not None:
                yield request | stopped
            status, failed = "STOPPED", None
            if not stopped.triggered:
                told.begin()
                duration, status, failed = foresee(shop, fails=draw(run)[1] and last)
                yield run.sim.env.timeout(duration) | stopped
                if stopped.triggered:
                    status, failed = "STOPPED", None
            status, failure = close(shop, told, status, failed)
        group["currentBuildSummary"] = {"arn": shop.record["arn"], "buildStatus": status}
        if failure is None or build.ignore_failure:
            self.shops[build.identifier] = shop
        else:
            self.failures[build.identifier] = failure

    def _start(self, build: BatchBuild) -> Workshop:
        """Start one build under the role of batches."""
        role = self._batch[batches.CONFIGURATION].get("serviceRole") or self._batch["serviceRole"]
        session = assume(self._account, role, CODEBUILD, SESSION)
        variables = [{"name": name, "value": value, "type": "PLAINTEXT"} for name, value in build.variables.items()]
        identifier = {"name": "CODEBUILD_BATCH_BUILD_IDENTIFIER", "value": build.identifier, "type": "PLAINTEXT"}
        given = [*self._given, *variables, identifier]
        parameters = start_parameters(self._account, self._run, given)
        started = client(self._account, session, "codebuild", self._region).start_build(**parameters)["build"]
        shop = workshop(self._account, self._run, started["id"], given)
        shop.record["buildBatchArn"] = self._batch["arn"]
        shop.is_part, shop.buildspec = True, build.buildspec
        return shop


def _ended(
    account: Account, run: ActionRun, batch: dict[str, Any], crew: Crew, planned: tuple[BatchBuild, ...]
) -> Outcome:
    status = "FAILED" if crew.failures else "SUCCEEDED"
    combine = run.configuration.get("CombineArtifacts", "").lower() == "true"
    outputs: dict[str, str] = {}
    shops = [(one.identifier, crew.shops[one.identifier]) for one in planned if one.identifier in crew.shops]
    if not crew.failures:
        if combine:
            batches.enter(batch, "COMBINE_ARTIFACTS")
        bodies = {}
        for artifact in run.plan.action.output_artifacts:
            files: dict[str, bytes] = {}
            for identifier, shop in shops:
                made = shop.made.get(artifact.name, {})
                files |= made if combine else {f"{identifier}/{name}": body for name, body in made.items()}
            bodies[artifact.name] = pack(files, account.now)
        if bodies:
            outputs = write(account, run, bodies, shops[0][1].client("s3"))
    batches.end(batch, status)
    role_client(account, run, "codebuild").batch_get_build_batches(ids=[batch["id"]])
    region = run.plan.action.region or account.region
    url = (
        f"https://console.aws.amazon.com/codesuite/codebuild/{account.id}/projects/{batch['projectName']}"
        f"/batch/{batch['id']}?region={region}"
    )
    if crew.failures:
        why = "; ".join(f"{name}: {failure.message}" for name, failure in crew.failures.items())
        first = next(iter(crew.failures.values()))
        return Outcome(
            failure=first.failure,
            message=f"Build batch terminated with state: FAILED. {why}",
            external_id=batch["id"],
            external_url=url,
        )
    variables = {name: value for _, shop in shops for name, value in shop.exported().items()}
    return Outcome(external_id=batch["id"], external_url=url, variables=variables, outputs=outputs)
