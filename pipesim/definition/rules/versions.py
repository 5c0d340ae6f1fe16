"""Rules about pipeline types: what only V2 pipelines may have."""

from __future__ import annotations

from collections.abc import Iterator

from pipesim.definition.paths import join
from pipesim.definition.rules.subject import Subject
from pipesim.definition.rules.table import ACTION, OBSERVED, RECORDED, STAGE, STRUCTURE, Found, rule
from pipesim.vocabulary import ExecutionMode, PipelineType

HINT = 'set "pipelineType": "V2"'
GUIDE = "user guide page pipeline-types"


def _is_v1(subject: Subject) -> bool:
    return subject.pipeline.effective_type == PipelineType.V1


@rule(
    "v1-variables",
    "Pipeline variables need type V2.",
    code=STRUCTURE,
    wording="service",
    source=RECORDED,
)
def v1_variables(subject: Subject) -> Iterator[Found]:
    """Find pipeline variables in a V1 pipeline."""
    if _is_v1(subject) and subject.pipeline.variables:
        yield Found("variables", "Pipeline variable can only be used with V2 pipelines", HINT)


@rule(
    "v1-triggers",
    "Git triggers need type V2.",
    code=STRUCTURE,
    wording="service",
    source=f"{GUIDE}; {OBSERVED}",
)
def v1_triggers(subject: Subject) -> Iterator[Found]:
    """Find triggers in a V1 pipeline."""
    if _is_v1(subject) and subject.pipeline.triggers:
        yield Found("triggers", "Triggers on tag can only be used with V2 pipelines", HINT)


@rule(
    "v1-execution-mode",
    "The modes QUEUED and PARALLEL need type V2.",
    code=STRUCTURE,
    wording="service",
    source=f"user guide page execution-modes; {OBSERVED}",
)
def v1_execution_mode(subject: Subject) -> Iterator[Found]:
    """Find a V1 pipeline with another mode than SUPERSEDED."""
    mode = subject.pipeline.execution_mode
    if _is_v1(subject) and mode in (ExecutionMode.QUEUED, ExecutionMode.PARALLEL):
        yield Found("executionMode", "QUEUED or PARALLEL mode can only be used with V2 pipelines", HINT)


@rule(
    "v1-conditions",
    "Stage conditions and results of failure need type V2.",
    code=STAGE,
    wording="service",
    source=f"user guide page stage-conditions; {OBSERVED}",
)
def v1_conditions(subject: Subject) -> Iterator[Found]:
    """Find stages with gates in a V1 pipeline."""
    for placed in subject.stages if _is_v1(subject) else ():
        stage = placed.stage
        gates = {"onFailure": stage.on_failure, "onSuccess": stage.on_success, "beforeEntry": stage.before_entry}
        for gate, given in gates.items():
            if given:
                yield Found(join(placed.path, gate), "Stage level conditions can only be used with V2 pipelines.", HINT)


@rule(
    "v1-action",
    "Some action types need type V2.",
    code=ACTION,
    wording="service",
    source=f"{GUIDE}; {OBSERVED}",
)
def v1_action(subject: Subject) -> Iterator[Found]:
    """Find actions of V2-only types in a V1 pipeline."""
    for placed in subject.actions if _is_v1(subject) else ():
        if placed.action.type.v2_only:
            yield Found(
                join(placed.path, "actionTypeId"),
                f"{placed.action.provider} Action can only be used with V2 pipelines.",
                HINT,
            )
