"""Let a pipeline, a trace or a state on the last line of a notebook cell draw itself.

IPython is told the names of the classes, so that neither they nor ``import pipesim`` know anything of
pictures or of IPython.
"""

from __future__ import annotations

import html
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pipesim.errors import PipesimError

if TYPE_CHECKING:
    from pipesim.definition.model import Pipeline
    from pipesim.trace.log import Trace
    from pipesim.trace.snapshot import PipelineState
    from pipesim.views.diagram import Diagram


def register(shell: Any = None) -> bool:
    """Teach IPython to draw pipelines, traces and states; do nothing where IPython does not run.

    Args:
        shell: the IPython shell; None: the one that runs, when there is one.

    Returns:
        Whether there was a shell to teach.
    """
    shell = shell or _running_shell()
    if shell is None:
        return False
    formatter = shell.display_formatter.formatters["text/html"]
    for (module, name), draw in DRAWINGS.items():
        formatter.for_type_by_name(module, name, _careful(draw))
    return True


def draw_pipeline(pipeline: Pipeline) -> Diagram:
    """Return the diagram of a declaration."""
    from pipesim.views.diagram import draw

    return draw(pipeline)


def draw_trace(trace: Trace) -> Diagram:
    """Return the diagram of a pipeline as it stands at the end of a trace."""
    from pipesim.views.diagram import draw

    return draw(trace.pipeline, trace=trace)


def draw_state(state: PipelineState) -> Diagram:
    """Return the diagram of a state alone; it knows the names of its actions and not their providers."""
    from pipesim.definition.model import Action, ActionTypeId, Pipeline, Stage
    from pipesim.views.diagram import draw

    unknown = ActionTypeId(category="", owner="", provider="")
    stages = tuple(
        Stage(stage.name, tuple(Action(action.name, unknown) for action in stage.actions)) for stage in state.stages
    )
    pipeline = Pipeline(
        state.name, "", stages, version=state.version, execution_mode=state.mode.value, pipeline_type=""
    )
    return draw(pipeline, state)


DRAWINGS: dict[tuple[str, str], Callable[[Any], Diagram]] = {
    ("pipesim.definition.model", "Pipeline"): draw_pipeline,
    ("pipesim.trace.log", "Trace"): draw_trace,
    ("pipesim.trace.snapshot", "PipelineState"): draw_state,
}


def _careful(draw: Callable[[Any], Diagram]) -> Callable[[Any], str]:
    def show(thing: Any) -> str:
        try:
            return draw(thing)._repr_html_()
        except PipesimError as error:
            return f"<pre>{html.escape(repr(thing)[:500])}</pre><p>No picture: {html.escape(str(error))}</p>"

    return show


def _running_shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
