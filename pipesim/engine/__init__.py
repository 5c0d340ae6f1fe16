"""The engine: a declaration, assumptions, commands and a seed go in, a trace comes out."""

from pipesim.engine.commands import (
    Approve,
    Command,
    DisableTransition,
    EnableTransition,
    Override,
    Reject,
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
    "Command",
    "DisableTransition",
    "EnableTransition",
    "Outcome",
    "Override",
    "Reject",
    "Retry",
    "Rollback",
    "Simulation",
    "SourceRevision",
    "Start",
    "Stop",
    "Update",
    "simulate",
]
