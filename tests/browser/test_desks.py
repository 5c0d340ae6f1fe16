"""The desks beside a mocked cloud, in JupyterLab: a player of it, the inbox, the event stream."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

pytest.importorskip("pytest_playwright", reason="browser tests need pytest-playwright (the extra 'dev')")

from playwright.sync_api import Page, expect

from tests.browser.asking import keep, python

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

    page.locator(".ps-player .ps-start-change").click()
    page.locator(".ps-player .ps-go-end").click()
    expect(item).to_have_count(1, timeout=30_000)
    item.locator("input").fill("Not on a Friday.")
    item.locator(".ps-reject").click()
    expect(page.locator(".ps-approvals .ps-notice")).to_contain_text("rejected")
    page.locator(".ps-approvals summary").click()
    expect(page.locator(".ps-answers li")).to_have_count(2)
    expect(page.locator(".ps-answers")).to_contain_text("Not on a Friday.")
    keep(page, ".ps-approvals", "approvals-answered")
    page.locator(".ps-player .ps-go-end").click()
    expect(page.locator(".ps-player .ps-ended")).to_contain_text("failed", timeout=30_000)
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


BROKEN = """import pipesim
from pipesim.widgets import Troubleshoot
cloud = pipesim.Cloud(seed=2).open()
_ = cloud.provision("S3 -> CodeBuild -> S3")
cloud.run_until_idle()
desk = Troubleshoot(cloud, fault="permission")"""
DESK = ".ps-troubleshoot"


def test_a_broken_pipeline_is_explored_and_heals(run_cells: Callable[..., Page]):
    page = run_cells(BROKEN, "desk", wait_for=DESK)
    expect(page.locator(".ps-failure")).to_be_hidden()
    page.locator(f"{DESK} .ps-wait").click()
    expect(page.locator(".ps-failure")).to_contain_text("not authorized to perform", timeout=30_000)
    expect(page.locator(".ps-hint")).to_have_count(0)
    lacking = re.search(r"perform: (\S+)", page.locator(".ps-failure").inner_text())
    assert lacking
    for count in range(1, 7):
        page.locator(".ps-give").click()
        expect(page.locator(".ps-hint")).to_have_count(count, timeout=20_000)
    expect(page.locator(".ps-hint").nth(4)).to_contain_text(f"the permission {lacking[1]}")
    expect(page.locator(".ps-give")).to_be_disabled()
    page.locator("[data-section=artifacts]").click()
    expect(page.locator(".ps-section summary").first).to_contain_text("s3://", timeout=20_000)
    page.locator("[data-section=roles]").click()
    role = page.locator(".ps-role", has_text="acts for the pipeline")
    role.locator("> summary").click()

    text = role.locator("textarea").first
    good = text.input_value()
    text.fill(good.removesuffix("}"))
    role.locator(".ps-save").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"{DESK} .ps-refusal").first).to_contain_text("MalformedPolicyDocument", timeout=20_000)
    page.locator("[data-section=log]").click()
    page.locator("[data-section=roles]").click()
    expect(text).to_have_value(good.removesuffix("}"), timeout=20_000)
    policy = json.loads(good)
    policy["Statement"].append({"Effect": "Allow", "Action": lacking[1], "Resource": "*"})
    role.locator("> summary").click()
    text.fill(json.dumps(policy))
    role.locator(".ps-save").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"{DESK} .ps-notice")).to_contain_text("is saved", timeout=20_000)
    expect(text).to_be_visible()
    expect(role.locator(".ps-save").first).to_be_focused()
    keep(page, DESK, "troubleshoot-saved")
    page.locator(f"{DESK} .ps-retry").click()
    expect(page.locator(".ps-healed")).to_be_visible(timeout=30_000)
    assert python(page, "desk.healed") == "True"
    keep(page, DESK, "troubleshoot-healed")
