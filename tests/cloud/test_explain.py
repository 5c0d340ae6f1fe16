"""Every fault that can be put into the course's pipelines is found by `explain`, and heals when it is repaired."""

from __future__ import annotations

import io
import json
import re
import shlex
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from pipesim.cloud import explain, explain_error
from pipesim.cloud.account import Cloud
from pipesim.cloud.breaking import FAULTS, Broken
from pipesim.cloud.explanation import Cause, Certainty, Explanation
from pipesim.cloud.workers import JobWorker
from pipesim.errors import PipesimError
from pipesim.formats.samples import sample
from tests.cloud.shop import Shop, deploy, source, stage


def approve_all(cloud: Cloud, name: str) -> bool:
    """Answer what is open; whether anything was."""
    client, answered = cloud.client("codepipeline"), False
    for home in client.get_pipeline_state(name=name)["stageStates"]:
        for action in home["actionStates"]:
            if token := action.get("latestExecution", {}).get("token"):
                client.put_approval_result(
                    pipelineName=name,
                    stageName=home["stageName"],
                    actionName=action["actionName"],
                    result={"summary": "ok", "status": "Approved"},
                    token=token,
                )
                answered = True
    return answered


def play(cloud: Cloud, name: str, execution: str, *, until: Cause | None = None) -> Explanation:
    """Let time pass, and approve on the way, until the execution is over or has met this cause."""
    for _ in range(60):
        found = cloud.explain(name, execution)
        if found.cause is until or found.status not in ("InProgress",):
            return found
        if until is not Cause.APPROVAL_WAITING:
            approve_all(cloud, name)
        cloud.advance(minutes=15)
    return cloud.explain(name, execution)


def started(cloud: Cloud, name: str) -> str:
    """Provision a course pipeline with workers for its custom actions; its first execution goes all the way."""
    record = cloud.provision(str(sample(name)))
    for _, action in record.pipeline.actions():
        if action.type.owner == "Custom":
            JobWorker(cloud, action.category, action.provider).start()
    [first] = record.simulation.state.executions
    done = play(cloud, record.name, first)
    assert done.cause is Cause.SUCCEEDED, str(done)
    return record.name


def heal(cloud: Cloud, broken: Broken) -> Explanation:
    """Repair, retry what failed or fails only now because its time is over, and go to the end."""
    broken.repair()
    newest = list(cloud.account.pipelines[broken.pipeline].simulation.state.executions)[-1]
    execution = newest if broken.cause is Cause.SUPERSEDED else broken.execution
    found = play(cloud, broken.pipeline, execution)
    if found.status == "Failed":
        cloud.client("codepipeline").retry_stage_execution(
            pipelineName=broken.pipeline,
            stageName=found.stage,
            pipelineExecutionId=execution,
            retryMode="FAILED_ACTIONS",
        )
        found = play(cloud, broken.pipeline, execution)
    return found


SERVICES = {"deploy": "codedeploy", "s3api": "s3"}
"""What the command line calls a service, where boto3 calls it otherwise."""


def works(cloud: Cloud, command: str) -> int:
    """Paste a command of the AWS CLI: it is one, and the account carries it out (0) or says what is not there (254)."""
    driver = pytest.importorskip("awscli.clidriver")
    assert command.startswith("aws ")
    words = shlex.split(command)[1:]
    if "--region" not in words:
        words += ["--region", cloud.account.region]
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        status = driver.create_clidriver().main(words)
    assert status in (0, 254), f"{command}\n{said.getvalue()}"
    return int(status)


def test_every_operation_that_an_explanation_names_is_there() -> None:
    rooms = [Path(explain.__file__), Path(explain_error.__file__)]
    text = "\n".join(room.read_text(encoding="utf-8") for room in rooms)
    named = set(re.findall(r"aws ([a-z0-9-]+) ([a-z0-9-]+)", text)) - {("codepipeline", "operation")}
    named |= {("codepipeline", name) for name in re.findall(r'command\(\s*"([a-z-]+)"', text)}
    named |= {("codebuild", name) for name in re.findall(r'"(batch-get-[a-z-]+)"', text)}
    assert len(named) > 20
    unchecked = Config(parameter_validation=False, retries={"max_attempts": 0})
    with Cloud(seed=1):
        for service, operation in sorted(named - {("s3", "ls")}):
            client = boto3.client(SERVICES.get(service, service), config=unchecked)
            call = getattr(client, operation.replace("-", "_"), None)
            assert call is not None, f"there is no {service} {operation}"
            try:
                call()
            except NotImplementedError:
                pytest.fail(f"the account does not know {service} {operation}")
            except Exception as lacking:
                assert not isinstance(lacking, AssertionError)


@pytest.mark.parametrize("fault", ["permission", "KMS key", "transition disabled"])
def test_the_command_itself_puts_right_what_was_wrong(fault: str) -> None:
    with Cloud(seed=1) as cloud:
        pipeline = started(cloud, "startup")
        broken = cloud.break_(fault, pipeline, seed=1)
        found = play(cloud, pipeline, broken.execution, until=broken.cause)

        works(cloud, found.command)
        if found.status == "Failed":
            works(cloud, found.next_step.partition("Then retry the stage: ")[2])

        assert play(cloud, pipeline, broken.execution).cause is Cause.SUCCEEDED


@pytest.mark.parametrize(
    ("gate", "result", "operation"),
    [
        ("beforeEntry", "FAIL", "retry-stage-execution"),
        ("onSuccess", "FAIL", "override-stage-condition"),
        ("onSuccess", "ROLLBACK", "start-pipeline-execution"),
    ],
)
def test_a_condition_that_was_not_met_is_explained_even_after_a_rollback(
    gate: str, result: str, operation: str
) -> None:
    alarm = {
        "name": "quiet",
        "ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": "CloudWatchAlarm", "version": "1"},
        "configuration": {"AlarmName": "errors"},
    }
    condition = {"conditions": [{"result": result, "rules": [alarm]}]}
    with Cloud(seed=1) as cloud:
        shop = Shop(cloud)
        name = cloud.provision(
            shop.document(stage("Source", source()), stage("Out", deploy(), **{gate: condition}), pipelineType="V2")
        ).name
        cloud.run_until_idle()
        ringing = {"AlarmName": "errors", "StateReason": "a test"}
        cloud.client("cloudwatch").set_alarm_state(**ringing, StateValue="ALARM")
        execution = shop.start()
        cloud.run_until_idle()

        found = cloud.explain(name, execution)

        assert (found.cause, found.certainty, found.stage) == (Cause.CONDITION, Certainty.CERTAIN, "Out")
        assert "rule quiet: Rule 'quiet': alarm errors is in state ALARM." in found.evidence
        assert operation in found.command
        cloud.client("cloudwatch").set_alarm_state(**ringing, StateValue="OK")
        assert works(cloud, found.command) == 0
        cloud.run_until_idle()
        newest = shop.newest() if "start" in operation else execution
        assert cloud.explain(name, newest).cause is Cause.SUCCEEDED


def test_a_variable_without_a_value_is_named_with_the_command_that_gives_one() -> None:
    with Cloud(seed=1) as cloud:
        shop = Shop(cloud)
        document = shop.document(
            stage("Source", source()), stage("Out", deploy()), pipelineType="V2", variables=[{"name": "colour"}]
        )
        name = cloud.provision(document).name
        cloud.run_until_idle()

        found = cloud.explain(name)

        assert (found.cause, found.status) == (Cause.CONFIGURATION, "Failed")
        assert found.evidence == ("variable colour has no default value and was given none",)
        assert works(cloud, found.command) == 0
        cloud.run_until_idle()
        assert cloud.explain(name).cause is Cause.SUCCEEDED


def test_an_execution_that_an_update_ended_is_not_to_be_retried(cloud: Cloud, shop: Shop) -> None:
    shop.create()
    shop.idle()
    execution = shop.newest()
    shop.client.update_pipeline(pipeline=shop.document())
    shop.idle()

    found = cloud.explain("shop", execution)

    assert found.status == "Cancelled"
    assert "cannot be retried" in found.next_step
    assert works(cloud, found.command) == 0


def test_a_source_that_cannot_be_polled_explains_why_nothing_starts() -> None:
    with Cloud(seed=1) as cloud:
        shop = Shop(cloud)
        polled = source()
        del polled["configuration"]["PollForSourceChanges"]
        ready = cloud.provision(shop.document(stage("Source", polled), stage("Out", deploy())), create=False)
        gone = cloud.client("s3").delete_object(Bucket="code", Key="code.zip")
        shop.client.create_pipeline(pipeline=ready.to_document())
        cloud.advance(minutes=5)

        found = cloud.explain("shop")

        assert (found.status, found.place, found.cause) == ("NotStarted", "Source/Fetch", Cause.CONFIGURATION)
        assert "'code.zip' does not exist" in found.message
        works(cloud, found.command)
        cloud.client("s3").delete_object(Bucket="code", Key="code.zip", VersionId=gone["VersionId"])
        cloud.advance(minutes=5)
        assert cloud.explain("shop").cause is Cause.SUCCEEDED


def test_a_role_can_be_asked_what_it_may() -> None:
    with Cloud(seed=1) as cloud:
        pipeline = cloud.provision(str(sample("startup"))).pipeline
        iam = cloud.client("iam")
        name = pipeline.role_arn.rsplit("/", 1)[-1]
        denied = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::shut/*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
        iam.put_role_policy(RoleName=name, PolicyName="shut", PolicyDocument=policy)

        answer = iam.simulate_principal_policy(
            PolicySourceArn=pipeline.role_arn,
            ActionNames=["codebuild:StartBuild", "s3:PutObject", "dynamodb:PutItem"],
            ResourceArns=["arn:aws:s3:::shut/a"],
        )

        assert [one["EvalDecision"] for one in answer["EvaluationResults"]] == [
            "allowed", "explicitDeny", "implicitDeny",
        ]  # fmt: skip
        with pytest.raises(iam.exceptions.NoSuchEntityException):
            iam.simulate_principal_policy(PolicySourceArn=f"{pipeline.role_arn}-x", ActionNames=["s3:GetObject"])


@pytest.mark.parametrize(
    ("name", "seed"), [("startup", 1), ("startup", 2), ("microservices", 3), ("environments", 4), ("enterprise", 5),
                       ("e-commerce", 6), ("microservices", 7), ("enterprise", 8), ("e-commerce", 9)],
)  # fmt: skip
def test_every_fault_is_found_and_heals_one_after_the_other(name: str, seed: int) -> None:
    with Cloud(seed=1) as cloud:
        pipeline = started(cloud, name)

        for fault in cloud.faults:
            broken = cloud.break_(fault, pipeline, seed=seed)
            found = play(cloud, pipeline, broken.execution, until=broken.cause)

            assert found.cause is broken.cause, f"{broken.reveal()}\n{found}"
            assert found.next_step
            assert found.evidence
            assert found.place
            works(cloud, found.command)
            healed = heal(cloud, broken)
            assert healed.cause is Cause.SUCCEEDED, f"{broken.reveal()}\n{found}\n{healed}"


def test_faults_cover_what_the_course_names() -> None:
    assert {str(cause) for cause, _ in FAULTS.values()} >= {
        "permission", "artifact name", "bucket policy", "configuration", "approval waiting", "transition disabled",
        "superseded", "quota exhausted", "worker absent", "handler never answered",
    }  # fmt: skip


def test_an_explanation_can_be_read_and_what_users_wrote_is_no_markup() -> None:
    with Cloud(seed=1) as cloud:
        record = cloud.provision(str(sample("startup")))
        cloud.client("codepipeline").disable_stage_transition(
            pipelineName=record.name, stageName="Build", transitionType="Inbound", reason="Closed for now"
        )
        cloud.run_until_idle()

        found = cloud.explain(record)

        assert (found.cause, found.certainty, found.place) == (
            Cause.TRANSITION_DISABLED, Certainty.CERTAIN, record.pipeline.stages[1].name,
        )  # fmt: skip
        assert "enable-stage-transition --pipeline-name startup" in found.command
        assert "transition disabled (certain)" in str(found)
        found = replace(found, message="<b>closed</b> `now`")
        for shown in (found._repr_html_(), found.to_markdown()):
            assert "<b>" not in shown
            assert "&lt;b&gt;closed" in shown


def test_what_is_not_there_is_named() -> None:
    with Cloud(seed=1) as cloud:
        record = cloud.provision(str(sample("startup")))
        with pytest.raises(PipesimError, match="no pipeline 'shop'; it has startup"):
            cloud.explain("shop")
        with pytest.raises(PipesimError, match="no execution 'E9'"):
            cloud.explain(record, "E9")
        with pytest.raises(PipesimError, match=r"unknown fault 'gremlins'.*permission"):
            cloud.break_("gremlins", record)


def test_a_fault_is_kept_secret_until_asked_and_depends_on_the_seed_alone() -> None:
    secrets = []
    for seed in (1, 1, 2, 3, 4):
        with Cloud(seed=1) as cloud:
            record = cloud.provision(str(sample("e-commerce")))
            broken = cloud.break_("permission", record, seed=seed)
            assert broken.reveal() not in repr(broken)
            secrets.append(broken.reveal())
    assert secrets[0] == secrets[1]
    assert len(set(secrets)) > 1
