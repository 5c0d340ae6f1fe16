"""Pipelines and states made by hand, for the tests of diagrams."""

from immutabledict import immutabledict

from pipesim.definition.model import (
    Action,
    ActionTypeId,
    Condition,
    OnFailure,
    OutputArtifact,
    Pipeline,
    Rule,
    RuleTypeId,
    Stage,
)
from pipesim.trace.snapshot import (
    ActionExecution,
    ActionState,
    ConditionState,
    ExecutionState,
    PipelineState,
    StageExecution,
    StageState,
    TransitionState,
)
from pipesim.vocabulary import (
    ActionExecutionStatus,
    ConditionExecutionStatus,
    ExecutionMode,
    ExecutionType,
    PipelineExecutionStatus,
    Result,
    StageExecutionStatus,
)

CATEGORIES = {"CodeCommit": "Source", "CodeDeploy": "Deploy", "Manual": "Approval", "BlazeMeter": "Test"}
RULE = Rule("NoAlarm", RuleTypeId("CloudWatchAlarm"))
ROLE = "arn:aws:iam::111122223333:role/pipeline"
SUCCEEDED = ActionExecutionStatus.SUCCEEDED
IN_PROGRESS = ActionExecutionStatus.IN_PROGRESS


def action(name, provider="CodeBuild", run_order=1, inputs=(), outputs=()):
    kind = ActionTypeId(CATEGORIES.get(provider, "Build"), "AWS", provider)
    made = tuple(OutputArtifact(output) for output in outputs)
    return Action(name, kind, run_order=run_order, input_artifacts=tuple(inputs), output_artifacts=made)


def condition(result):
    return (Condition((RULE,), result),)


SMALL = Pipeline(
    "small",
    ROLE,
    (
        Stage("Source", (action("Checkout", "CodeCommit", outputs=["Code"]),)),
        Stage("Build", (action("Compile", inputs=["Code"], outputs=["App"]), action("Lint", inputs=["Code"]))),
    ),
)

SHOP = Pipeline(
    "shop",
    ROLE,
    (
        Stage("Source", (action("Checkout", "CodeCommit", outputs=["Code"]),)),
        Stage(
            "Build",
            (
                action("Backend", inputs=["Code"], outputs=["BackendApp"]),
                action("Frontend", inputs=["Code"], outputs=["FrontendApp"]),
            ),
        ),
        Stage(
            "Test",
            (
                action("SecurityScan", inputs=["Code"]),
                action("EndToEnd", inputs=["BackendApp", "FrontendApp"]),
                action("Report", "Lambda", run_order=2),
            ),
        ),
        Stage("Staging", (action("Deploy", "CodeDeploy", inputs=["BackendApp"]),), before_entry=condition("SKIP")),
        Stage("LoadTest", (action("Load", "BlazeMeter"),)),
        Stage("Approval", (action("Stakeholders", "Manual"),)),
        Stage(
            "Production",
            (action("BlueGreen", "CodeDeploy", inputs=["BackendApp"]),),
            before_entry=condition("FAIL"),
            on_success=condition("ROLLBACK"),
            on_failure=OnFailure("ROLLBACK"),
        ),
    ),
    execution_mode="QUEUED",
    pipeline_type="V2",
)


def ran(execution, status, attempt=1, **more):
    ended = None if status is IN_PROGRESS else 2.0
    return ActionExecution("A", execution, attempt, status, 0.0, 1.0, ended, **more)


def stage_state(stage, execution, status, runs, attempt=1, type=ExecutionType.STANDARD, **more):
    return StageState(
        stage.name,
        latest=StageExecution(execution, status, type, attempt, 0.0),
        actions=tuple(ActionState(each.name, run) for each, run in zip(stage.actions, runs, strict=True)),
        **more,
    )


def execution(number, **more):
    return ExecutionState(
        f"E{number}", number, PipelineExecutionStatus.IN_PROGRESS, 0.0, 1.0, change=f"c0ffee{number}", **more
    )


def gate(name, status, result=None):
    return ConditionState(name, status, 1.0, result)


def executions(count):
    return immutabledict({f"E{n}": execution(n, rollback_target="E2" if n == 1 else None) for n in range(1, count + 1)})


def everything():
    """The shop with a different thing to see in every stage."""
    source, build, test, staging, load, approval, production = SHOP.stages
    stages = (
        stage_state(source, "E5", StageExecutionStatus.SUCCEEDED, [ran("E5", SUCCEEDED)]),
        stage_state(
            build,
            "E5",
            StageExecutionStatus.IN_PROGRESS,
            [ran("E5", SUCCEEDED), ran("E5", IN_PROGRESS, waiting_for="builds")],
            occupants=("E5",),
        ),
        stage_state(
            test,
            "E4",
            StageExecutionStatus.FAILED,
            [
                ran("E4", ActionExecutionStatus.FAILED, 2, message="two tests failed"),
                ran("E4", SUCCEEDED),
                ran("E2", ActionExecutionStatus.ABANDONED),
            ],
            attempt=2,
            transition=TransitionState(False, 'release freeze till "Monday"', 1.0, "ops"),
        ),
        stage_state(
            staging,
            "E3",
            StageExecutionStatus.SKIPPED,
            [None],
            conditions=immutabledict(
                {"BEFORE_ENTRY": gate("BEFORE_ENTRY", ConditionExecutionStatus.FAILED, Result.SKIP)}
            ),
        ),
        stage_state(load, "E3", StageExecutionStatus.STOPPING, [ran("E3", IN_PROGRESS, percent=40)], occupants=("E3",)),
        stage_state(
            approval,
            "E2",
            StageExecutionStatus.IN_PROGRESS,
            [ran("E2", IN_PROGRESS, token="token")],
            occupants=("E2",),
            inbound=("E3", "E4"),
        ),
        stage_state(
            production,
            "E1",
            StageExecutionStatus.SUCCEEDED,
            [ran("E1", SUCCEEDED)],
            type=ExecutionType.ROLLBACK,
            conditions=immutabledict({"BEFORE_ENTRY": gate("BEFORE_ENTRY", ConditionExecutionStatus.OVERRIDDEN)}),
        ),
    )
    return PipelineState("shop", 1, 5400.0, stages, executions(5), mode=ExecutionMode.QUEUED)


def many_stages(count):
    """A pipeline of many stages, with one, two or three actions in one or two groups each."""
    return Pipeline(
        "many",
        ROLE,
        tuple(
            Stage(f"Stage{i:02}", tuple(action(f"Act{i:02}{k}", run_order=1 + (k > 1)) for k in range(1 + i % 3)))
            for i in range(count)
        ),
    )


def many_actions(count):
    """A pipeline with many actions in parallel."""
    builds = tuple(action(f"Service{i:02}", inputs=["Code"]) for i in range(count))
    return Pipeline("parallel", ROLE, (SMALL.stages[0], Stage("Build", builds)))
