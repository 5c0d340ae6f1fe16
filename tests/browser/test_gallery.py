"""``pipesim app`` without a file: the gallery for a projector."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("pytest_playwright", reason="browser tests need pytest-playwright (the extra 'dev')")

from playwright.sync_api import Page, expect

from tests.browser.asking import keep, ours, overflow
from tests.browser.axe import serious
from tests.browser.voila import open_page, served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=["light", "dark"])
def gallery(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address, and how the page looks."""
    look = str(request.param)
    with served(tmp_path_factory.mktemp("gallery"), *(["--dark"] if look == "dark" else [])) as address:
        yield address, look


def test_each_pipeline_opens_as_picture_film_and_knobs(page: Page, gallery: tuple[str, str]):
    address, look = gallery
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.set_viewport_size({"width": 1280, "height": 800})
    open_page(page, address, ".ps-gallery-card")
    expect(page.locator(".ps-gallery-card")).to_have_count(5)
    keep(page, ".ps-gallery", f"gallery-{look}")
    assert serious(page, ".ps-gallery") == []

    stages = {"startup": 4, "e-commerce": 7, "enterprise": 9, "microservices": 5}
    for name, count in stages.items() if look == "light" else [("enterprise", 9)]:
        page.locator(f".ps-open-{name}").click()
        expect(page.locator(".ps-gallery-picture svg")).to_be_visible(timeout=20_000)
        keep(page, ".ps-gallery", f"gallery-{look}-{name}-picture")
        page.get_by_role("tab", name="A day as a film").click()
        expect(page.locator(".ps-player .ps-stage")).to_have_count(count, timeout=30_000)
        page.locator(".ps-player .ps-play").click()
        expect(page.locator(".ps-player .ps-is-InProgress").first).to_be_visible(timeout=20_000)
        keep(page, ".ps-gallery", f"gallery-{look}-{name}-film")
        assert overflow(page, ".ps-player") <= 1
        page.get_by_role("tab", name="What if").click()
        expect(page.locator(".ps-whatif .ps-bars h4")).to_be_visible(timeout=60_000)
        keep(page, ".ps-gallery", f"gallery-{look}-{name}-whatif")
        page.locator(".ps-gallery-back").click()
        expect(page.locator(".ps-gallery-card")).to_have_count(5)

    page.locator(".ps-open-workbench").click()
    expect(page.locator(".ps-app .ps-builder")).to_be_visible(timeout=20_000)
    keep(page, ".ps-gallery", f"gallery-{look}-workbench")
    assert ours(complaints) == []
