"""The page that ``pipesim app`` serves passes the main story: build, run, approve, turn a knob."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

pytest.importorskip("pytest_playwright", reason="browser tests need pytest-playwright (the extra 'dev')")

from playwright.sync_api import Page, expect

from tests.browser.asking import keep, ours, overflow
from tests.browser.axe import serious
from tests.browser.voila import open_page, served

pytestmark = pytest.mark.browser

SKETCH = "GitHub -> CodeBuild -> Manual Approval -> S3"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page is served."""
    with served(tmp_path_factory.mktemp("voila"), SKETCH) as address:
        yield address


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def test_build_run_approve_and_turn_a_knob(page: Page, address: str):
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    open_page(page, address, ".ps-builder")
    keep(page, ".ps-app", "app-build")

    page.locator(".ps-app-run").click()
    expect(page.locator(".ps-player")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Go on for 1 hour").click()
    page.locator(".ps-need").click(timeout=20_000)
    page.locator(".ps-inspector [data-field=comment]").fill("Looks good.")
    page.locator(".ps-approve").click()
    page.get_by_role("button", name="Go on for 1 hour").click()
    expect(page.locator(".ps-ended")).to_contain_text("succeeded", timeout=20_000)
    keep(page, ".ps-app", "app-run")

    page.locator(".ps-app-ask").click()
    expect(page.locator(".ps-whatif .ps-bars h4")).to_be_visible(timeout=20_000)
    page.locator(".ps-pin").click()
    page.locator("summary", has_text="Build").click()
    page.locator('[data-knob^="duration Build/"]').focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".ps-table tbody tr").first.locator("td").nth(2)).to_have_text(re.compile(r"^\+"))
    keep(page, ".ps-app", "app-whatif")
    page.set_viewport_size({"width": 420, "height": 900})
    page.wait_for_timeout(400)
    assert overflow(page, ".ps-whatif") <= 1
    assert serious(page, ".ps-app") == []
    assert ours(complaints) == []


def test_an_update_and_what_is_not_complete(page: Page, address: str):
    open_page(page, address, ".ps-builder")
    expect(page.locator(".ps-app-update")).to_be_disabled()
    page.locator(".ps-app-run").click()
    expect(page.locator(".ps-player .ps-stage")).to_have_count(4, timeout=20_000)

    tab(page, "Build")
    page.locator(".ps-builder .ps-stage").nth(2).locator(".ps-stage-head").first.click()
    page.keyboard.press("Delete")
    expect(page.locator(".ps-builder .ps-stage")).to_have_count(3)
    page.locator(".ps-app-update").click()
    expect(page.locator(".ps-player .ps-stage")).to_have_count(3, timeout=20_000)
    expect(page.locator(".ps-player .ps-log")).to_contain_text("updated to version 2")

    tab(page, "Build")
    for count in (2, 1):
        page.locator(".ps-builder .ps-stage").nth(count).locator(".ps-stage-head").first.click()
        page.keyboard.press("Delete")
        expect(page.locator(".ps-builder .ps-stage")).to_have_count(count)
    page.locator(".ps-app-run").click()
    expect(page.get_by_role("alert").filter(has_text="not complete yet")).to_be_visible()
