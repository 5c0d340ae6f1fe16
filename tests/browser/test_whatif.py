"""The knobs as a learner turns them: in JupyterLab, by mouse and keyboard, light, dark and narrow."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

pytest.importorskip("pytest_playwright", reason="browser tests need pytest-playwright (the extra 'dev')")

from playwright.sync_api import Page, expect

from tests.browser.asking import keep, python

pytestmark = pytest.mark.browser

ROOT = ".ps-whatif"
VIEW = f"document.querySelector('{ROOT}').psView"
SHOP = """import pipesim
from pipesim.widgets import WhatIf
pipeline = pipesim.load(pipesim.sample("e-commerce"))
assumptions = pipesim.load_profile(pipesim.sample_profile("e-commerce"))
whatif = WhatIf(pipeline, assumptions, n_slow=100)
whatif"""


def slide(page: Page, name: str, steps: int) -> None:
    """Turn a knob by so many stops, as the arrow keys do."""
    page.locator(f'[data-knob="{name}"]').focus()
    for _ in range(abs(steps)):
        page.keyboard.press("ArrowRight" if steps > 0 else "ArrowLeft")


def test_a_knob_moves_the_lead_time_within_a_fifth_of_a_second(run_cells: Callable[..., Page]):
    page = run_cells(SHOP, wait_for=f"{ROOT} .ps-bars h4")
    keep(page, ROOT, "whatif-light")
    before = page.locator(".ps-bars .ps-key").inner_text()
    page.locator(".ps-pin").click()
    expect(page.locator(".ps-table th", has_text="Difference")).to_be_visible()
    page.locator("summary", has_text="Test").first.click()
    for steps in (1, 1, 1, -1, -1, 1, 1, 1, 1, 1):
        drawn = page.evaluate(f"{VIEW}.latencies.length")
        slide(page, "duration Test/EndToEnd", steps)
        page.wait_for_function(f"before => {VIEW}.latencies.length > before", arg=drawn)
    expect(page.locator(".ps-bars .ps-key")).not_to_have_text(before)
    assert python(page, "whatif.result.engine_used") == "'vectorised'"
    assert int(python(page, "whatif.result.n")) == 1000
    latencies = sorted(page.evaluate(f"{VIEW}.latencies"))
    kernel = float(python(page, "whatif.view['took']"))
    report = f"from the turn to the drawing: median {latencies[len(latencies) // 2]:.0f} ms, "
    report += f"most {latencies[-1]:.0f} ms over {len(latencies)} turns; {kernel:.0f} ms of the last in the kernel"
    print(report)
    assert latencies[len(latencies) // 4] < 200, report  # the median, on a machine that does nothing else
    assert latencies[len(latencies) // 2] < 400, report
    expect(page.locator(".ps-table tbody tr").first.locator("td").nth(2)).to_have_text(re.compile(r"^\+"))
    shown = page.locator(".ps-table tbody tr").first.locator("td").nth(1).inner_text()
    assert shown in python(page, "whatif.view['table']['rows'][0]")
    keep(page, ROOT, "whatif-pinned")


def test_the_slower_engine_says_so_and_is_stopped(run_cells: Callable[..., Page]):
    page = run_cells(SHOP.replace("n_slow=100", "n_slow=1000"), wait_for=f"{ROOT} .ps-bars h4")
    slide(page, "pool builds", -4)
    expect(page.locator(".ps-progress")).to_be_visible()
    expect(page.locator(".ps-how")).to_contain_text("by the slower engine, because")
    keep(page, ROOT, "whatif-slow")
    page.locator(".ps-halt").click()
    expect(page.locator(".ps-progress")).to_be_hidden()
    assert python(page, "whatif.busy") == "False"


def test_settings_are_shown_as_text_refused_and_reset(run_cells: Callable[..., Page]):
    page = run_cells(SHOP, wait_for=f"{ROOT} .ps-bars h4")
    page.locator('[data-knob="mode"]').select_option("PARALLEL")
    expect(page.locator(".ps-refusal")).to_contain_text("cannot be added to a PARALLEL pipeline")
    page.locator('[data-knob="mode"]').select_option("QUEUED")
    expect(page.locator(".ps-refusal")).to_be_hidden()
    page.locator(".ps-python").click()
    expect(page.locator(".ps-text")).to_have_value(re.compile("edit.execution_mode\\('QUEUED'\\)"))
    page.locator(".ps-toml").click()
    expect(page.locator(".ps-text")).to_have_value(re.compile("# execution mode of the pipeline: QUEUED"))
    slide(page, "pool builds", -1)
    expect(page.locator(".ps-text")).to_have_value(re.compile("capacity = 5"))
    page.locator(".ps-text-box .ps-close").click()
    page.locator(".ps-reset").click()
    expect(page.locator(".ps-turned")).to_have_count(0)
    assert python(page, "whatif.settings") == "{}"
