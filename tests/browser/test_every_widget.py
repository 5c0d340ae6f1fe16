"""What holds for every widget: light, dark and narrow without barriers, names stay text, a lost kernel is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("pytest_playwright", reason="browser tests need pytest-playwright (the extra 'dev')")

from playwright.sync_api import Page, expect

from tests.browser.asking import DARK, LIGHT, RESTART, keep, overflow, python, set_theme
from tests.browser.axe import serious

pytestmark = pytest.mark.browser

ROOTS = (".ps-builder", ".ps-player", ".ps-whatif", ".ps-approvals", ".ps-events", ".ps-troubleshoot")
NARROW = {"width": 420, "height": 1000}
WIDE = {"width": 1400, "height": 1000}
HOSTILE = """import json, pipesim
from dataclasses import replace
from pipesim.assumptions.model import Approver, Assumptions
from pipesim.engine import Simulation, Start
from pipesim.widgets import Approvals, Builder, Events, Player, Troubleshoot, WhatIf
bad = "<img src=x onerror=window.hacked=1>"
pipeline = pipesim.load("GitHub -> CodeBuild -> Manual Approval -> S3")
document = json.loads(json.dumps(pipeline.to_document(), default=list))
document["stages"][1]["name"] = document["stages"][1]["actions"][0]["name"] = bad
builder = Builder(document, custom_types=[{"category": "Test", "provider": bad, "version": "1"}])
builder.apply({"op": "select", "path": "stages[1].actions[0]"})
builder"""
PLAYER = """by_hand = Assumptions(arrivals=pipesim.At(()), approvals={"*": Approver()})
player = Player(Simulation(replace(pipeline, pipeline_type="V2"), by_hand))
player.do(Start(bad))
player"""
WHATIF = """profile = pipesim.load_profile(pipesim.sample_profile("e-commerce"))
whatif = WhatIf(pipesim.load(pipesim.sample("e-commerce")), profile, n_slow=100)
whatif.set_trait("title", bad)
whatif.message = bad
whatif"""
CLOUD = """cloud = pipesim.Cloud(seed=2).open()
made = pipesim.load("S3 -> CodeBuild -> Manual Approval -> S3")
said = {"CustomData": bad, "ExternalEntityLink": "https://example.com/totals"}
approval = replace(made.stages[2].actions[0], configuration=said)
asking = (*made.stages[:2], replace(made.stages[2], actions=(approval,)), made.stages[3])
_ = cloud.provision(replace(made, name="shop", stages=asking))
cloud.run_until_idle()
_ = cloud.provision(replace(pipesim.load("S3 -> CodeBuild -> S3"), name="broken"))
_ = cloud.account.bus.publish("aws.codebuild", "CodeBuild Build State Change", {"project-name": bad})
desk = Troubleshoot(cloud, "broken", fault="permission")
cloud.run_until_idle()
denied = {"Effect": "Deny", "Action": "s3:ListAllMyBuckets", "Resource": "arn:aws:s3:::" + bad}
document = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
made = cloud.client("iam").create_policy(PolicyName="seen", PolicyDocument=document)
_ = cloud.client("iam").attach_role_policy(RoleName=desk.roles[0]["name"], PolicyArn=made["Policy"]["Arn"])
inbox = Approvals(cloud)
inbox"""
EVENTS = """events = Events(cloud)
events.selection = events.shown[0]["id"]
events"""
DESK = """desk.section = "roles"
desk"""


def unfold(page: Page) -> None:
    """Bring on what each widget shows only when asked: a refusal, a baseline, settings as text, a hint, a policy."""
    page.locator(".ps-player .ps-go-ten").click()
    page.locator(".ps-player .ps-need").click(timeout=20_000)
    page.locator(".ps-player .ps-retry-failed").click()
    expect(page.locator(".ps-player .ps-refusal")).to_contain_text("StageNotRetryableException")
    page.locator(".ps-whatif .ps-pin").click()
    page.locator(".ps-whatif summary", has_text="Test").first.click()
    page.locator(".ps-whatif .ps-python").click()
    expect(page.locator(".ps-whatif .ps-text")).to_be_visible()
    page.locator(".ps-troubleshoot .ps-give").click()
    page.locator(".ps-troubleshoot .ps-role > summary").first.click()
    expect(page.locator(".ps-troubleshoot .ps-hint")).to_have_count(1, timeout=20_000)
    page.locator(".ps-builder .ps-status").click()


def test_every_widget_in_light_dark_and_narrow_and_without_its_kernel(run_cells: Callable[..., Page]):
    page = run_cells(HOSTILE, PLAYER, WHATIF, CLOUD, EVENTS, DESK, wait_for=ROOTS[0])
    page.evaluate("window.jupyterapp.shell.collapseLeft()")
    for root in (*ROOTS, ".ps-whatif .ps-bars h4"):
        page.wait_for_selector(root, timeout=60_000)
    unfold(page)
    found = {}
    for theme in (LIGHT, DARK):
        set_theme(page, theme)
        for size in (WIDE, NARROW):
            page.set_viewport_size(size)
            page.wait_for_function("width => window.innerWidth === width", arg=size["width"])
            look = f"{theme.split()[1].lower()}-{size['width']}"
            for root in ROOTS:
                keep(page, root, f"every-{root[4:]}-{look}")
                found[f"{root} {look}"] = [overflow(page, root) > 1, serious(page, root)]
        page.locator(".ps-table-toggle").click()
        expect(page.locator(".ps-table-box table")).to_be_visible()
        found[f"table {theme}"] = [overflow(page, ".ps-player") > 1, serious(page, ".ps-player")]
        page.locator(".ps-table-toggle").click()
    set_theme(page, LIGHT)
    page.set_viewport_size(WIDE)
    assert {place: faults for place, faults in found.items() if faults != [False, []]} == {}

    for root in ROOTS:
        expect(page.locator(root)).to_contain_text("<img src=x")
    assert page.locator(", ".join(f"{root} img" for root in ROOTS)).count() == 0
    assert page.evaluate("window.hacked === undefined")

    assert python(page, "desk.failure.stage") == "'Build'"
    page.evaluate(RESTART)
    for root in ROOTS:
        said = page.locator(f"{root} .ps-asleep:visible, {root}.ps-asleep > .ps-live")
        expect(said).to_contain_text("Asleep", timeout=20_000)
    for button in (".ps-start-change", ".ps-reset", ".ps-item .ps-approve", ".ps-events .ps-use", ".ps-give"):
        expect(page.locator(button)).to_be_disabled()
