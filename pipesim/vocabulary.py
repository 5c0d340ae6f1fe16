"""AWS's own words, verbatim: the enumerations of the CodePipeline API.

Every class here is an enumeration of botocore's service model of the same name,
and a test compares them member by member. Where events spell a word differently
(``CANCELED``), that spelling lives with the events, not here.
"""

from __future__ import annotations

from enum import StrEnum


class ActionCategory(StrEnum):
    """What an action is for."""

    SOURCE = "Source"
    BUILD = "Build"
    DEPLOY = "Deploy"
    TEST = "Test"
    INVOKE = "Invoke"
    APPROVAL = "Approval"
    COMPUTE = "Compute"


class ActionOwner(StrEnum):
    """Who made an action type."""

    AWS = "AWS"
    THIRD_PARTY = "ThirdParty"
    CUSTOM = "Custom"


class ExecutionMode(StrEnum):
    """What happens when several executions want the same stage."""

    SUPERSEDED = "SUPERSEDED"
    QUEUED = "QUEUED"
    PARALLEL = "PARALLEL"


class ExecutionType(StrEnum):
    """A normal passage through the pipeline, or the rollback of one stage."""

    STANDARD = "STANDARD"
    ROLLBACK = "ROLLBACK"


class PipelineType(StrEnum):
    """The two kinds of pipeline that AWS sells."""

    V1 = "V1"
    V2 = "V2"


class PipelineExecutionStatus(StrEnum):
    """The status of a pipeline execution."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    SUCCEEDED = "Succeeded"
    SUPERSEDED = "Superseded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


class StageExecutionStatus(StrEnum):
    """The status of a stage execution."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    SKIPPED = "Skipped"


class ActionExecutionStatus(StrEnum):
    """The status of an action execution."""

    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ABANDONED = "Abandoned"


class ConditionExecutionStatus(StrEnum):
    """The status of a stage condition."""

    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ERRORED = "Errored"
    CANCELLED = "Cancelled"
    ABANDONED = "Abandoned"
    OVERRIDDEN = "Overridden"


class RuleExecutionStatus(StrEnum):
    """The status of one rule of a condition."""

    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ABANDONED = "Abandoned"


class ConditionType(StrEnum):
    """The gates whose conditions a person may override."""

    BEFORE_ENTRY = "BEFORE_ENTRY"
    ON_SUCCESS = "ON_SUCCESS"


class Result(StrEnum):
    """What a condition or a failure does to its stage."""

    ROLLBACK = "ROLLBACK"
    FAIL = "FAIL"
    RETRY = "RETRY"
    SKIP = "SKIP"


class StageRetryMode(StrEnum):
    """Which actions of a stage a retry runs again."""

    FAILED_ACTIONS = "FAILED_ACTIONS"
    ALL_ACTIONS = "ALL_ACTIONS"


class RetryTrigger(StrEnum):
    """Who retried a stage."""

    AUTOMATED_STAGE_RETRY = "AutomatedStageRetry"
    MANUAL_STAGE_RETRY = "ManualStageRetry"


class StageTransitionType(StrEnum):
    """The arrow before a stage, and the arrow after it."""

    INBOUND = "Inbound"
    OUTBOUND = "Outbound"


class TriggerType(StrEnum):
    """Why an execution started."""

    CREATE_PIPELINE = "CreatePipeline"
    START_PIPELINE_EXECUTION = "StartPipelineExecution"
    POLL_FOR_SOURCE_CHANGES = "PollForSourceChanges"
    WEBHOOK = "Webhook"
    CLOUD_WATCH_EVENT = "CloudWatchEvent"
    PUT_ACTION_REVISION = "PutActionRevision"
    WEBHOOK_V2 = "WebhookV2"
    MANUAL_ROLLBACK = "ManualRollback"
    AUTOMATED_ROLLBACK = "AutomatedRollback"


class ApprovalStatus(StrEnum):
    """The answer of an approver."""

    APPROVED = "Approved"
    REJECTED = "Rejected"


class FailureType(StrEnum):
    """Why an action failed."""

    JOB_FAILED = "JobFailed"
    CONFIGURATION_ERROR = "ConfigurationError"
    PERMISSION_ERROR = "PermissionError"
    REVISION_OUT_OF_SYNC = "RevisionOutOfSync"
    REVISION_UNAVAILABLE = "RevisionUnavailable"
    SYSTEM_UNAVAILABLE = "SystemUnavailable"


class SourceRevisionType(StrEnum):
    """How a source-revision override names the revision."""

    COMMIT_ID = "COMMIT_ID"
    IMAGE_DIGEST = "IMAGE_DIGEST"
    S3_OBJECT_VERSION_ID = "S3_OBJECT_VERSION_ID"
    S3_OBJECT_KEY = "S3_OBJECT_KEY"


class GitPullRequestEventType(StrEnum):
    """What happened to a pull request."""

    OPEN = "OPEN"
    UPDATED = "UPDATED"
    CLOSED = "CLOSED"


class PipelineTriggerProviderType(StrEnum):
    """Who may fire a trigger of a declaration."""

    CODE_STAR_SOURCE_CONNECTION = "CodeStarSourceConnection"


class JobStatus(StrEnum):
    """The status of a job that a worker polls for."""

    CREATED = "Created"
    QUEUED = "Queued"
    DISPATCHED = "Dispatched"
    IN_PROGRESS = "InProgress"
    TIMED_OUT = "TimedOut"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class EnvironmentVariableType(StrEnum):
    """How an environment variable of an action is stored."""

    PLAINTEXT = "PLAINTEXT"
    SECRETS_MANAGER = "SECRETS_MANAGER"


class ArtifactStoreType(StrEnum):
    """Where artifacts are kept."""

    S3 = "S3"


class ArtifactLocationType(StrEnum):
    """Where one artifact lies."""

    S3 = "S3"


class EncryptionKeyType(StrEnum):
    """Who keeps the key of the artifact store."""

    KMS = "KMS"


class BlockerType(StrEnum):
    """Kinds of stage blocker; reserved by AWS."""

    SCHEDULE = "Schedule"


class RuleCategory(StrEnum):
    """The category of every rule type."""

    RULE = "Rule"


class RuleOwner(StrEnum):
    """The owner of every rule type."""

    AWS = "AWS"


class ActionConfigurationPropertyType(StrEnum):
    """The type of a configuration property."""

    STRING = "String"
    NUMBER = "Number"
    BOOLEAN = "Boolean"


class RuleConfigurationPropertyType(StrEnum):
    """The type of a rule's configuration property."""

    STRING = "String"
    NUMBER = "Number"
    BOOLEAN = "Boolean"


class ExecutorType(StrEnum):
    """Who runs an action type made by an integrator."""

    JOB_WORKER = "JobWorker"
    LAMBDA = "Lambda"


class StartTimeRange(StrEnum):
    """Which attempts a history call lists."""

    LATEST = "Latest"
    ALL = "All"


class TargetFilterName(StrEnum):
    """How deploy targets are filtered."""

    TARGET_STATUS = "TARGET_STATUS"


class WebhookAuthenticationType(StrEnum):
    """How a webhook proves who called it."""

    GITHUB_HMAC = "GITHUB_HMAC"
    IP = "IP"
    UNAUTHENTICATED = "UNAUTHENTICATED"
