"""The engine: a declaration, assumptions, commands and a seed go in, a trace comes out."""

from pipesim.engine.commands import (
    Approve,
    Break,
    Command,
    DisableTransition,
    EnableTransition,
    Override,
    Reject,
    Repair,
    Retry,
    Rollback,
    SourceRevision,
    Start,
    Stop,
    Update,
)
from pipesim.engine.outcome import Outcome
from pipesim.engine.simulate import simulate
from pipesim.engine.simulation import Simulation

__all__ = [
    "Approve",
    "Break",
    "Command",
    "DisableTransition",
    "EnableTransition",
    "Outcome",
    "Override",
    "Reject",
    "Repair",
    "Retry",
    "Rollback",
    "Simulation",
    "SourceRevision",
    "Start",
    "Stop",
    "Update",
    "simulate",
]
