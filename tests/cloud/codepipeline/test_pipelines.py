from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.cloud.shop import Shop, action, approval, deploy, refusal, source, stage, trust

ACCOUNT = "123456789012"


def test_create_echoes_the_defaults(shop: Shop) -> None:
    pipeline = shop.create()

    assert pipeline["version"] == 1
    assert pipeline["executionMode"] == "SUPERSEDED"
    assert pipeline["pipelineType"] == "V1"
    gate = pipeline["stages"][1]["actions"][0]
    assert gate == {
        "name": "Ok",
        "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
        "runOrder": 1,
        "configuration": {},
        "inputArtifacts": [],
        "outputArtifacts": [],
    }
    assert "region" not in gate


def test_create_answers_with_sorted_tags_and_leaves_the_input_alone(shop: Shop) -> None:
    document = shop.document()
    tags = [{"key": "b", "value": "2"}, {"key": "a", "value": "1"}]
    answer = shop.client.create_pipeline(pipeline=document, tags=tags)

    assert [tag["key"] for tag in answer["tags"]] == ["a", "b"]
    assert "version" not in document


def test_get_gives_what_was_created_with_metadata(shop: Shop) -> None:
    created = shop.create()
    answer = shop.client.get_pipeline(name="shop")

    assert answer["pipeline"] == created
    assert answer["metadata"]["pipelineArn"] == f"arn:aws:codepipeline:us-east-1:{ACCOUNT}:shop"
    assert answer["metadata"]["created"] == answer["metadata"]["updated"] == shop.cloud.now


def test_a_name_in_use(shop: Shop) -> None:
    shop.create()
    with pytest.raises(ClientError) as error:
        shop.create()

    message = f"A pipeline with the name 'shop' already exists in account '{ACCOUNT}'"
    assert refusal(error.value) == ("PipelineNameInUseException", message)


@pytest.mark.parametrize("service", ["ec2.amazonaws.com", ["ec2.amazonaws.com", "lambda.amazonaws.com"]])
def test_a_role_that_does_not_trust_the_service(shop: Shop, service: Any) -> None:
    role = shop.cloud.client("iam").create_role(RoleName="other", AssumeRolePolicyDocument=trust(service))
    arn = role["Role"]["Arn"]
    with pytest.raises(ClientError) as error:
        shop.client.create_pipeline(pipeline={**shop.document(), "roleArn": arn})

    message = f"CodePipeline is not authorized to perform AssumeRole on role {arn}"
    assert refusal(error.value) == ("InvalidStructureException", message)


def test_a_role_that_does_not_exist_is_told_before_the_structure(shop: Shop) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/nobody"
    with pytest.raises(ClientError) as error:
        shop.client.create_pipeline(pipeline={**shop.document(stage("Source", source())), "roleArn": arn})

    message = f"CodePipeline is not authorized to perform AssumeRole on role {arn}"
    assert refusal(error.value) == ("InvalidStructureException", message)


@pytest.mark.parametrize(
    "services", ["codepipeline.amazonaws.com", ["codebuild.amazonaws.com", "codepipeline.amazonaws.com"]]
)
def test_a_trust_policy_may_name_one_service_or_several(shop: Shop, services: Any) -> None:
    role = shop.cloud.client("iam").create_role(RoleName="many", AssumeRolePolicyDocument=trust(services))
    document = {**shop.document(), "roleArn": role["Role"]["Arn"]}

    assert shop.client.create_pipeline(pipeline=document)["pipeline"]["roleArn"] == role["Role"]["Arn"]


def test_one_stage_is_too_few(shop: Shop) -> None:
    with pytest.raises(ClientError) as error:
        shop.create(stage("Source", source()))

    message = "Pipeline has only 1 stage(s). There should be a minimum of 2 stages in a pipeline"
    assert refusal(error.value) == ("InvalidStructureException", message)


def test_a_provider_that_does_not_exist(shop: Shop) -> None:
    with pytest.raises(ClientError) as error:
        shop.create(stage("Source", source()), stage("Out", action("Deploy", "Nowhere")))

    assert refusal(error.value)[0] == "InvalidActionDeclarationException"


def test_a_custom_type_that_the_account_does_not_have(shop: Shop) -> None:
    with pytest.raises(ClientError) as error:
        shop.create(stage("Source", source()), stage("Out", action("Deploy", "Robot", owner="Custom")))

    assert refusal(error.value)[0] == "InvalidActionDeclarationException"


def test_several_broken_constraints_are_told_at_once(shop: Shop) -> None:
    variables = [{"name": "", "defaultValue": "x"}]
    with pytest.raises(ClientError) as error:
        raw(shop, "create_pipeline", pipeline=shop.document(variables=variables))

    where = "Value at 'pipeline.variables.1.member.name' failed to satisfy constraint:"
    assert refusal(error.value) == (
        "ValidationException",
        f"2 validation errors detected: {where} Member must have length greater than or equal to 1; {where} Member must"
        r" satisfy regular expression pattern: [A-Za-z0-9@\-_]+",
    )


def raw(shop: Shop, operation: str, **parameters: Any) -> Any:
    """Call without boto3's own look at the parameters."""
    import boto3
    from botocore.config import Config

    client = boto3.client("codepipeline", region_name="us-east-1", config=Config(parameter_validation=False))
    return getattr(client, operation)(**parameters)


def test_update_counts_versions_and_keeps_the_old_ones(shop: Shop) -> None:
    shop.create()
    shop.cloud.advance(minutes=1)
    updated = shop.client.update_pipeline(pipeline=shop.document(stage("Source", source()), stage("Out", deploy())))

    assert updated["pipeline"]["version"] == 2
    assert len(shop.client.get_pipeline(name="shop")["pipeline"]["stages"]) == 2
    assert len(shop.client.get_pipeline(name="shop", version=1)["pipeline"]["stages"]) == 3
    metadata = shop.client.get_pipeline(name="shop")["metadata"]
    assert (metadata["updated"] - metadata["created"]).total_seconds() == 60
    with pytest.raises(ClientError) as error:
        shop.client.get_pipeline(name="shop", version=3)
    assert refusal(error.value)[0] == "PipelineVersionNotFoundException"


def test_update_of_an_unknown_pipeline(shop: Shop) -> None:
    with pytest.raises(ClientError) as error:
        shop.client.update_pipeline(pipeline=shop.document(name="nothing"))

    message = f"The account with id '{ACCOUNT}' does not include a pipeline with the name 'nothing'"
    assert refusal(error.value) == ("ResourceNotFoundException", message)


def test_a_refused_update_changes_nothing(shop: Shop) -> None:
    created = shop.create()
    with pytest.raises(ClientError):
        shop.client.update_pipeline(pipeline=shop.document(stage("Source", source())))

    assert shop.client.get_pipeline(name="shop")["pipeline"] == created


def test_an_updated_pipeline_runs_its_new_actions(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("Out", deploy()))
    shop.client.update_pipeline(pipeline=shop.document(stage("Source", source()), stage("New", deploy("Fresh"))))
    shop.start()
    shop.idle()

    assert shop.actions()[0]["actionName"] == "Fresh"
    assert shop.executions()[0]["status"] == "Succeeded"


def test_unknown_pipelines(shop: Shop) -> None:
    with pytest.raises(ClientError) as error:
        shop.client.get_pipeline(name="nothing")

    message = f"Account '{ACCOUNT}' does not have a pipeline with name 'nothing'"
    assert refusal(error.value) == ("PipelineNotFoundException", message)


def test_delete_is_idempotent_and_abandons_what_runs(shop: Shop) -> None:
    shop.create()
    shop.idle()
    record = shop.cloud.account.pipelines["shop"]
    shop.client.delete_pipeline(name="shop")
    shop.client.delete_pipeline(name="shop")

    assert shop.client.list_pipelines()["pipelines"] == []
    shop.cloud.advance(seconds=1)
    assert record.simulation.unfinished == 0


def test_a_name_may_be_used_again_after_delete(shop: Shop) -> None:
    shop.create()
    first = shop.newest()
    shop.client.delete_pipeline(name="shop")
    shop.create()

    assert shop.newest() != first
    assert len(shop.executions()) == 1


def test_list_is_sorted_and_paged(shop: Shop) -> None:
    for name in ("c", "a", "b"):
        shop.create(name=name)
    first = shop.client.list_pipelines(maxResults=2)
    second = shop.client.list_pipelines(maxResults=2, nextToken=first["nextToken"])

    assert [each["name"] for each in first["pipelines"]] == ["a", "b"]
    assert [each["name"] for each in second["pipelines"]] == ["c"]
    assert "nextToken" not in second
    pages = shop.client.get_paginator("list_pipelines").paginate(PaginationConfig={"PageSize": 1})
    assert [each["name"] for page in pages for each in page["pipelines"]] == ["a", "b", "c"]


def test_two_regions_are_two_places(shop: Shop) -> None:
    shop.create()
    ireland = Shop(shop.cloud, shop.cloud.client("codepipeline", region="eu-west-1"))

    assert ireland.client.list_pipelines()["pipelines"] == []
    ireland.create()
    arn = ireland.client.get_pipeline(name="shop")["metadata"]["pipelineArn"]
    assert arn == f"arn:aws:codepipeline:eu-west-1:{ACCOUNT}:shop"
    ireland.idle()
    assert ireland.state()["Source"]["latestExecution"]["pipelineExecutionId"] != shop.newest()


def test_v2_members_make_a_pipeline_v2(shop: Shop) -> None:
    assert shop.create(variables=[{"name": "Release", "defaultValue": "v1"}])["pipelineType"] == "V2"


def test_v2_members_are_refused_where_v1_is_said(shop: Shop) -> None:
    with pytest.raises(ClientError) as error:
        shop.create(variables=[{"name": "Release"}], pipelineType="V1")

    assert refusal(error.value) == ("InvalidStructureException", "Pipeline variable can only be used with V2 pipelines")


def test_create_starts_an_execution(shop: Shop) -> None:
    shop.create()

    (execution,) = shop.executions()
    assert execution["trigger"]["triggerType"] == "CreatePipeline"
    assert execution["trigger"]["triggerDetail"].startswith("arn:aws:sts::")


def test_a_polled_pipeline_waits_for_its_poll(shop: Shop) -> None:
    polled = source()
    del polled["configuration"]["PollForSourceChanges"]
    shop.create(stage("Source", polled), stage("Gate", approval()))

    assert shop.executions() == []


def test_update_wakes_nothing(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("Out", deploy()))
    shop.idle()
    shop.client.update_pipeline(pipeline=shop.document())
    shop.idle()

    assert len(shop.executions()) == 1
