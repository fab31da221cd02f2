"""The reading room in a real browser: find, narrow, open, jump, follow, cite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.web.conftest import SHOTS

pytestmark = pytest.mark.browser


@pytest.fixture(params=["script", "no-script"])
def context(
    request: pytest.FixtureRequest, browser: Browser, address: str
) -> Iterator[BrowserContext]:
    context = browser.new_context(java_script_enabled=request.param == "script", base_url=address)
    context.set_default_timeout(10_000)
    yield context
    context.close()


def test_search_narrow_open_jump_and_follow(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/")
    page.get_by_role("searchbox").fill("graaskaer")
    page.get_by_role("button", name="Search").click()
    everything = page.locator(".line").count()
    assert everything >= 8
    page.locator(".facets").get_by_role("link", name="Oslo", exact=True).click()
    assert 0 < page.locator(".line").count() < everything
    expect(page.locator(".chip")).to_have_count(1)
    page.get_by_role("link", name="GRAASKAER: THE KEEPER SPEAKS").click()
    assert page.url.endswith("/t/77OSLO377")
    page.get_by_role("link", name="Link to paragraph 2").click()
    assert page.url.endswith("#p2")
    expect(page.locator("#p2")).to_be_in_viewport()
    page.get_by_role("link", name="BERN 3455").click()
    assert page.url.endswith("/t/76BERN3455")
    expect(page.get_by_role("heading", level=1)).to_contain_text("ADJOURNED WITHOUT TEXT")


def test_the_original_stands_beside_the_reading_and_repairs_are_shown(
    context: BrowserContext,
) -> None:
    page = context.new_page()
    page.goto("/t/07VALLETTA377")
    expect(page.locator(".original pre")).to_contain_text("11. (SBU) Summary")
    repairs = page.locator("ins.repair")
    assert repairs.count() >= 2
    assert "lost" in (repairs.first.get_attribute("title") or "")


def test_a_citation_is_copied(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    page = context.new_page()
    page.goto("/t/79BERN4120")
    page.locator("[data-copy=footnote]").click()
    expect(page.locator("[data-copy=footnote]")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#footnote").input_value()
    assert "telegram 79BERN4120" in copied
    context.close()


def test_a_search_is_saved_and_a_paragraph_is_cited(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/search?q=lihgt")
    page.get_by_role("link", name="light", exact=True).click()
    page.get_by_text("Save this search").click()
    page.get_by_label("Name").fill("My Search")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#save-name:invalid")).to_be_visible()
    assert "/search" in page.url
    page.get_by_label("Name").fill("lights")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="lights", exact=True)).to_be_visible()
    page.get_by_role("button", name="Forget").click()
    expect(page.get_by_text("There is none yet")).to_be_visible()
    page.goto("/t/79BERN4120")
    page.get_by_label("The telegram, or a paragraph of it").select_option("paragraph 2")
    page.get_by_role("button", name="Cite").click()
    assert "para. 2" in page.locator("#footnote").input_value()
    with page.expect_download() as download:
        page.get_by_role("link", name="RIS").click()
    assert download.value.suggested_filename.endswith(".ris")


def test_keys(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address)
    page = context.new_page()
    page.goto("/search?q=light")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert (
        page.evaluate("document.activeElement.textContent")
        == page.locator(".line h2 a").nth(1).inner_text()
    )
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    context.close()


def test_no_page_asks_another_host_or_breaks_its_policy(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address)
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" else None,
    )
    for path in ("/", "/search?q=light", "/t/79BERN4120", "/about"):
        page.goto(path)
    assert asked
    assert all(url.startswith(address) for url in asked)
    assert not complaints
    context.close()


_PAGES = {
    "home": "/",
    "search": "/search?q=graaskaer",
    "telegram": "/t/07VALLETTA702",
    "telegram-1970s": "/t/79BERN4120",
    "ghost": "/t/79BERN4071",
    "several": "/t/07VALLETTA741",
    "mistake": "/search?q=psot:BERN",
    "suggestion": "/search?q=lihgt+dues",
    "saved": "/saved",
    "for-programs": "/api",
    "help": "/about",
}


def _fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1360), ("dark", 1360), ("light", 390), ("dark", 390)]
)
def test_a_picture_of_each_page(browser: Browser, address: str, scheme: str, width: int) -> None:
    context = browser.new_context(
        base_url=address,
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 900},
    )
    page = context.new_page()
    for name, path in _PAGES.items():
        page.goto(path)
        shot = SHOTS / f"{name}-{scheme}-{width}.png"
        page.screenshot(path=shot)
        assert shot.stat().st_size > 5000
        assert _fits(page), f"{name} is wider than {width} pixels"
    context.close()


def test_a_telegram_prints_without_the_room_around_it(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address)
    page = context.new_page()
    page.goto("/t/07VALLETTA702")
    page.emulate_media(media="print")
    expect(page.locator(".top")).to_be_hidden()
    expect(page.locator(".original")).to_be_hidden()
    expect(page.locator(".print-only")).to_be_visible()
    page.screenshot(path=SHOTS / "telegram-print.png", full_page=True)
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF-")
    Path(SHOTS / "telegram.pdf").write_bytes(pdf)
    context.close()
