"""Jobs: from the poll to the result, and everything that can go wrong in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import ActionAssumption
from pipesim.cloud.codepipeline.job import client_token
from pipesim.cloud.codepipeline.jobs import REOFFER
from pipesim.engine.commands import Retry, Stop
from pipesim.errors import Refused
from tests.cloud.standin import (
    StandIn,
    action,
    document,
    sourcing,
    standing_in,
    start,
)

TYPE = {"category": "Build", "owner": "Custom", "provider": "Hudson", "version": "1"}
PARTNER = {"category": "Test", "owner": "ThirdParty", "provider": "GhostInspector", "version": "1"}


@pytest.fixture
def account() -> Iterator[StandIn]:
    with standing_in() as account:
        create_type(account)
        yield account


def create_type(account: StandIn) -> None:
    account.custom_types.create_custom_action_type(
        {
            **{part: TYPE[part] for part in ("category", "provider", "version")},
            "settings": {"executionUrlTemplate": "https://ci.example/{Config:ProjectName}/{ExternalExecutionId}"},
            "configurationProperties": [
                {"name": "ProjectName", "required": True, "key": True, "secret": False, "queryable": True}
            ],
            "inputArtifactDetails": {"minimumCount": 0, "maximumCount": 1},
            "outputArtifactDetails": {"minimumCount": 0, "maximumCount": 1},
        }
    )


def build(name: str = "Do", project: str = "shop", **members: Any) -> dict[str, Any]:
    return action(
        "Build",
        "Hudson",
        "Custom",
        name,
        configuration={"ProjectName": project},
        inputArtifacts=[{"name": "Code"}],
        **{"outputArtifacts": [{"name": f"Built{name}"}], **members},
    )


@pytest.fixture
def sim(account: StandIn) -> Any:
    sim = account.create(document(build()), {"Source/S3": sourcing({"a": "1"})})
    start(sim)
    account.advance(10)
    return sim


def poll(account: StandIn, **members: Any) -> list[dict[str, Any]]:
    return account.jobs.poll_for_jobs({"actionTypeId": TYPE, **members})["jobs"]


def take(account: StandIn) -> dict[str, Any]:
    (job,) = poll(account)
    assert account.jobs.acknowledge_job({"jobId": job["id"], "nonce": job["nonce"]}) == {"status": "InProgress"}
    return job


def refused(code: str, message: str = "") -> Any:
    return pytest.raises(Refused, match=f"^{code}: .*{message}")


def latest(sim: Any) -> Any:
    return sim.state.stage("Work").actions[0].latest


def test_a_job_tells_the_worker_what_to_do(account: StandIn, sim: Any) -> None:
    (job,) = poll(account)

    data = job["data"]
    execution = next(iter(sim.executions.values()))
    assert job["accountId"] == account.id
    assert data["actionTypeId"] == TYPE
    assert data["actionConfiguration"] == {"configuration": {"ProjectName": "shop"}}
    assert data["pipelineContext"] == {
        "pipelineName": "shop",
        "stage": {"name": "Work"},
        "action": {"name": "Do", "actionExecutionId": latest(sim).id},
        "pipelineArn": "arn:aws:codepipeline:us-east-1:123456789012:shop",
        "pipelineExecutionId": execution.id,
    }
    (given,) = data["inputArtifacts"]
    assert given["revision"] == "v1"
    assert given["location"]["s3Location"]["objectKey"] == execution.artifacts["Code"]
    (wanted,) = data["outputArtifacts"]
    assert wanted["name"] == "BuiltDo"
    assert "revision" not in wanted
    assert "continuationToken" not in data
    assert "encryptionKey" not in data


def test_credentials_reach_the_artifacts_of_the_job_alone(account: StandIn, sim: Any) -> None:
    import boto3
    from botocore.exceptions import ClientError

    data = take(account)["data"]
    credentials = data["artifactCredentials"]
    s3 = boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id=credentials["accessKeyId"],
        aws_secret_access_key=credentials["secretAccessKey"],
        aws_session_token=credentials["sessionToken"],
    )
    given = data["inputArtifacts"][0]["location"]["s3Location"]
    wanted = data["outputArtifacts"][0]["location"]["s3Location"]

    assert s3.get_object(Bucket=given["bucketName"], Key=given["objectKey"])["Body"].read()[:2] == b"PK"
    s3.put_object(Bucket=wanted["bucketName"], Key=wanted["objectKey"], Body=b"x")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=given["bucketName"], Key="somebody/elses")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=given["bucketName"], Key=given["objectKey"], Body=b"x")


def test_success_ends_the_action_with_what_the_worker_said(account: StandIn, sim: Any) -> None:
    job = take(account)

    account.jobs.put_job_success_result(
        {
            "jobId": job["id"],
            "executionDetails": {"summary": "all green", "externalExecutionId": "42", "percentComplete": 100},
            "outputVariables": {"Tests": "12"},
        }
    )
    account.advance(1)

    done = latest(sim)
    assert (done.status, done.summary, done.external_id) == ("Succeeded", "all green", "42")
    assert done.external_url == "https://ci.example/shop/42"
    assert done.variables == {"Tests": "12"}
    key = job["data"]["outputArtifacts"][0]["location"]["s3Location"]["objectKey"]
    assert done.outputs == {"BuiltDo": key}
    assert [e.status for e in sim.state.executions.values()] == ["Succeeded"]


def test_failure_ends_the_action_and_a_retry_opens_another_job(account: StandIn, sim: Any) -> None:
    job = take(account)

    failure = {"type": "ConfigurationError", "message": "no such project", "externalExecutionId": "43"}
    account.jobs.put_job_failure_result({"jobId": job["id"], "failureDetails": failure})
    account.advance(1)

    done = latest(sim)
    assert (done.status, done.code, done.message) == ("Failed", "ConfigurationError", "no such project")
    (execution,) = sim.executions
    sim.send(Retry("Work", execution))
    account.advance(1)
    again = take(account)
    assert again["id"] != job["id"]
    assert again["data"]["pipelineContext"]["action"]["actionExecutionId"] != done.id


def test_nonces(account: StandIn, sim: Any) -> None:
    (job,) = poll(account)

    with refused("InvalidNonceException"):
        account.jobs.acknowledge_job({"jobId": job["id"], "nonce": "0"})
    assert poll(account) == []
    account.advance(REOFFER)
    (again,) = poll(account)
    assert (again["id"], again["nonce"] == job["nonce"]) == (job["id"], False)
    with refused("InvalidNonceException"):
        account.jobs.acknowledge_job({"jobId": job["id"], "nonce": job["nonce"]})
    taken = {"jobId": job["id"], "nonce": again["nonce"]}
    assert account.jobs.acknowledge_job(taken) == {"status": "InProgress"}
    account.advance(REOFFER)
    assert poll(account) == []
    account.jobs.put_job_success_result({"jobId": job["id"]})
    assert account.jobs.acknowledge_job(taken) == {"status": "Succeeded"}


def test_a_result_needs_an_acknowledgement(account: StandIn, sim: Any) -> None:
    (job,) = poll(account)

    with refused("InvalidJobStateException", "acknowledged"):
        account.jobs.put_job_success_result({"jobId": job["id"]})
    assert latest(sim).status == "InProgress"


def test_repeated_results(account: StandIn, sim: Any) -> None:
    job = take(account)
    report = {"jobId": job["id"], "outputVariables": {"A": "1"}}
    account.jobs.put_job_success_result(report)

    assert account.jobs.put_job_success_result(report) == {}
    with refused(
        "InvalidJobStateException",
        f"The status of job with id {job['id']} is already set to the desired value. It cannot be updated with the"
        " same status, but different result or output variables.",
    ):
        account.jobs.put_job_success_result({**report, "outputVariables": {"A": "2"}})
    with refused("InvalidJobStateException", f"Job with id {job['id']} has already terminated"):
        account.jobs.put_job_failure_result(
            {"jobId": job["id"], "failureDetails": {"type": "JobFailed", "message": "no"}}
        )
    unknown = "00000000-0000-0000-0000-000000000000"
    with refused("JobNotFoundException", f"Job with id '{unknown}' does not exist"):
        account.jobs.put_job_success_result({"jobId": unknown})
    account.advance(1)
    assert latest(sim).variables == {"A": "1"}


def test_a_continuation_token_comes_back_in_a_new_job_of_the_same_action(account: StandIn, sim: Any) -> None:
    job = take(account)
    details = {"percentComplete": 40, "summary": "half way", "externalExecutionId": "7"}
    report = {"jobId": job["id"], "continuationToken": "page 2", "executionDetails": details}

    account.jobs.put_job_success_result(report)
    account.advance(29)
    assert (latest(sim).percent, latest(sim).summary) == (40, "half way")
    assert poll(account) == []
    account.advance(2)

    again = take(account)
    assert again["id"] != job["id"]
    assert again["data"]["continuationToken"] == "page 2"
    for member in ("pipelineContext", "inputArtifacts", "outputArtifacts"):
        assert again["data"][member] == job["data"][member]
    with refused("InvalidJobStateException", "different result"):
        account.jobs.put_job_success_result({"jobId": job["id"]})
    account.jobs.put_job_success_result({"jobId": again["id"]})
    account.advance(1)
    assert latest(sim).status == "Succeeded"
    assert latest(sim).attempt == 1


def test_a_token_together_with_variables_is_refused_and_spends_nothing(account: StandIn, sim: Any) -> None:
    job = take(account)

    with refused("ValidationException", "A job can not contain both a continuation token and output variables."):
        account.jobs.put_job_success_result(
            {"jobId": job["id"], "continuationToken": "t", "outputVariables": {"A": "1"}}
        )
    assert account.jobs.put_job_success_result({"jobId": job["id"]}) == {}


def test_output_variables_have_a_limit_together(account: StandIn, sim: Any) -> None:
    job = take(account)
    variables = {f"v{i:03}": "x" * 1020 for i in range(120)}

    with refused("OutputVariablesSizeExceededException", "122881 bytes"):
        account.jobs.put_job_success_result({"jobId": job["id"], "outputVariables": {**variables, "y": ""}})
    account.jobs.put_job_success_result({"jobId": job["id"], "outputVariables": variables})
    account.advance(1)
    assert latest(sim).status == "Succeeded"


def test_an_abandoned_action_takes_its_job_away_and_its_result_changes_nothing(account: StandIn, sim: Any) -> None:
    job = take(account)
    (execution,) = sim.executions
    sim.send(Stop(execution, abandon=True))
    account.advance(1)

    assert account.jobs.put_job_success_result({"jobId": job["id"]}) == {}
    assert account.jobs.put_job_success_result({"jobId": job["id"]}) == {}
    account.advance(100)
    assert latest(sim).status == "Abandoned"
    assert sim.state.executions[execution].status == "Stopped"


def test_an_abandoned_continuation_goes_on_with_nothing(account: StandIn, sim: Any) -> None:
    job = take(account)
    (execution,) = sim.executions
    account.jobs.put_job_success_result({"jobId": job["id"], "continuationToken": "t"})
    account.advance(5)
    sim.send(Stop(execution, abandon=True))
    before = len(account.jobs)

    account.advance(100)

    assert (poll(account), len(account.jobs)) == ([], before)


def test_an_abandoned_job_is_not_handed_out(account: StandIn, sim: Any) -> None:
    sim.send(Stop(next(iter(sim.executions)), abandon=True))

    assert poll(account) == []


def test_nobody_answers_for_a_day(account: StandIn, sim: Any) -> None:
    job = take(account)
    account.advance(24 * 3600 - 20)
    assert latest(sim).status == "InProgress"
    account.advance(20)

    assert (latest(sim).status, latest(sim).code) == ("Failed", "JobFailed")
    with refused("InvalidJobStateException", "has already terminated"):
        account.jobs.put_job_success_result({"jobId": job["id"]})


def test_a_role_that_cannot_be_assumed_fails_the_action_when_a_worker_asks(account: StandIn, sim: Any) -> None:
    iam = account.client("iam")
    iam.delete_role_policy(RoleName="pipeline", PolicyName="all")
    iam.delete_role(RoleName="pipeline")

    assert poll(account) == []
    account.advance(1)

    assert (latest(sim).status, latest(sim).code) == ("Failed", "PermissionError")
    assert "AssumeRole" in latest(sim).message


def test_polling(account: StandIn) -> None:
    shape = document(build("A", "one", runOrder=1), build("B", "two", runOrder=1), build("C", "two", runOrder=1))
    start(account.create(shape, {"Source/S3": sourcing({"a": "1"})}))
    account.advance(10)

    two = poll(account, maxBatchSize=10, queryParam={"ProjectName": "two"})
    assert [job["data"]["pipelineContext"]["action"]["name"] for job in two] == ["B", "C"]
    one = poll(account, maxBatchSize=10)
    assert [job["data"]["pipelineContext"]["action"]["name"] for job in one] == ["A"]
    with refused("ValidationException", "queryable"):
        poll(account, queryParam={"Color": "red"})
    with refused("ActionTypeNotFoundException"):
        account.jobs.poll_for_jobs({"actionTypeId": {**TYPE, "version": "9"}})
    with refused("ActionTypeNotFoundException"):
        account.jobs.poll_for_jobs({"actionTypeId": {**TYPE, "owner": "AWS"}})
    account.custom_types.delete_custom_action_type(TYPE)
    with refused("ActionTypeNotFoundException"):
        poll(account)


@pytest.fixture
def partner(account: StandIn) -> Any:
    test = action("Test", "GhostInspector", "ThirdParty", inputArtifacts=[{"name": "Code"}])
    sim = account.create(
        document(test),
        {"Source/S3": sourcing({"a": "1"})},
        actions={"Test/GhostInspector": ActionAssumption(duration=Constant(120))},
    )
    start(sim)
    account.advance(10)
    return sim


def test_third_party_jobs(account: StandIn, partner: Any) -> None:
    jobs = account.jobs
    (offer,) = jobs.poll_for_third_party_jobs({"actionTypeId": PARTNER})["jobs"]
    assert set(offer) == {"clientId", "jobId"}
    known = {"jobId": offer["jobId"], "clientToken": client_token(offer["clientId"])}

    with refused("InvalidClientTokenException"):
        jobs.get_third_party_job_details({**known, "clientToken": "guess"})
    details = jobs.get_third_party_job_details(known)["jobDetails"]
    assert set(details["data"]["pipelineContext"]) == {"pipelineName", "stage", "action"}
    with refused("InvalidNonceException"):
        jobs.acknowledge_third_party_job({**known, "nonce": "1"})
    assert jobs.acknowledge_third_party_job({**known, "nonce": details["nonce"]}) == {"status": "InProgress"}
    with refused("JobNotFoundException"):
        jobs.get_job_details({"jobId": offer["jobId"]})
    with refused("InvalidClientTokenException"):
        jobs.put_third_party_job_success_result({**known, "clientToken": "guess"})
    account.advance(500)
    assert latest(partner).status == "InProgress"
    failure = {"type": "JobFailed", "message": "3 of 5 tests failed"}
    jobs.put_third_party_job_failure_result({**known, "failureDetails": failure})
    account.advance(1)
    assert latest(partner).message == "3 of 5 tests failed"


def test_a_partner_that_reports_early_is_heard_at_once(account: StandIn, partner: Any) -> None:
    jobs = account.jobs
    (offer,) = jobs.poll_for_third_party_jobs({"actionTypeId": PARTNER})["jobs"]
    known = {"jobId": offer["jobId"], "clientToken": client_token(offer["clientId"])}
    nonce = jobs.get_third_party_job_details(known)["jobDetails"]["nonce"]
    jobs.acknowledge_third_party_job({**known, "nonce": nonce})
    jobs.put_third_party_job_success_result(known)
    account.advance(1)

    assert latest(partner).status == "Succeeded"


def test_a_partner_that_nobody_plays_answers_as_assumed(account: StandIn, partner: Any) -> None:
    account.advance(100)
    assert latest(partner).status == "InProgress"
    account.advance(30)

    assert latest(partner).status == "Succeeded"
    assert account.jobs.poll_for_third_party_jobs({"actionTypeId": PARTNER})["jobs"] == []
