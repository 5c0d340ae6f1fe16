"""What tests, scans, images and machines need is stood up with the pipeline, and the pipeline runs."""

from __future__ import annotations

from typing import Any

import pytest

from pipesim.cloud.account import Cloud
from tests.cloud.actions.estate_story import SOURCE, action, told
from tests.cloud.standin import document

POOL = "arn:aws:devicefarm:us-west-2:123456789012:devicepool:p/1"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:release"
CONFIGURATIONS: dict[tuple[str, str], dict[str, str]] = {
    ("Build", "CodeBuild"): {"ProjectName": "app", "BatchEnabled": "true"},
    ("Build", "ECRBuildAndPublish"): {"ECRRepositoryName": "shop", "DockerFilePath": "docker"},
    ("Test", "DeviceFarm"): {
        "ProjectId": "p", "DevicePoolArn": POOL, "AppType": "iOS", "App": "shop.ipa", "TestType": "XCTEST",
        "Test": "tests.zip",
    },
    ("Invoke", "StepFunctions"): {"StateMachineArn": MACHINE, "InputType": "FilePath", "Input": "in.json"},
    ("Invoke", "InspectorScan"): {"InspectorRunMode": "ECRImageScan", "ECRRepositoryName": "shop", "ImageTag": "v1"},
    ("Compute", "Commands"): {},
}  # fmt: skip


@pytest.mark.parametrize(("category", "provider"), CONFIGURATIONS, ids=lambda one: one)
def test_what_it_needs_is_stood_up(category: str, provider: str) -> None:
    members: dict[str, Any] = {"inputArtifacts": [{"name": "Code"}]}
    if provider in ("CodeBuild", "StepFunctions", "InspectorScan"):
        members["outputArtifacts"] = [{"name": "Made"}]
    if provider == "Commands":
        members["commands"] = ["make"]
    else:
        members["configuration"] = CONFIGURATIONS[category, provider]
    with Cloud(seed=1) as cloud:
        cloud.provision(document(action(category, provider, **members), source=SOURCE))
        cloud.advance(hours=3)
        [execution] = cloud.client("codepipeline").list_pipeline_executions(pipelineName="shop")[
            "pipelineExecutionSummaries"
        ]

        ended = told(cloud, execution["pipelineExecutionId"])

        assert (ended["status"], ended["output"]["executionResult"].get("errorDetails")) == ("Succeeded", None)
