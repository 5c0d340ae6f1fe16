import shutil
import stat
import subprocess
import sysconfig

import pytest

from pipesim.errors import MissingDependency, SourceError
from pipesim.views import render as module
from pipesim.views.render import RenderError, find_engines, render

GRAPH = "digraph { rankdir=LR; a [label=<<b>é λ → ≤</b>>]; a -> b }"
STARTS = {"svg": b"<?xml", "png": b"\x89PNG\r\n", "dot": b"digraph", "pdf": b"%PDF"}
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="no system Graphviz")


@pytest.fixture
def no_named_engine(monkeypatch):
    monkeypatch.delenv(module.VARIABLE, raising=False)


@pytest.fixture
def bare_machine(monkeypatch, tmp_path, no_named_engine):
    """A machine without any engine: nothing on the PATH, no scripts, no libraries."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    return tmp_path


def program(folder, name, script):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize("format", ["svg", "png", "dot"])
def test_the_embedded_engine_draws(format):
    assert render(GRAPH, format, "graphviz-pure").startswith(STARTS[format])


def test_the_embedded_engine_draws_the_same_bytes_twice():
    assert render(GRAPH, "svg", "graphviz-pure") == render(GRAPH, "svg", "graphviz-pure")


@pytest.mark.dot
@needs_dot
@pytest.mark.parametrize("format", ["svg", "png", "dot", "pdf"])
def test_the_system_engine_draws(format):
    assert render(GRAPH, format, "dot").startswith(STARTS[format])


def test_warnings_about_widths_are_dropped(capfd):
    render(GRAPH, "svg", "graphviz-pure")
    assert capfd.readouterr() == ("", "")


def test_without_a_pdf_engine_the_ways_out_are_named():
    with pytest.raises(MissingDependency, match=r"no PDF can be drawn.*install graphviz.*pipesim\[pdf\]"):
        render(GRAPH, "pdf", "graphviz-pure")


def test_without_any_engine_the_ways_out_are_named(bare_machine):
    with pytest.raises(MissingDependency, match="no Graphviz engine is installed here: pip install graphviz-pure"):
        render(GRAPH)
    with pytest.raises(MissingDependency, match="'pygraphviz' is not installed"):
        render(GRAPH, engine="pygraphviz")


def test_the_environment_variable_comes_first_then_the_path_then_the_scripts(bare_machine, monkeypatch):
    pure = program(bare_machine, "graphviz-pure", "echo pure")
    assert [engine.name for engine in find_engines()] == ["graphviz-pure"]
    dot = program(bare_machine, "dot", "echo dot")
    assert [engine.program for engine in find_engines()] == [str(dot), str(pure)]
    named = program(bare_machine, "my-dot", "echo named")
    monkeypatch.setenv(module.VARIABLE, str(named))
    assert render(GRAPH) == b"named\n"
    assert render(GRAPH, engine="dot") == b"dot\n"


def test_a_variable_that_names_no_program_is_refused(bare_machine, monkeypatch):
    monkeypatch.setenv(module.VARIABLE, "/nowhere/dot")
    with pytest.raises(SourceError, match=r"PIPESIM_DOT is '/nowhere/dot'.*unset"):
        render(GRAPH)


def test_the_scripts_folder_comes_before_the_path(bare_machine, monkeypatch):
    scripts, path = bare_machine / "scripts", bare_machine / "path"
    for folder in (scripts, path):
        folder.mkdir()
        program(folder, "graphviz-pure", f"echo {folder.name}")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(scripts))
    monkeypatch.setenv("PATH", str(path))
    assert render(GRAPH) == b"scripts\n"


def test_a_slow_engine_is_stopped(bare_machine):
    program(bare_machine, "dot", "exec /bin/sleep 30")
    with pytest.raises(RenderError, match=r"more than 0.2 seconds"):
        render(GRAPH, time_limit=0.2)


def test_a_complaint_is_told_without_the_warnings(bare_machine):
    program(bare_machine, "dot", 'echo "Warning: no value for width of non-ASCII" >&2; echo "syntax error" >&2; exit 1')
    with pytest.raises(RenderError, match=r"dot could not draw: syntax error$"):
        render(GRAPH)


def test_a_program_that_cannot_start_is_told(bare_machine):
    program(bare_machine, "dot", "").write_bytes(b"\x7fELF nonsense")
    with pytest.raises(RenderError, match="cannot be run"):
        render(GRAPH)


def test_broken_text_is_refused_by_the_real_engine():
    with pytest.raises(RenderError, match="could not draw"):
        render("digraph { a [label=<<b>>] ", "svg", "graphviz-pure")


@pytest.mark.parametrize(
    ("format", "engine", "said"), [("gif", "auto", "svg, png, pdf, dot"), ("svg", "neato", "'dot'")]
)
def test_unknown_formats_and_engines_are_refused_with_the_choices(format, engine, said):
    with pytest.raises(SourceError, match=said):
        render(GRAPH, format, engine)


def test_no_shell_is_used(monkeypatch, bare_machine):
    program(bare_machine, "dot", "echo dot")
    seen = {}

    def run(command, **options):
        seen.update(options, command=command)
        return subprocess.CompletedProcess(command, 0, b"picture", b"")

    monkeypatch.setattr(module.subprocess, "run", run)
    assert render(GRAPH) == b"picture"
    assert isinstance(seen["command"], list)
    assert not seen.get("shell")
    assert seen["timeout"] == module.TIME_LIMIT


@pytest.mark.dot
@pytest.mark.parametrize("format", ["svg", "png", "dot", "pdf"])
def test_the_library_draws(format):
    pytest.importorskip("pygraphviz")
    assert STARTS[format] in render(GRAPH, format, "pygraphviz")[:60]
