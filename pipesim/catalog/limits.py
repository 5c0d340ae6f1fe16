"""The quotas of CodePipeline, its size limits and its time-outs.

Source of all that name no other: AWS CodePipeline User Guide, limits (2026). Where botocore's service
model carries a limit too, a test holds the two against each other. Times are in seconds, sizes in bytes.
Time-outs of single action types stand in the catalog of action types.
"""

from __future__ import annotations

from typing import Final

MINUTE: Final = 60.0
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

PIPELINES: Final = 1000
"""Pipelines in an account and region; can be raised."""
POLLING_PIPELINES: Final = 300
"""Pipelines in an account and region that poll their sources; fixed."""
WEBHOOKS: Final = 300
"""Webhooks in an account and region."""
CUSTOM_ACTION_TYPES: Final = 50
"""Custom action types in an account and region."""

MIN_STAGES: Final = 2
MAX_STAGES: Final = 50
"""Stages of a pipeline."""
MIN_ACTIONS_PER_STAGE: Final = 1
MAX_ACTIONS_PER_STAGE: Final = 50
"""Actions of a stage. The page also speaks of 100 parallel and 100 sequential actions; 50 is what is enforced here."""
MAX_ACTIONS: Final = 1000
"""Actions of a pipeline (500 in the guide of 2022)."""
MIN_RUN_ORDER: Final = 1
MAX_RUN_ORDER: Final = 999

MAX_VARIABLES: Final = 50
"""Variables of a pipeline."""
MAX_TRIGGERS: Final = 50
"""Triggers of a pipeline."""
MAX_TRIGGERS_SIZE: Final = 200 * KIB
"""The triggers of a pipeline as JSON."""
MAX_CONDITIONS_PER_GATE: Final = 1
MAX_RULES_PER_CONDITION: Final = 5

CONCURRENT_EXECUTIONS: Final = 50
"""Unfinished executions of one pipeline in QUEUED and in PARALLEL mode."""
PARALLEL_ACTIONS_PER_EXECUTION: Final = 5
"""Actions of one execution that run at once in PARALLEL mode."""
HISTORY: Final = 365 * DAY
"""How long executions are listed: twelve months."""
DISABLED_TRANSITION: Final = 30 * DAY
"""After a transition was disabled this long, the execution that it held is not resumed (guide of 2022, transitions)."""
POLLING_WITHOUT_EXECUTION: Final = 30 * DAY
"""After this long without an execution, polling of the pipeline's sources is switched off."""

OUTPUT_VARIABLES_SIZE: Final = 122_880
"""All output variables of one action together."""
CONFIGURATION_SIZE: Final = 100 * KIB
"""The configuration of one action after its variables were filled in."""
ARTIFACT_FILES: Final = 100_000
"""Files in one artifact."""
SOURCE_ARTIFACT_SIZE: Final[dict[str, int]] = {
    "S3": 7 * GIB,
    "CodeCommit": 1 * GIB,
    "CodeStarSourceConnection": 1 * GIB,
    "GitHub": 1 * GIB,
}
"""The source artifact, by provider (S3: 5 GB in the guide of 2022)."""
DEPLOY_ARTIFACT_SIZE: Final[dict[str, int]] = {
    "ElasticBeanstalk": 512 * MIB,
    "CloudFormation": 256 * MIB,
    "CodeDeployToECS": 3 * MIB,
}
"""The input artifact of a deployment, by provider."""
IMAGE_DEFINITIONS_SIZE: Final = 100 * KIB
"""The image definitions file of an ECS deployment."""
PARAMETER_OVERRIDES_SIZE: Final = 1 * KIB
"""ParameterOverrides of a CloudFormation action."""

APPROVAL_TIMEOUT: Final = 7 * DAY
"""A manual approval without timeoutInMinutes."""
MIN_TIMEOUT_IN_MINUTES: Final = 5
MAX_TIMEOUT_IN_MINUTES: Final = 86_400
"""timeoutInMinutes of an approval or a rule: 60 days."""
ACTION_TIMEOUT: Final = 1 * HOUR
"""Every action for which the page names no other time."""
CUSTOM_ACTION_TIMEOUT: Final = 24 * HOUR
"""A custom action as a whole."""
LAMBDA_JOB_TIMEOUT: Final = 20 * MINUTE
"""One job of a Lambda invoke action without an answer; each answer "still going on" starts it again."""
COMMANDS_TIMEOUT: Final = 55 * MINUTE
"""A Commands action or rule (guide, action-reference-Commands)."""

MAX_NAME: Final = 100
"""Characters of the name of a pipeline, stage, action or artifact."""
MAX_CONFIGURATION_KEY: Final = 50
MAX_CONFIGURATION_VALUE: Final = 1000
"""Characters of one value of an action's configuration."""
MAX_RULE_CONFIGURATION_VALUE: Final = 10_000
"""Characters of one value of a rule's configuration."""
MAX_RULE_CONFIGURATION_KEYS: Final = 200
MAX_COMMANDS: Final = 50
MAX_COMMAND: Final = 1000
"""Commands of a Commands action or rule, and the characters of one."""
MAX_COMMANDS_OUTPUT_VARIABLES: Final = 15
MAX_ENVIRONMENT_VARIABLES: Final = 10
MAX_ARTIFACT_FILES_PATTERNS: Final = 10
MAX_SOURCE_REVISIONS: Final = 50
"""Source revisions that a start may override."""
MAX_CUSTOM_PROPERTIES: Final = 10
"""Configuration keys of a custom action type."""
CUSTOM_ARTIFACTS: Final = (0, 5)
"""Input artifacts, and output artifacts, of a custom action type (guide, reference-action-artifacts)."""
