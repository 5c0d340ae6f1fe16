"""What each provider's action really does to the mocked account: one module a provider.

Each module has ``act(account, run)``, a behaviour of the engine with the account as its first argument.
A provider without a row takes its assumed time, and its artifacts flow (`pipesim.cloud.actions.assumed`).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.catalog import action_types
from pipesim.cloud.actions.failures import guarded
from pipesim.engine.behaviours import Behaviour
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import ActionCategory, ActionOwner

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.definition.model import Action
    from pipesim.engine.action import ActionRun

PROVIDERS = {
    "Source/S3": "s3_source",
    "Source/CodeCommit": "codecommit_source",
    "Source/CodeStarSourceConnection": "connection_source",
    "Source/GitHub": "github_v1_source",
    "Source/ECR": "ecr_source",
    "Build/CodeBuild": "codebuild",
    "Test/CodeBuild": "codebuild",
    "Test/DeviceFarm": "device_farm",
    "Deploy/S3": "s3_deploy",
    "Deploy/CloudFormation": "cloudformation",
    "Deploy/CodeDeploy": "codedeploy",
    "Deploy/CodeDeployToECS": "codedeploy_ecs",
    "Deploy/ECS": "ecs_deploy",
    "Deploy/ElasticBeanstalk": "elastic_beanstalk",
    "Deploy/CloudFormationStackSet": "stack_sets",
    "Deploy/CloudFormationStackInstances": "stack_instances",
    "Deploy/AppConfig": "appconfig_deploy",
    "Deploy/ServiceCatalog": "service_catalog",
    "Deploy/EKS": "eks_deploy",
    "Deploy/EC2": "ec2_deploy",
    "Deploy/Lambda": "lambda_deploy",
    "Build/ECRBuildAndPublish": "ecr_build_and_publish",
    "Compute/Commands": "commands",
    "Invoke/InspectorScan": "inspector_scan",
    "Invoke/StepFunctions": "step_functions",
    "Invoke/CodePipeline": "pipeline_invoke",
    "Approval/Manual": "approval",
    "Invoke/Lambda": "lambda_invoke",
}
"""The module that holds each AWS provider's behaviour, by ``Category/Provider``."""


class Behaviours(Mapping[str, Behaviour]):
    """The behaviours that act on an account, by ``Category/Provider``; there is one for every key.

    Args:
        account: the mocked account.
    """

    def __init__(self, account: Account) -> None:
        self._act = partial(act, account)

    def __getitem__(self, key: str) -> Behaviour:
        return self._act

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(f"{known.category}/{known.provider}" for known in action_types.ACTION_TYPES))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def behaviours(account: Account) -> Mapping[str, Behaviour]:
    """Return the behaviours that act on an account, by ``Category/Provider``.

    Args:
        account: the mocked account.
    """
    return Behaviours(account)


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Do what an action does: by its owner, then by its category and provider."""
    return guarded(_act_of(run.plan.action))(account, run)


def _act_of(action: Action) -> Any:
    module = PROVIDERS.get(f"{action.category}/{action.provider}")
    if action.type.owner == ActionOwner.CUSTOM:
        return import_module(f"{__name__}.custom").act
    if action.type.owner == ActionOwner.THIRD_PARTY and action.category != ActionCategory.SOURCE:
        return import_module(f"{__name__}.custom").act_partner
    if module is not None:
        return import_module(f"{__name__}.{module}").act
    return import_module(f"{__name__}.assumed").act
