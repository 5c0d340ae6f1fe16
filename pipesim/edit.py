"""Changes of a scenario as small functions that are composed with ``|``.

Each returns an `Edit`, which takes a scenario and returns a new one; nothing is changed in place.

>>> import pipesim
>>> from pipesim import edit
>>> change = edit.execution_mode("QUEUED") | edit.scale_duration("*", 0.5)
>>> change(edit.Scenario(pipesim.load("GitHub -> CodeBuild -> S3"))).pipeline.execution_mode
'QUEUED'
"""

from pipesim.whatif.changes import change_help, parse_change
from pipesim.whatif.scenario import Edit, Scenario, compose
from pipesim.whatif.structure import (
    add_action,
    execution_mode,
    move_approval,
    own_stage,
    parallelise,
    remove_action,
    retry,
    rollback,
    serialise,
    split_stage,
)
from pipesim.whatif.timing import (
    approver_hours,
    approver_response,
    arrivals,
    artifact_size,
    delays,
    duration,
    failure_odds,
    pool,
    scale_arrivals,
    scale_duration,
    transfer_rate,
)

__all__ = [
    "Edit",
    "Scenario",
    "add_action",
    "approver_hours",
    "approver_response",
    "arrivals",
    "artifact_size",
    "change_help",
    "compose",
    "delays",
    "duration",
    "execution_mode",
    "failure_odds",
    "move_approval",
    "own_stage",
    "parallelise",
    "parse_change",
    "pool",
    "remove_action",
    "retry",
    "rollback",
    "scale_arrivals",
    "scale_duration",
    "serialise",
    "split_stage",
    "transfer_rate",
]
