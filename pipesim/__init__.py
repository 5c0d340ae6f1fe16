"""pipesim: read, simulate, see and teach AWS CodePipeline.

A pipeline declaration goes in, a simulated life of that pipeline comes out, and
everything a person sees is read off that life.

>>> import pipesim as ps
>>> trace = ps.simulate(ps.load("GitHub -> CodeBuild -> S3"), seed=1)
>>> ps.executions_table(trace)["status"][0]
'Succeeded'
>>> ps.__version__.count(".")
2
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "pipesim.assumptions.arrivals": ("At", "Every", "OfficeHours", "Once", "Poisson"),
    "pipesim.assumptions.calendars": ("WorkingHours",),
    "pipesim.assumptions.distributions": (
        "Constant", "Empirical", "Exponential", "LogNormal", "Triangular", "Uniform",
    ),
    "pipesim.assumptions.model": ("ActionAssumption", "Approver", "Assumptions", "Delays", "Pool", "RuleAssumption"),
    "pipesim.assumptions.profile": ("load_profile", "to_toml"),
    "pipesim.assumptions.units": ("days", "hours", "minutes", "seconds"),
    "pipesim.cloud.account": ("Cloud",),
    "pipesim.cloud.artifacts": ("pack",),
    "pipesim.cloud.ci": ("CloudBees", "Jenkins", "TeamCity"),
    "pipesim.cloud.partners": ("BlazeMeter", "GhostInspector"),
    "pipesim.cloud.testing": ("mock_codepipeline",),
    "pipesim.cloud.workers": ("JobFailed", "JobWorker"),
    "pipesim.definition.checking": ("check",),
    "pipesim.definition.model": ("Action", "ActionTypeId", "Pipeline", "Stage"),
    "pipesim.definition.problems": ("Problem",),
    "pipesim.definition.triggers": ("PullRequest", "Push"),
    "pipesim.engine.commands": (
        "Approve", "Break", "DisableTransition", "EnableTransition", "Override", "Reject", "Repair", "Retry",
        "Rollback", "SourceRevision", "Start", "Stop", "Update",
    ),
    "pipesim.engine.simulate": ("simulate",),
    "pipesim.engine.simulation": ("Simulation",),
    "pipesim.errors": (
        "AssumptionError", "DeclarationError", "MissingDependency", "PipesimError", "Refused", "SourceError",
        "TraceError",
    ),
    "pipesim.formats.load": ("load",),
    "pipesim.formats.samples": ("sample", "sample_history", "sample_profile"),
    "pipesim.trace.cost": ("cost",),
    "pipesim.trace.critical_path": ("critical_path",),
    "pipesim.trace.events": ("Event", "EventKind"),
    "pipesim.trace.history": ("history",),
    "pipesim.trace.log": ("Trace",),
    "pipesim.trace.measures": ("measure",),
    "pipesim.trace.spans": ("spans",),
    "pipesim.trace.state": ("state_at",),
    "pipesim.views.board": ("board",),
    "pipesim.views.diagram": ("draw",),
    "pipesim.views.tables": (
        "critical_path_table", "events_table", "executions_table", "measures_table", "spans_table",
    ),
    "pipesim.views.timeline": ("timeline",),
    "pipesim.whatif.best": ("best",),
    "pipesim.whatif.compare": ("compare",),
    "pipesim.whatif.replicate": ("replicate",),
    "pipesim.whatif.sensitivity": ("sensitivity",),
    "pipesim.whatif.sweep": ("sweep",),
    "pipesim.whatif.fit": ("fit",),
    "pipesim.whatif.precision": ("HalfWidth",),
    "pipesim.whatif.scenario": ("Scenario",),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}

_MODULES = ("classroom", "edit", "widgets")

__all__ = ["__version__", *sorted(_HOME)]

if TYPE_CHECKING:
    from pipesim.assumptions.arrivals import At as At
    from pipesim.assumptions.arrivals import Every as Every
    from pipesim.assumptions.arrivals import OfficeHours as OfficeHours
    from pipesim.assumptions.arrivals import Once as Once
    from pipesim.assumptions.arrivals import Poisson as Poisson
    from pipesim.assumptions.calendars import WorkingHours as WorkingHours
    from pipesim.assumptions.distributions import Constant as Constant
    from pipesim.assumptions.distributions import Empirical as Empirical
    from pipesim.assumptions.distributions import Exponential as Exponential
    from pipesim.assumptions.distributions import LogNormal as LogNormal
    from pipesim.assumptions.distributions import Triangular as Triangular
    from pipesim.assumptions.distributions import Uniform as Uniform
    from pipesim.assumptions.model import ActionAssumption as ActionAssumption
    from pipesim.assumptions.model import Approver as Approver
    from pipesim.assumptions.model import Assumptions as Assumptions
    from pipesim.assumptions.model import Delays as Delays
    from pipesim.assumptions.model import Pool as Pool
    from pipesim.assumptions.model import RuleAssumption as RuleAssumption
    from pipesim.assumptions.profile import load_profile as load_profile
    from pipesim.assumptions.profile import to_toml as to_toml
    from pipesim.assumptions.units import days as days
    from pipesim.assumptions.units import hours as hours
    from pipesim.assumptions.units import minutes as minutes
    from pipesim.assumptions.units import seconds as seconds
    from pipesim.cloud.account import Cloud as Cloud
    from pipesim.cloud.artifacts import pack as pack
    from pipesim.cloud.ci import CloudBees as CloudBees
    from pipesim.cloud.ci import Jenkins as Jenkins
    from pipesim.cloud.ci import TeamCity as TeamCity
    from pipesim.cloud.partners import BlazeMeter as BlazeMeter
    from pipesim.cloud.partners import GhostInspector as GhostInspector
    from pipesim.cloud.testing import mock_codepipeline as mock_codepipeline
    from pipesim.cloud.workers import JobFailed as JobFailed
    from pipesim.cloud.workers import JobWorker as JobWorker
    from pipesim.definition.checking import check as check
    from pipesim.definition.model import Action as Action
    from pipesim.definition.model import ActionTypeId as ActionTypeId
    from pipesim.definition.model import Pipeline as Pipeline
    from pipesim.definition.model import Stage as Stage
    from pipesim.definition.problems import Problem as Problem
    from pipesim.definition.triggers import PullRequest as PullRequest
    from pipesim.definition.triggers import Push as Push
    from pipesim.engine.commands import Approve as Approve
    from pipesim.engine.commands import Break as Break
    from pipesim.engine.commands import DisableTransition as DisableTransition
    from pipesim.engine.commands import EnableTransition as EnableTransition
    from pipesim.engine.commands import Override as Override
    from pipesim.engine.commands import Reject as Reject
    from pipesim.engine.commands import Repair as Repair
    from pipesim.engine.commands import Retry as Retry
    from pipesim.engine.commands import Rollback as Rollback
    from pipesim.engine.commands import SourceRevision as SourceRevision
    from pipesim.engine.commands import Start as Start
    from pipesim.engine.commands import Stop as Stop
    from pipesim.engine.commands import Update as Update
    from pipesim.engine.simulate import simulate as simulate
    from pipesim.engine.simulation import Simulation as Simulation
    from pipesim.errors import AssumptionError as AssumptionError
    from pipesim.errors import DeclarationError as DeclarationError
    from pipesim.errors import MissingDependency as MissingDependency
    from pipesim.errors import PipesimError as PipesimError
    from pipesim.errors import Refused as Refused
    from pipesim.errors import SourceError as SourceError
    from pipesim.errors import TraceError as TraceError
    from pipesim.formats.load import load as load
    from pipesim.formats.samples import sample as sample
    from pipesim.formats.samples import sample_history as sample_history
    from pipesim.formats.samples import sample_profile as sample_profile
    from pipesim.trace.cost import cost as cost
    from pipesim.trace.critical_path import critical_path as critical_path
    from pipesim.trace.events import Event as Event
    from pipesim.trace.events import EventKind as EventKind
    from pipesim.trace.history import history as history
    from pipesim.trace.log import Trace as Trace
    from pipesim.trace.measures import measure as measure
    from pipesim.trace.spans import spans as spans
    from pipesim.trace.state import state_at as state_at
    from pipesim.views.board import board as board
    from pipesim.views.diagram import draw as draw
    from pipesim.views.tables import critical_path_table as critical_path_table
    from pipesim.views.tables import events_table as events_table
    from pipesim.views.tables import executions_table as executions_table
    from pipesim.views.tables import measures_table as measures_table
    from pipesim.views.tables import spans_table as spans_table
    from pipesim.views.timeline import timeline as timeline
    from pipesim.whatif.best import best as best
    from pipesim.whatif.compare import compare as compare
    from pipesim.whatif.fit import fit as fit
    from pipesim.whatif.precision import HalfWidth as HalfWidth
    from pipesim.whatif.replicate import replicate as replicate
    from pipesim.whatif.scenario import Scenario as Scenario
    from pipesim.whatif.sensitivity import sensitivity as sensitivity
    from pipesim.whatif.sweep import sweep as sweep


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that ``import pipesim`` stays light."""
    if name in _MODULES:
        return import_module(f"pipesim.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'pipesim' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names for completion."""
    return sorted((*__all__, *_MODULES))


if "IPython" in sys.modules:
    import_module("pipesim.views.display").register()
