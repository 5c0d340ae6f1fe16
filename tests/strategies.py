"""Hypothesis strategies that several test folders share.

`documents` draws declarations of any shape that the service's JSON allows; `pipelines` draws small valid ones,
fit to be simulated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from immutabledict import immutabledict

from pipesim.definition.model import (
    Action,
    ActionTypeId,
    ArtifactStore,
    Condition,
    OnFailure,
    OutputArtifact,
    Pipeline,
    Rule,
    RuleTypeId,
    Stage,
    Variable,
)
from pipesim.vocabulary import ExecutionMode

ROLE = "arn:aws:iam::111122223333:role/pipeline"
MODES = tuple(mode.value for mode in ExecutionMode)

names = st.text("ABCabc019.@-_", min_size=1, max_size=12)
artifact_names = st.text("ABCabc019-_", min_size=1, max_size=12)
texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
minutes = st.integers(5, 86400)


def members(required: dict[str, st.SearchStrategy[Any]], optional: dict[str, st.SearchStrategy[Any]] | None = None):
    """Draw an object with the required members and some of the optional ones."""
    return st.fixed_dictionaries(required, optional=optional or {})


def some(entries: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    """Draw a list that is not empty."""
    return st.lists(entries, min_size=1, max_size=most)


configurations = st.dictionaries(st.text("ABCabc.-_ ", min_size=1, max_size=8), texts, max_size=3)
inputs = st.lists(members({"name": artifact_names}), max_size=3)
stores = members(
    {"type": st.just("S3"), "location": st.text("abc0-.", min_size=3, max_size=12)},
    {"encryptionKey": members({"id": texts, "type": st.just("KMS")})},
)
rules = members(
    {
        "name": names,
        "ruleTypeId": members(
            {"category": st.just("Rule"), "provider": names}, {"owner": st.just("AWS"), "version": st.just("1")}
        ),
    },
    {
        "configuration": configurations,
        "commands": some(texts),
        "inputArtifacts": inputs,
        "roleArn": st.just(ROLE),
        "region": st.just("eu-west-1"),
        "timeoutInMinutes": minutes,
    },
)
conditions = members({}, {"result": st.sampled_from(["FAIL", "ROLLBACK", "SKIP"]), "rules": some(rules)})
gates = members({"conditions": some(conditions, 1)})
criteria = members({}, {"includes": some(texts), "excludes": some(texts)})
triggers = members(
    {
        "providerType": st.just("CodeStarSourceConnection"),
        "gitConfiguration": members(
            {"sourceActionName": names},
            {
                "push": some(members({}, {"tags": criteria, "branches": criteria, "filePaths": criteria})),
                "pullRequest": some(
                    members(
                        {},
                        {
                            "events": some(st.sampled_from(["OPEN", "UPDATED", "CLOSED"])),
                            "branches": criteria,
                            "filePaths": criteria,
                        },
                    )
                ),
            },
        ),
    }
)
actions = members(
    {
        "name": names,
        "actionTypeId": members(
            {
                "category": st.sampled_from(["Source", "Build", "Deploy", "Test", "Invoke", "Approval", "Compute"]),
                "owner": st.sampled_from(["AWS", "ThirdParty", "Custom"]),
                "provider": names,
                "version": st.one_of(st.just("1"), st.integers(1, 99)),
            }
        ),
    },
    {
        "runOrder": st.one_of(st.integers(1, 999), st.integers(1, 999).map(str)),
        "configuration": configurations,
        "commands": some(texts),
        "outputArtifacts": st.lists(members({"name": artifact_names}, {"files": some(texts)}), max_size=2),
        "inputArtifacts": inputs,
        "outputVariables": some(texts),
        "roleArn": st.just(ROLE),
        "region": st.sampled_from(["eu-west-1", "us-east-1"]),
        "namespace": artifact_names,
        "timeoutInMinutes": st.one_of(minutes, minutes.map(str)),
        "environmentVariables": some(
            members({"name": artifact_names, "value": texts}, {"type": st.just("SECRETS_MANAGER")})
        ),
    },
)
stages = members(
    {"name": names, "actions": some(actions)},
    {
        "blockers": st.lists(members({"name": names, "type": st.just("Schedule")}), max_size=1),
        "beforeEntry": gates,
        "onSuccess": gates,
        "onFailure": members(
            {},
            {
                "result": st.sampled_from(["ROLLBACK", "RETRY", "FAIL"]),
                "retryConfiguration": members({"retryMode": st.sampled_from(["FAILED_ACTIONS", "ALL_ACTIONS"])}),
                "conditions": some(conditions, 1),
            },
        ),
    },
)
declarations = members(
    {"name": names, "roleArn": st.just(ROLE), "stages": some(stages)},
    {
        "artifactStore": stores,
        "artifactStores": st.dictionaries(st.sampled_from(["eu-west-1", "us-east-1"]), stores),
        "version": st.one_of(st.integers(1, 1000), st.integers(1, 1000).map(str)),
        "executionMode": st.sampled_from(MODES),
        "pipelineType": st.sampled_from(["V1", "V2"]),
        "variables": st.lists(members({"name": names}, {"defaultValue": texts, "description": texts}), max_size=2),
        "triggers": st.lists(triggers, max_size=2),
    },
)


def documents() -> st.SearchStrategy[dict[str, Any]]:
    """Draw documents of the right shape, bare or wrapped as GetPipeline wraps them; the rules may be broken."""
    wrapped = declarations.map(lambda declaration: {"pipeline": declaration, "metadata": {"pipelineArn": "arn"}})
    return st.one_of(declarations, wrapped)


_SOURCES = {
    "S3": {"S3Bucket": "sources", "S3ObjectKey": "source.zip"},
    "CodeCommit": {"RepositoryName": "shop", "BranchName": "main"},
}
_WORK: dict[tuple[str, str], dict[str, str]] = {
    ("Build", "CodeBuild"): {"ProjectName": "build"},
    ("Test", "CodeBuild"): {"ProjectName": "test"},
    ("Deploy", "CodeDeploy"): {"ApplicationName": "shop", "DeploymentGroupName": "staging"},
    ("Invoke", "Lambda"): {"FunctionName": "notify"},
    ("Approval", "Manual"): {},
}


@st.composite
def pipelines(
    draw: st.DrawFn,
    *,
    modes: Sequence[str] = MODES,
    approvals: bool = True,
    most_stages: int = 5,
    gates: bool = False,
) -> Pipeline:
    """Draw small valid pipelines: 2 to `most_stages` stages, parallel actions, sparse run orders, wired artifacts.

    Args:
        modes: the execution modes to choose from.
        approvals: whether manual approvals may occur.
        most_stages: the largest number of stages, the source stage included.
        gates: whether stages may have conditions, retry and roll back, and the pipeline variables.
    """
    sources = []
    made: list[str] = []
    for number in range(1, draw(st.integers(1, 2)) + 1):
        provider = draw(st.sampled_from(sorted(_SOURCES)))
        made.append(f"Source{number}Output")
        sources.append(
            Action(
                name=f"Source{number}",
                type=ActionTypeId("Source", "AWS", provider),
                configuration=immutabledict(_SOURCES[provider]),
                output_artifacts=(OutputArtifact(made[-1]),),
            )
        )
    stages = [Stage("Source", tuple(sources))]
    for number in range(2, draw(st.integers(2, most_stages)) + 1):
        stages.append(draw(_work_stage(f"Stage{number}", made, approvals)))
    mode = draw(st.sampled_from(sorted(modes)))
    variables: tuple[Variable, ...] = ()
    if gates:
        variables = (Variable("Go", draw(st.sampled_from(["yes", "no"]))),)
        stages[1:] = [draw(_gated(stage, mode)) for stage in stages[1:]]
    return Pipeline(
        name="random",
        role_arn=ROLE,
        artifact_store=ArtifactStore("artifacts"),
        stages=tuple(stages),
        execution_mode=mode,
        pipeline_type="V1" if mode == ExecutionMode.SUPERSEDED and not gates and draw(st.booleans()) else "V2",
        variables=variables,
    )


@st.composite
def _gated(draw: st.DrawFn, stage: Stage, mode: str) -> Stage:
    """Give a stage some of the gates that its pipeline's mode allows; every rule asks whether Go is ``yes``."""
    rule = Rule(
        "IsGo",
        RuleTypeId("VariableCheck"),
        configuration=immutabledict({"Variable": "#{variables.Go}", "Value": "yes", "Operator": "EQ"}),
    )
    back = [] if mode == ExecutionMode.PARALLEL else ["ROLLBACK"]
    entry = draw(st.sampled_from([None, "FAIL", "SKIP"]))
    success = draw(st.sampled_from([None, "FAIL", *back]))
    failure = draw(st.sampled_from([None, "RETRY", *back]))
    retry_mode = draw(st.sampled_from([None, "FAILED_ACTIONS", "ALL_ACTIONS"])) if failure == "RETRY" else None
    return replace(
        stage,
        before_entry=(Condition((rule,), entry),) if entry else (),
        on_success=(Condition((rule,), success),) if success else (),
        on_failure=OnFailure(failure, retry_mode) if failure else None,
    )


@st.composite
def _work_stage(draw: st.DrawFn, name: str, made: list[str], approvals: bool) -> Stage:
    kinds = sorted(kind for kind in _WORK if approvals or kind[0] != "Approval")
    orders = sorted(draw(st.lists(st.sampled_from([1, 2, 3, 999]), min_size=1, max_size=4)))
    actions = []
    ready, fresh = list(made), []
    for index, order in enumerate(orders):
        if index and order != orders[index - 1]:
            ready, fresh = ready + fresh, []
        category, provider = draw(st.sampled_from(kinds))
        takes = category in ("Build", "Test", "Deploy")
        makes = category == "Build" and draw(st.booleans())
        output = f"{name}Action{index + 1}Output"
        actions.append(
            Action(
                name=f"Action{index + 1}",
                type=ActionTypeId(category, "AWS", provider),
                run_order=order,
                configuration=immutabledict(_WORK[category, provider]),
                input_artifacts=(draw(st.sampled_from(ready)),) if takes else (),
                output_artifacts=(OutputArtifact(output),) if makes else (),
            )
        )
        if makes:
            fresh.append(output)
    made.extend([*ready[len(made) :], *fresh])
    return Stage(name, tuple(draw(st.permutations(actions))))
