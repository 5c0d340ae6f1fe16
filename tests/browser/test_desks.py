"""The desks beside a mocked cloud, in JupyterLab: a player of it, the inbox, the event stream."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("pytest_playwright", reason="browser tests need pytest-playwright (the extra 'dev')")

from playwright.sync_api import Page, expect

from tests.browser.asking import DARK, LIGHT, RESTART, keep, overflow, python, set_theme
from tests.browser.axe import serious

pytestmark = pytest.mark.browser

CLOUD = """import pipesim
from dataclasses import replace
from pipesim.widgets import Approvals, Events, Player
cloud = pipesim.Cloud(seed=2).open()
made = pipesim.load("S3 -> CodeBuild -> Manual Approval -> S3")
said = {"CustomData": "Look at the totals. <img src=x onerror=window.hacked=1>",
        "ExternalEntityLink": "https://example.com/totals"}
approval = replace(made.stages[2].actions[0], configuration=said)
stages = (*made.stages[:2], replace(made.stages[2], actions=(approval,)), made.stages[3])
record = cloud.provision(replace(made, name="shop", stages=stages))
for state in ("IN_PROGRESS", "FAILED"):
    detail = {"project-name": "<img src=x onerror=window.hacked=2>", "build-status": state}
    _ = cloud.account.bus.publish("aws.codebuild", "CodeBuild Build State Change", detail)"""
ALL = ".ps-events"


def show(run_cells: Callable[..., Page], *widgets: str) -> Page:
    return run_cells(CLOUD, *widgets, wait_for=".ps-player, .ps-desk")


def test_a_player_of_a_cloud_with_its_logs_and_the_inbox(run_cells: Callable[..., Page]):
    page = show(run_cells, "player = Player(cloud)\nplayer", "inbox = Approvals(cloud)\ninbox")
    expect(page.locator(".ps-approvals")).to_contain_text("Nothing waits")
    page.locator(".ps-player .ps-go-end").click()
    expect(page.locator(".ps-approvals .ps-item")).to_have_count(1, timeout=30_000)
    page.locator(".ps-player .ps-card", has_text="CodeBuild").first.click()
    expect(page.locator(".ps-log-text")).to_contain_text("Phase complete: BUILD State: SUCCEEDED")
    keep(page, ".ps-player", "cloud-player-log")

    item = page.locator(".ps-approvals .ps-item")
    expect(item).to_contain_text("<img src=x")
    expect(item.locator("a")).to_have_attribute("href", "https://example.com/totals")
    keep(page, ".ps-approvals", "approvals-light")
    item.locator("input").focus()
    page.keyboard.type("The totals are right.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".ps-approvals .ps-item")).to_have_count(0)
    expect(page.locator(".ps-approvals .ps-notice")).to_contain_text("approved")
    page.locator(".ps-player .ps-go-end").click()
    expect(page.locator(".ps-player .ps-ended")).to_contain_text("succeeded", timeout=30_000)
    assert python(page, "inbox.answers[0]['comment']") == "'The totals are right.'"
    assert page.evaluate("window.hacked === undefined")
    assert page.locator(".ps-desk img").count() == 0


def test_events_are_filtered_and_caught(run_cells: Callable[..., Page]):
    page = show(run_cells, "events = Events(cloud)\nevents")
    page.locator(".ps-words").fill("codebuild failed")
    expect(page.locator(".ps-events .ps-row")).to_have_count(1)
    page.locator(".ps-events .ps-row").click()
    expect(page.locator(".ps-rule")).to_contain_text('"FAILED"')
    keep(page, ALL, "events-light")
    page.locator(".ps-use").click()
    page.locator(".ps-words").fill("")
    expect(page.locator(".ps-events .ps-row")).to_have_count(1)
    page.locator(".ps-events summary").click()
    page.locator(".ps-pattern").fill("{")
    expect(page.locator(".ps-problem")).to_be_visible()
    assert page.evaluate("window.hacked === undefined")


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_no_serious_barrier_narrow_and_asleep(run_cells: Callable[..., Page], theme: str):
    page = show(run_cells, "inbox = Approvals(cloud)\ncloud.run_until_idle()\ninbox", "events = Events(cloud)\nevents")
    expect(page.locator(".ps-approvals .ps-item")).to_have_count(1, timeout=30_000)
    page.locator(".ps-events .ps-row").first.click()
    expect(page.locator(".ps-rule")).to_be_visible()
    set_theme(page, theme)
    keep(page, ALL, f"events-{theme.split()[1].lower()}")
    keep(page, ".ps-approvals", f"approvals-{theme.split()[1].lower()}")
    found = serious(page, ".ps-approvals") + serious(page, ALL)
    page.set_viewport_size({"width": 560, "height": 1000})
    page.wait_for_timeout(500)
    wide = [overflow(page, ".ps-approvals"), overflow(page, ALL)]
    page.evaluate(RESTART)
    for desk in (".ps-approvals", ALL):
        expect(page.locator(f"{desk} .ps-asleep")).to_contain_text("Asleep", timeout=20_000)
    expect(page.locator(".ps-approve")).to_be_disabled()
    set_theme(page, LIGHT)
    assert found == []
    assert max(wide) <= 1


BROKEN = """import json, pipesim
from pipesim.widgets import Troubleshoot
cloud = pipesim.Cloud(seed=2).open()
_ = cloud.provision("S3 -> CodeBuild -> S3")
desk = Troubleshoot(cloud)
role = next(r for r in desk.roles if any("CodeBuild of" in w for w in r["whom"]))
good = next(p for p in role["policies"] if p["inline"])
bad = good["text"].replace("s3:GetObject", "s3:GetNothing")
desk.save_policy(role["name"], good["name"], bad)
cloud.run_until_idle()"""
DESK = ".ps-troubleshoot"


def test_a_broken_pipeline_is_explored_and_heals(run_cells: Callable[..., Page]):
    page = run_cells(BROKEN, "desk", wait_for=DESK)
    expect(page.locator(".ps-failure")).to_contain_text("CodeBuild")
    expect(page.locator(".ps-hint")).to_have_count(0)
    page.locator(".ps-give").click()
    expect(page.locator(".ps-hint")).to_have_count(1)
    page.locator("[data-section=artifacts]").click()
    expect(page.locator(".ps-section summary").first).to_contain_text("s3://")
    page.locator("[data-section=roles]").click()
    name = python(page, "role['name']").strip("'")
    page.locator(".ps-role > summary", has_text=name).click()
    keep(page, DESK, "troubleshoot-light")
    set_theme(page, DARK)
    keep(page, DESK, "troubleshoot-dark")
    found = serious(page, DESK)
    set_theme(page, LIGHT)
    text = page.locator(".ps-role[open] textarea")
    text.fill(text.input_value().replace("s3:GetNothing", "s3:GetObject"))
    page.locator(".ps-role[open] .ps-save").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".ps-notice")).to_contain_text("saved")
    page.locator(".ps-troubleshoot .ps-retry").click()
    expect(page.locator(".ps-healed")).to_be_visible(timeout=30_000)
    assert python(page, "desk.healed") == "True"
    assert found == []
