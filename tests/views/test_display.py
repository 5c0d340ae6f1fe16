import subprocess
import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell

from pipesim.errors import MissingDependency
from pipesim.trace.events import Event, EventKind
from pipesim.trace.log import Trace
from pipesim.views import diagram
from pipesim.views.display import draw_state, register
from tests.views.drawings import SHOP, SMALL, everything


@pytest.fixture
def shell():
    shell = InteractiveShell()
    assert register(shell)
    return shell


def shown(shell, thing):
    data, _ = shell.display_formatter.format(thing)
    return data.get("text/html", "")


def test_a_pipeline_draws_itself(shell):
    html = shown(shell, SHOP)
    assert "<svg" in html
    assert "SecurityScan" in html


def test_a_trace_draws_itself(shell):
    created = Event(
        0.0, 0, EventKind.PIPELINE_CREATED, detail={"document": SMALL.to_document(), "start": "2026-03-02T09:00:00Z"}
    )
    assert "Not started" in shown(shell, Trace([created]))


def test_a_state_draws_itself_with_the_names_it_knows(shell):
    html = shown(shell, everything())
    assert "SecurityScan" in html
    assert "CodeBuild" not in html
    assert "type V" not in draw_state(everything()).dot


def test_without_an_engine_the_way_out_is_shown(shell, monkeypatch):
    def missing(*_):
        raise MissingDependency("no engine; pip install <one>")

    monkeypatch.setattr(diagram, "render", missing)
    assert "No picture: no engine; pip install &lt;one&gt;" in shown(shell, SMALL)


def test_without_ipython_nothing_is_registered_and_nothing_is_imported():
    code = (
        "import sys; import pipesim; from pipesim.views.display import register; assert register() is False; "
        "print([m for m in ('IPython', 'pipesim.views.diagram', 'graphviz', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_importing_pipesim_in_a_shell_is_enough():
    code = (
        "from IPython.core.interactiveshell import InteractiveShell; s = InteractiveShell.instance(); import pipesim; "
        "from pipesim.definition.model import Pipeline; "
        "print('<svg' in s.display_formatter.format(Pipeline('p', 'r', ()))[0].get('text/html', ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "True"
