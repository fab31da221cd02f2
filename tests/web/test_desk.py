"""The desk: findings as one types, completions, marks, the wire form, and drafts that are not lost."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.testclient import TestClient

from reftel.access import EVERYTHING
from reftel.archive import Archive
from reftel.archive.drafts import DraftNameError, Drafts
from reftel.tables.directory import parse_directory
from reftel.web.app import app
from tests.check.test_rules import SOUND as UNDATED
from tests.web.conftest import SHOTS

SOUND = UNDATED.replace("Number: 124", "Number: 124\nDate: 2009-05-14 15:30")
WRONG = SOUND.replace("AMEMBASSY ROME", "AMEMBASSY ROOME").replace("1. (C)", "1. (S)")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with Archive.open(tmp_path / "archive") as archive, TestClient(app(archive)) as client:
        yield client


def look(client: TestClient, draft: str) -> dict[str, object]:
    answer = client.post("/desk/look", json={"draft": draft, "profile": "state-1995-2009"})
    assert answer.status_code == 200
    return dict(answer.json())


def test_findings_have_places_and_the_wire_form_waits_for_the_last_error(
    client: TestClient,
) -> None:
    draft = WRONG
    seen = look(client, draft)
    findings = {each["rule"]: each for each in seen["findings"]}  # type: ignore[attr-defined]
    assert draft[findings["R04"]["start"] : findings["R04"]["end"]] == "AMEMBASSY ROOME"
    assert "R22" in findings
    assert seen["wire"] is None
    sound = look(client, SOUND)
    assert sound["findings"] == []
    assert "C O N F I D E N T I A L BERN 000124" in str(sound["wire"])
    assert sound["level"] == "CONFIDENTIAL"
    assert [each["marking"] for each in sound["marks"]] == ["C", "U"]  # type: ignore[attr-defined]


def test_addresses_tags_and_captions_are_completed(client: TestClient) -> None:
    def found(kind: str, words: str) -> list[str]:
        answer = client.get("/desk/complete", params={"kind": kind, "words": words})
        return [each["value"] for each in answer.json()]

    assert found("address", "amembassy val")[0] == "AMEMBASSY VALLETTA"
    assert "AMEMBASSY VALLETTA" in found("address", "VALL")
    assert "PREL" in found("tags", "PR")
    assert "EWWT" in found("tags", "ocean") or found("tags", "water")
    assert found("captions", "NOD")[0] == "NODIS"
    assert found("nonsense", "X") == []


def test_without_a_script_the_form_checks_saves_and_downloads(client: TestClient) -> None:
    page = client.post("/desk", data={"draft": WRONG, "do": "check"}).text
    assert "AMEMBASSY ROOME is no addressee" in page
    assert (
        client.post("/desk", data={"draft": SOUND, "do": "save", "name": "my-draft"}).status_code
        == 200
    )
    assert SOUND.strip() in client.get("/desk?draft=my-draft").text.replace("&#39;", "'")
    assert "my-draft" in client.get("/desk").text
    draft = client.post("/desk", data={"draft": WRONG, "do": "draft", "name": "my-draft"})
    assert draft.text == WRONG
    assert 'filename="my-draft.txt"' in draft.headers["content-disposition"]
    assert client.post("/desk", data={"draft": WRONG, "do": "wire"}).status_code == 422
    assert client.post("/desk", data={"draft": SOUND, "do": "wire"}).text.startswith(
        "P 141530Z MAY 09"
    )


def test_a_draft_is_taken_from_our_own_pages_only(client: TestClient) -> None:
    data = {"draft": SOUND, "do": "save", "name": "stolen"}
    other = {"Origin": "https://elsewhere.example"}
    assert client.post("/desk", data=data, headers=other).status_code == 403
    crossed = {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/desk", data=data, headers=crossed).status_code == 403
    assert client.get("/desk?draft=stolen").status_code == 404


def test_the_desk_looks_stations_up_in_a_directory(tmp_path: Path) -> None:
    directory = parse_directory(
        '[[station]]\nname = "EMB NORDHAVEN"\nrouting_indicator = "QZBBNV"\n'
    )
    draft = SOUND.replace("AMEMBASSY ROME", "EMB NORDHAVEN")
    with (
        Archive.open(tmp_path / "archive") as archive,
        TestClient(app(archive, directory=directory)) as client,
    ):
        assert "QZBBNV/EMB NORDHAVEN" in str(look(client, draft)["wire"])
        answer = client.get("/desk/complete", params={"kind": "address", "words": "nordh"})
        assert answer.json() == [{"value": "EMB NORDHAVEN", "meaning": "QZBBNV"}]


@pytest.mark.parametrize("name", ["", "../etc", "A", "a/b", "a.txt", "x" * 81])
def test_a_draft_has_a_plain_name(client: TestClient, tmp_path: Path, name: str) -> None:
    with pytest.raises(DraftNameError):
        Drafts(tmp_path, EVERYTHING).save(name, "text")
    assert client.post("/desk", data={"draft": "x", "do": "save", "name": name}).status_code == 400


def test_a_very_long_draft_and_bad_json_are_refused_kindly(client: TestClient) -> None:
    assert "200,000" in str(look(client, "x" * 200_001)["findings"])
    assert client.post("/desk/look", content=b"nonsense").status_code == 400
    assert client.post("/desk/look", json=["draft"]).status_code == 400


@pytest.fixture
def desk(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(base_url=address, viewport={"width": 1360, "height": 1000})
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto("/desk")
    yield page
    context.close()


@pytest.mark.browser
def test_findings_come_beside_the_line_as_one_types(desk: Page) -> None:
    desk.locator("#draft").fill(WRONG)
    expect(desk.locator("#findings .error")).to_have_count(2)
    expect(desk.locator("#gutter .error")).to_have_count(2)
    expect(desk.locator("#under mark.error").first).to_have_text("AMEMBASSY ROOME")
    expect(desk.locator("#wire")).to_contain_text("once no error is left")
    desk.locator("#findings a", has_text="ROOME").click()
    assert desk.evaluate("document.activeElement.id") == "draft"
    desk.locator("#draft").fill(SOUND)
    expect(desk.locator("#findings")).to_contain_text("No rule is broken")
    expect(desk.locator("#wire")).to_contain_text("C O N F I D E N T I A L BERN 000124")
    expect(desk.locator("#level")).to_contain_text("CONFIDENTIAL")
    expect(desk.locator("#marks li")).to_have_count(2)


@pytest.mark.browser
def test_an_answer_is_begun_from_the_telegram(desk: Page) -> None:
    desk.goto("/t/79BERN4120")
    desk.get_by_role("link", name="draft an answer").click()
    expect(desk.locator("#draft")).to_have_value(
        re.compile(r"To: AMEMBASSY BERN\n[\s\S]*79 BERN 4120")
    )


@pytest.mark.browser
def test_an_addressee_and_tags_are_completed_by_the_keyboard(desk: Page) -> None:
    desk.locator("#draft").fill("")
    desk.locator("#draft").press_sequentially("To: vallet")
    expect(desk.locator("#completions li").first).to_contain_text("AMEMBASSY VALLETTA")
    desk.keyboard.press("Enter")
    expect(desk.locator("#draft")).to_have_value("To: AMEMBASSY VALLETTA")
    desk.keyboard.press("Enter")
    desk.locator("#draft").press_sequentially("TAGS: PREL, EW")
    expect(desk.locator("#completions")).to_contain_text("EWWT")
    desk.keyboard.press("Escape")
    expect(desk.locator("#completions")).to_be_hidden()


@pytest.mark.browser
def test_a_draft_is_there_again_after_the_page_was_closed(desk: Page) -> None:
    desk.locator("#draft").fill(WRONG)
    context = desk.context
    desk.close()
    again = context.new_page()
    again.goto("/desk")
    expect(again.locator("#draft")).to_have_value(WRONG)
    expect(again.locator("#findings .error")).to_have_count(2)


@pytest.mark.browser
def test_a_draft_is_saved_and_downloaded(desk: Page, example_archive: Archive) -> None:
    desk.locator("#draft").fill(SOUND)
    desk.locator("[name=name]").fill("lamp")
    desk.get_by_role("button", name="Save").click()
    expect(desk.locator("#state")).to_have_text("Saved as lamp")
    assert Drafts(example_archive.folder, EVERYTHING).read("lamp") == SOUND
    with desk.expect_download() as download:
        desk.get_by_role("button", name="Download wire form").click()
    assert "BERN 000124" in Path(download.value.path()).read_text(encoding="utf-8")
    assert download.value.suggested_filename == "lamp-wire.txt"


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1360), ("dark", 1360), ("light", 390)])
def test_the_desk_has_its_picture_taken(
    browser: Browser, address: str, scheme: str, width: int
) -> None:
    context = browser.new_context(
        base_url=address, viewport={"width": width, "height": 1100}, color_scheme=scheme
    )  # type: ignore[arg-type]
    page = context.new_page()
    page.goto("/desk")
    page.locator("#draft").fill(WRONG)
    expect(page.locator("#findings")).to_contain_text("ROOME")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=SHOTS / f"desk-{scheme}-{width}.png", full_page=True)
    page.locator("#draft").fill(SOUND)
    expect(page.locator("#wire")).to_contain_text("BERN 000124")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=SHOTS / f"desk-sound-{scheme}-{width}.png", full_page=True)
    context.close()


def test_a_draft_that_the_disk_takes_no_more_stays_on_the_page(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Drafts, "save", full)
    page = client.post("/desk", data={"draft": SOUND, "name": "mine", "do": "save"})
    assert page.status_code == 200
    assert "Not saved: No space left on device" in page.text
    assert SOUND.splitlines()[0] in page.text


def test_half_a_character_in_a_draft_stops_nothing(client: TestClient) -> None:
    body = b'{"draft": "TO: STATE\\ud800", "profile": "state-1995-2009"}'
    assert client.post("/desk/look", content=body).status_code == 200
