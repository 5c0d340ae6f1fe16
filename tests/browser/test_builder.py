"""The builder in a real JupyterLab: built by drag and drop, by keyboard alone, and what a broken file does."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pytest_playwright", reason="browser tests need pytest-playwright (the extra 'dev')")

import nbformat
from playwright.sync_api import Page, expect

from pipesim import check, load
from tests.browser.asking import ours
from tests.browser.axe import serious

pytestmark = pytest.mark.browser
STARTUP = ["GitHub", "CodeBuild", "Manual approval", "Elastic Beanstalk"]
SHOTS = os.environ.get("PIPESIM_SCREENSHOTS")
FOLLOW = """
import json
from pathlib import Path

def follow(change):
    Path("{file}").write_text(json.dumps(change["new"]))

builder.observe(follow, "document")
builder
"""
WIDE = """
from pipesim.formats.samples import sample
hostile = "<img src=x onerror=alert(1)>"
document = json.loads(sample("two-stages").read_text())["pipeline"]
deploy = document["stages"][1]
action = deploy["actions"][0]
document["stages"] += [{**deploy, "name": f"Deploy{number}"} for number in range(48)]
document["stages"][1] = {**deploy, "actions": [{**action, "name": f"Action{number}"} for number in range(35)]}
document["stages"][2] = {**deploy, "name": hostile, "actions": [{**action, "name": hostile}]}
"""


@pytest.fixture
def complaints(page: Page) -> Iterator[list[str]]:
    """Every error of the browser's console; the test fails at its end when there was one."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda line: found.append(line.text) if line.type == "error" else None)
    yield found
    assert ours(found) == []


@pytest.fixture
def show(
    page: Page, run_notebook: Callable[[Path], Page], lab: tuple[str, Path], complaints: list[str], tmp_path: Path
) -> Callable[..., Callable[[], dict[str, Any]]]:
    """Return a function that shows a builder and gives a function that reads its document."""

    def show_builder(name: str, code: str = "builder = Builder()") -> Callable[[], dict[str, Any]]:
        source = f"from pipesim.widgets import Builder\nimport json\n{code}\n{FOLLOW.format(file=f'{name}.json')}"
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path = tmp_path / f"{name}.ipynb"
        path.write_text(nbformat.writes(notebook))
        run_notebook(path)
        expect(page.locator(".ps-builder")).to_be_visible(timeout=90_000)
        return lambda: json.loads((lab[1] / f"{name}.json").read_text())

    return show_builder


def picture(page: Page, name: str, tmp_path: Path) -> None:
    """Keep a picture of the builder where CI asks for it."""
    page.locator(".ps-builder").screenshot(path=Path(SHOTS or tmp_path) / f"builder-{name}.png")


def item(page: Page, name: str) -> Any:
    return page.locator(f'.ps-item[data-name="{name}"]')


def test_the_startup_pipeline_is_built_by_drag_and_drop(
    page: Page, show: Callable[..., Callable[[], dict[str, Any]]], tmp_path: Path
):
    page.set_viewport_size({"width": 1900, "height": 1100})
    document = show("dragged")
    for count, name in enumerate(STARTUP, start=1):
        item(page, name).drag_to(page.locator(".ps-gap").last)
        expect(page.locator(".ps-stage")).to_have_count(count)
    expect(page.locator(".ps-status")).to_contain_text("6 problems")
    expect(page.locator(".ps-complaint").first).to_contain_text("is missing required configuration 'ApplicationName'")

    item(page, "CodeBuild test").drag_to(page.locator('.ps-card[data-name="CodeBuild"]'))
    expect(page.locator(".ps-parallel")).to_contain_text("2 in parallel")
    page.locator('.ps-card[data-name="CodeBuildTest"]').drag_to(page.locator(".ps-stage").nth(1).locator(".ps-end"))
    expect(page.locator(".ps-parallel")).to_have_count(0)
    expect(page.locator(".ps-picture svg")).to_contain_text("run order 2")
    page.locator('.ps-stage-head[data-name="Approval"]').drag_to(
        page.locator(".ps-stage").nth(1), target_position={"x": 5, "y": 15}
    )
    expect(page.locator(".ps-stage-name")).to_have_text(["Source", "Approval", "Build", "Deploy"])
    for _ in range(3):
        page.locator(".ps-undo").click()
    expect(page.locator(".ps-card")).to_have_count(4)

    page.locator(".ps-settings").click()
    page.get_by_role("button", name="Fill in examples for all").click()
    expect(page.locator(".ps-status")).to_contain_text("would take it")
    expect(page.locator(".ps-picture svg")).to_contain_text("ElasticBeanstalk")
    picture(page, "light", tmp_path)
    pipeline = load(document())
    assert [stage.name for stage in pipeline.stages] == ["Source", "Build", "Approval", "Deploy"]
    assert check(pipeline) == ()


def test_the_startup_pipeline_is_built_by_keyboard_alone(
    page: Page, show: Callable[..., Callable[[], dict[str, Any]]], tmp_path: Path
):
    document = show("typed")
    press, write = page.keyboard.press, page.keyboard.type
    page.locator(".ps-search").focus()
    for count, (search, name) in enumerate(
        [
            ("github", "GitHub"),
            ("elastic b", "ElasticBeanstalk"),
            ("codebuild", "CodeBuild"),
            ("manual", "ManualApproval"),
        ],
        start=1,
    ):
        press("Control+A")
        write(search)
        press("Enter")
        expect(page.locator(".ps-stage")).to_have_count(count)
        expect(page.locator('[aria-pressed="true"] .ps-card-name')).to_have_text(name)
    press("F6")
    expect(page.locator('.ps-card[data-name="ManualApproval"]')).to_be_focused()
    expect(page.locator(".ps-stage-name")).to_have_text(["Source", "Deploy", "Build", "Approval"])

    press("ArrowUp")
    press("ArrowLeft")
    press("ArrowLeft")
    expect(page.locator('.ps-stage-head[data-name="Deploy"]')).to_be_focused()
    press("Alt+ArrowRight")
    expect(page.locator(".ps-stage-name")).to_have_text(["Source", "Build", "Deploy", "Approval"])
    press("Alt+ArrowRight")
    expect(page.locator(".ps-stage-name")).to_have_text(["Source", "Build", "Approval", "Deploy"])
    expect(page.locator(".ps-live")).to_contain_text("stage Deploy moved right (stage 4 of 4)")

    values = {
        "GitHub": ["arn:aws:codeconnections:us-east-1:111122223333:connection/aabbccdd", "example/shop", "main"],
        "CodeBuild": ["shop"],
        "ElasticBeanstalk": ["shop", "shop-production"],
    }
    press("Home")
    press("ArrowDown")
    for step, name in enumerate(["GitHub", "CodeBuild", "ManualApproval", "ElasticBeanstalk"]):
        if step:
            press("ArrowRight")
        expect(page.locator(f'.ps-card[data-name="{name}"]')).to_be_focused()
        if name not in values:
            continue
        press("Enter")
        expect(page.locator(".ps-inspector .ps-input:focus")).to_have_count(1)
        expect(page.locator(".ps-form-title")).to_have_text(name)
        for number, value in enumerate(values[name]):
            if number:
                press("Tab")
            write(value)
        press("Escape")
    expect(page.locator(".ps-live")).not_to_contain_text("cannot")
    press("Alt+ArrowLeft")
    expect(page.locator(".ps-stage").nth(2).locator(".ps-card")).to_have_count(2)
    expect(page.locator('.ps-card[data-name="ElasticBeanstalk"]')).to_be_focused()
    press("Alt+p")
    expect(page.locator(".ps-parallel")).to_have_count(1)
    press("Control+z")
    press("Control+z")
    expect(page.locator(".ps-status")).to_contain_text("The service would take it")
    expect(page.locator(".ps-parallel")).to_have_count(0)
    press("Delete")
    expect(page.locator(".ps-card")).to_have_count(3)
    press("Control+z")
    expect(page.locator(".ps-card")).to_have_count(4)

    pipeline = load(document())
    assert check(pipeline) == ()
    assert [stage.name for stage in pipeline.stages] == ["Source", "Build", "Approval", "Deploy"]
    assert pipeline.stage("Source").actions[0].configuration["FullRepositoryId"] == "example/shop"


def test_a_broken_file_is_explained_and_nothing_is_lost(
    page: Page, show: Callable[..., Callable[[], dict[str, Any]]], tmp_path: Path
):
    document = show("opened")
    page.locator(".ps-template").select_option("startup")
    page.locator(".ps-use").click()
    expect(page.locator(".ps-stage")).to_have_count(4)
    page.locator(".ps-open").click()
    page.locator(".ps-source").fill("GitHub → Fish")
    for name, text, words in (
        ("cut.json", '{"name": "shop", "stages": [', "What was here is unchanged"),
        ("shape.json", '{"name": "shop", "stages": [{"name": 7}]}', "must be text"),
    ):
        (tmp_path / name).write_text(text)
        page.locator(".ps-file").set_input_files(tmp_path / name)
        expect(page.locator(".ps-live.ps-error")).to_contain_text(words)
        expect(page.locator(".ps-live.ps-error")).to_contain_text(name)
    picture(page, "broken-file", tmp_path)
    page.locator(".ps-open-source").click()
    expect(page.locator(".ps-live.ps-error")).to_contain_text("Fish")
    expect(page.locator(".ps-source")).to_have_value("GitHub → Fish")
    expect(page.locator(".ps-stage")).to_have_count(4)
    assert document()["name"] == "startup"

    page.locator(".ps-source").fill("GitHub → CodeBuild → ECS")
    page.locator(".ps-open-source").click()
    expect(page.locator(".ps-stage")).to_have_count(3)
    page.locator(".ps-save").click()
    expect(page.locator(".ps-text")).to_have_value(json.dumps({"pipeline": document()}, indent=2) + "\n")
    with page.expect_download() as download:
        page.locator(".ps-download").click()
    assert load(download.value.path().read_text()) == load(document())
    assert serious(page, ".ps-builder") == []


def test_fifty_stages_hostile_names_dark_and_narrow(
    page: Page, show: Callable[..., Callable[[], dict[str, Any]]], tmp_path: Path
):
    page.set_viewport_size({"width": 640, "height": 1000})
    show("wide", f"{WIDE}\nbuilder = Builder(document)")
    page.evaluate("() => window.jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Dark' })")
    try:
        expect(page.locator(".ps-builder.ps-dark")).to_be_visible()
        expect(page.locator(".ps-stage")).to_have_count(50)
        expect(page.locator(".ps-parallel .ps-card")).to_have_count(35)
        expect(page.locator('.ps-stage-head[data-name^="<img"] .ps-stage-name')).to_have_text(
            "<img src=x onerror=alert(1)>"
        )
        assert page.locator('.ps-builder img[src="x"]').count() == 0
        frame = page.locator(".ps-builder").bounding_box()
        output = page.locator(".jp-OutputArea-output").first.bounding_box()
        assert frame and output
        assert frame["width"] <= output["width"] + 1
        drawing = page.evaluate(
            """() => new Promise(done => {
              const start = performance.now();
              document.querySelector('.ps-board').scrollLeft += 500;
              requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
            })"""
        )
        assert drawing < 250
        picture(page, "dark-narrow", tmp_path)
        page.locator(".ps-card").nth(4).click()
        expect(page.locator(".ps-form-title")).to_have_text("Action3")
        assert serious(page, ".ps-builder") == []
    finally:
        page.evaluate(
            "() => window.jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Light' })"
        )
        page.wait_for_timeout(500)


CUSTOM = """
text = {"key": True, "secret": False, "required": True}
acme = {"category": "Test", "provider": "AcmeCheck", "version": "2",
        "inputArtifactDetails": {"minimumCount": 1, "maximumCount": 1},
        "outputArtifactDetails": {"minimumCount": 0, "maximumCount": 0},
        "configurationProperties": [{"name": "Suite", "description": "Which suite runs.", **text}]}
builder = Builder("GitHub -> CodeBuild -> S3", custom_types=[acme])
"""


def test_a_custom_type_variables_triggers_conditions_and_a_template_of_cloudformation(
    page: Page, show: Callable[..., Callable[[], dict[str, Any]]], lab: tuple[str, Path], tmp_path: Path
):
    document = show("custom", CUSTOM)
    page.locator(".ps-stage-head").nth(1).click()
    page.locator(".ps-where-next").click()
    item(page, "Acme Check").click()
    suite = page.get_by_label("Suite")
    expect(page.locator(".ps-inspector")).to_contain_text("Which suite runs.")
    suite.fill("smoke")
    expect(page.locator(".ps-status")).to_contain_text("would take it")
    expect(page.locator('.ps-card[data-name="AcmeCheck"]')).to_be_visible()

    form = page.locator(".ps-inspector")
    page.locator(".ps-settings").click()
    expect(form.get_by_role("button", name="+ Add a variable")).to_be_hidden()
    page.get_by_label("Pipeline type").select_option("V2")
    form.locator("summary", has_text="Variables").click()
    form.get_by_role("button", name="+ Add a variable").click()
    form.locator('[data-path="variables[0].name"]').fill("Colour of it")
    expect(form.locator(".ps-complaint").first).to_contain_text("failed to satisfy constraint")
    form.locator('[data-path="variables[0].name"]').fill("Colour")
    form.locator('[data-path="variables[0].defaultValue"]').fill("blue")
    form.locator("summary", has_text="Triggers").click()
    form.get_by_role("button", name="+ Add a trigger").click()
    expect(form.locator('[data-path^="triggers[0]"]').first).to_be_attached()
    page.locator(".ps-undo").click()
    expect(form.locator('[data-path^="triggers[0]"]')).to_have_count(0)
    page.locator(".ps-stage-head").nth(2).click()
    form.locator("summary", has_text="Conditions on success").click()
    form.get_by_role("button", name="+ Add a condition").click()
    form.locator('[data-path$="rules[0].name"]').fill("Errors")
    picture(page, "conditions", tmp_path)
    page.locator('.ps-card[data-name="S3"]').click()
    form.locator("summary", has_text="timeout").click()
    form.locator('[data-path$="timeoutInMinutes"]').fill("soon")
    expect(form.locator(".ps-complaint").first).to_be_visible()
    expect(form.locator('[data-path$="timeoutInMinutes"]')).to_have_value("soon")
    page.locator(".ps-undo").click()
    expect(form.locator('[data-path$="timeoutInMinutes"]')).to_have_value("")
    made = document()
    assert made["stages"][2]["onSuccess"]["conditions"][0]["rules"][0]["name"] == "Errors"
    assert made["variables"] == [{"name": "Colour", "defaultValue": "blue"}]

    page.locator(".ps-save").click()
    page.locator(".ps-path").fill("made.yaml")
    page.locator(".ps-save-path").click()
    expect(page.locator(".ps-live")).to_contain_text("made.yaml")
    page.locator(".ps-new").click()
    expect(page.locator(".ps-stage")).to_have_count(0)
    page.locator(".ps-open").click()
    (tmp_path / "half.yaml").write_text("Resources:\n  Shop: {Type: AWS::S3::Bucket}\n")
    page.locator(".ps-file").set_input_files(tmp_path / "half.yaml")
    expect(page.locator(".ps-live.ps-error")).to_contain_text("half.yaml")
    page.locator(".ps-file").set_input_files(lab[1] / "made.yaml")
    expect(page.locator(".ps-stage")).to_have_count(3)
    assert load(document()) == load(made)


def test_a_restarted_kernel_is_not_lied_about(page: Page, show: Callable[..., Callable[[], dict[str, Any]]]):
    show("restarted", "builder = Builder('GitHub -> CodeBuild -> ECS')")
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    expect(page.locator(".ps-live.ps-error")).to_contain_text("Asleep", timeout=20_000)
    page.locator(".ps-stage-head").first.click()
    page.locator(".ps-save").click()
    with page.expect_download() as download:
        page.locator(".ps-download").click()
    assert len(load(download.value.path().read_text()).stages) == 3
    expect(page.locator(".ps-live.ps-error")).to_contain_text("Asleep")
    expect(page.locator(".ps-stage")).to_have_count(3)


def test_fast_typing_loses_nothing_and_is_undone_in_one_step(
    page: Page, show: Callable[..., Callable[[], dict[str, Any]]]
):
    code = """
builder = Builder()
for item in ("Source/AWS/S3/1", "Compute/AWS/Commands/1"):
    builder.apply({"op": "add", "item": item, "where": "stage"})
"""
    document = show("fast", code)
    outputs = page.locator('textarea[data-path="stages[1].actions[0].outputArtifacts"]')
    outputs.click()
    page.keyboard.type("First\nSecond\nThird", delay=60)
    expect(page.locator('textarea[data-path$="outputArtifacts[2].files"]')).to_be_attached()
    expect(outputs).to_have_value("First\nSecond\nThird")
    expect(outputs).to_be_focused()
    made = document()["stages"][1]["actions"][0]["outputArtifacts"]
    assert [output["name"] for output in made] == ["First", "Second", "Third"]

    page.locator(".ps-settings").click()
    name = page.locator('[data-path="name"]')
    name.click()
    page.keyboard.press("Control+A")
    page.keyboard.type("a-shop with spaces", delay=60)
    expect(page.locator(".ps-inspector .ps-complaint").first).to_contain_text("failed to satisfy constraint")
    expect(name).to_have_attribute("aria-invalid", "true")
    page.keyboard.press("Control+z")
    expect(name).to_have_value("my-pipeline")
    page.keyboard.press("Control+Shift+z")
    expect(name).to_have_value("a-shop with spaces")
