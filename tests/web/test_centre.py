"""A centre's pages in a real browser, with a real centre behind them: see, decide, read, and be asked who."""

from __future__ import annotations

import base64
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.instruments.post import PASSWORD, Post, post
from tests.instruments.station import message
from tests.web.conftest import SHOTS

pytestmark = pytest.mark.browser

DUES = """\
UNCLAS NORDHAVEN 0412
TAGS: EWWT, ETRD
SUBJECT: LIGHT DUES FALL BY A TENTH
1. THE HARBOUR OFFICE LOWERS THE LIGHT DUES ON MONDAY.
2. THERE WILL BE HERRING."""


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    """A centre to which have come: a telegram for TRADE, two for a line that is down, one that nobody
    knows a way for."""
    with post(tmp_path_factory.mktemp("centre")) as made:
        made.comes(message("BBA001", serial="0412", text=DUES))
        made.comes(message("BBA002", "QZCCSM", serial="0413"))
        made.comes(message("BBA003", "QZCCSM", serial="0414", letter="P"))
        made.comes(message("BBA004", "QZDDXX", serial="0415"))
        made.taken(4)
        yield made


@pytest.fixture
def hop(centre: Post) -> str:
    """The next channel number of the circuit that is a folder."""
    last = next(c["last_in"] for c in centre.ask("/centre.json")["circuits"] if c["last_in"])
    return f"BBA{int(last[3:]) + 1:03d}"


def enter(page: Page, name: str = "moe") -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


@pytest.fixture
def page(browser: Browser, centre: Post) -> Iterator[Page]:
    """The overview, the operator logged in; what the browser complains of fails the test."""
    context = browser.new_context(base_url=centre.address)
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/centre")
    enter(page)
    page.wait_for_url("**/centre")
    yield page
    context.close()
    assert complaints == []


def answer(centre: Post, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
    """Status and text, or where it leads, of a request that no browser makes."""
    connection = HTTPConnection(centre.address.removeprefix("http://"), timeout=10)
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    connection.request(method, path, body, named)
    said = connection.getresponse()
    text = said.getheader("location") or said.read().decode()
    connection.close()
    return said.status, text


def basic(name: str, password: str = PASSWORD) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def kinds(centre: Post, number: int) -> list[tuple[str, str | None]]:
    entries = centre.ask(f"/centre/message/{number}.json")["entries"]
    return [(entry["kind"], entry["who"]) for entry in entries]


def number_of(centre: Post, serial: str) -> int:
    """The number of a message in the journal, once it has come."""
    return int(centre.until(lambda: centre.ask(f"/centre/find.json?q={serial}"))[0])


# Who comes in


def test_nobody_sees_anything_without_name_and_password(centre: Post) -> None:
    status, where = answer(centre, "GET", "/centre?x=1", Accept="text/html")
    assert (status, where) == (303, "/login?next=/centre%3Fx%3D1")
    for path in ("/", "/centre.json", "/metrics", "/search.json?q=", "/t/25NORDHAVEN412", "/desk"):
        assert answer(centre, "GET", path)[0] == 401, path
    assert answer(centre, "GET", "/centre.json", Authorization=basic("moe", "wrong"))[0] == 401
    assert answer(centre, "GET", "/centre.json", Authorization=basic("moe"))[0] == 200
    assert json.loads(answer(centre, "GET", "/health")[1])["healthy"] is True


def test_a_wrong_password_is_said_and_log_in_leads_where_one_wanted_to_go(
    browser: Browser, centre: Post
) -> None:
    context = browser.new_context(base_url=centre.address)
    page = context.new_page()
    page.goto("/centre/queue?circuit=south")
    page.get_by_label("Name").fill("moe")
    page.get_by_label("Password").fill("not this")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("Name or password is wrong.")
    enter(page)
    page.wait_for_url("**/centre/queue?circuit=south")
    (cookie,) = context.cookies()
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    page.get_by_role("button", name="Log out").click()
    page.goto("/centre")
    assert "/login" in page.url
    context.close()


def test_the_log_in_leads_to_no_other_site(browser: Browser, centre: Post) -> None:
    context = browser.new_context(base_url=centre.address)
    page = context.new_page()
    page.goto("/login?next=//elsewhere.example/centre")
    enter(page)
    page.wait_for_url(f"{centre.address}/centre")
    context.close()


def test_another_sites_page_can_make_nobody_do_anything(centre: Post) -> None:
    known = {"Authorization": basic("moe"), "Content_Type": "application/x-www-form-urlencoded"}
    body = "deed=discard&duty=1&why=spite"
    for other in ({"Origin": "http://elsewhere.example"}, {"Sec_Fetch_Site": "cross-site"}):
        assert answer(centre, "POST", "/centre/do", body, **known, **other)[0] == 403
        assert answer(centre, "POST", "/login", "name=moe", **known, **other)[0] == 403
    plain = {**known, "Content_Type": "text/plain", "Origin": "http://elsewhere.example"}
    assert answer(centre, "POST", "/centre/do", '{"deed": "discard"}', **plain)[0] == 415


# The overview


def test_queues_by_precedence_with_ages_numbers_alerts_and_what_waits_for_a_person(
    page: Page,
) -> None:
    south = page.locator(".circuits tr", has_text="south")
    expect(south.locator(".state")).to_have_text("down")
    expect(south.locator("td.priority b")).to_have_text(re.compile("[1-9]"))
    expect(south.locator("td.routine small")).to_have_text(re.compile(r"\d+ (s|min)"))
    north = page.locator(".circuits tr", has_text="north")
    expect(north).to_contain_text(re.compile(r"BBA\d{3}"))
    expect(page.locator("#alerts")).to_contain_text("south is down: not yet connected")
    expect(page.locator("#operator")).to_contain_text("QZDDXX: no route leads to it")
    page.screenshot(path=SHOTS / "centre-overview.png", full_page=True)
    south.get_by_role("link").click()
    waiting = page.locator(".duties tbody tr")
    expect(waiting.first).to_contain_text("QZBBNV 0414 1550842")
    expect(waiting.first).to_contain_text("south is down: not yet connected")


def test_a_message_is_found_by_any_of_its_numbers_and_its_whole_way_is_shown(page: Page) -> None:
    for words in ("QZBBNV 0412 1550842", "BBA001", "1"):
        page.get_by_role("searchbox").fill(words)
        page.get_by_role("button", name="Find").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("QZBBNV 0412 1550842")
    steps = page.locator(".steps li")
    expect(steps.filter(has_text="taken on from north as BBA001")).to_have_count(1)
    expect(steps.filter(has_text="put before TRADE")).to_have_count(1)
    expect(page.locator(".wire")).to_contain_text("VZCZCBBA001")
    page.get_by_role("link", name="read it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("LIGHT DUES FALL BY A TENTH")
    page.get_by_role("link", name="its way through the centre").click()
    assert page.url.endswith("/centre/message/1")


def test_the_page_stays_fresh_and_leaves_alone_what_somebody_types(
    page: Page, centre: Post, hop: str
) -> None:
    page.goto(f"/centre/message/{number_of(centre, '0415')}")
    page.locator("summary", has_text="Discard").click()
    page.locator("details[open]").get_by_label("Reason").fill("half a rea")
    at = page.evaluate("performance.timeOrigin")
    overview = page.context.new_page()
    overview.goto("/centre")
    overview.get_by_role("link", name="north").focus()
    before = overview.locator("#who").inner_text()
    serial = f"05{hop[-2:]}"
    centre.comes(message(hop, "QZCCSM", serial=serial))
    expect(overview.locator("#who")).not_to_have_text(before)
    expect(overview.locator("#recent")).to_contain_text(hop)
    expect(overview.locator("#circuits")).to_contain_text(hop)
    expect(overview.get_by_role("link", name="north")).to_be_focused()
    expect(page.locator("details[open]").get_by_label("Reason")).to_have_value("half a rea")
    assert page.evaluate("performance.timeOrigin") == at, "it was loaded again"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_telephone(browser: Browser, centre: Post, scheme: Any) -> None:
    context = browser.new_context(
        base_url=centre.address, color_scheme=scheme, viewport={"width": 390, "height": 844}
    )
    page = context.new_page()
    page.goto("/centre")
    enter(page)
    page.wait_for_url("**/centre")
    for path in (
        "/centre",
        "/centre/queue",
        "/centre/find?q=QZBBNV",
        "/centre/message/1",
        "/centre/message/4",
        "/centre/reading",
        "/centre/reading/TRADE",
        "/centre/reading/TRADE/1",
        "/centre/profiles?office=TRADE",
    ):
        reached = page.goto(path)
        assert reached is not None and reached.status == 200, path
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        page.screenshot(
            path=SHOTS / f"centre-{scheme}{path.replace('/', '-').split('?')[0]}.png",
            full_page=True,
        )
    context.close()


# What an operator does


@pytest.mark.parametrize("script", [True, False])
def test_a_garbled_message_is_mended_and_passed_on_and_the_original_stays(
    browser: Browser, centre: Post, hop: str, script: bool
) -> None:
    serial = f"06{hop[-2:]}"
    centre.comes(message(hop, "QZAAMF", serial=serial).replace("RR QZAAMF", "RR QZ?AMF?"))
    number = number_of(centre, hop)
    context = browser.new_context(base_url=centre.address, java_script_enabled=script)
    page = context.new_page()
    page.goto(f"/centre/message/{number}")
    enter(page)
    expect(page.locator(".duty")).to_contain_text("garbled")
    original = page.locator(".wire").text_content()
    page.locator("summary", has_text="Mend and pass on").click()
    field = page.get_by_label("The message as it should be")
    field.fill(field.input_value().replace("RR QZ?AMF?", "RR QZAAMF"))
    page.get_by_role("button", name="Pass on as mended").click()
    expect(page.locator(".steps")).to_contain_text(f"mended by moe from message {number}")
    mended = int(page.url.rpartition("/")[2])
    assert ("corrected", "moe") in kinds(centre, number)
    centre.until(lambda: ("delivered", None) in kinds(centre, mended))
    page.goto(f"/centre/message/{number}")
    assert page.locator(".wire").text_content() == original
    expect(page.locator(".duty")).to_have_count(0)
    context.close()


def test_a_waiting_message_is_held_let_go_and_discarded_with_the_reason(
    page: Page, centre: Post, hop: str
) -> None:
    serial = f"07{hop[-2:]}"
    centre.comes(message(hop, "QZCCSM", serial=serial))
    number = number_of(centre, serial)
    page.goto(f"/centre/message/{number}")
    page.locator("summary", has_text="Hold").click()
    page.locator("details[open]").get_by_label("Reason").fill("the minister wants to see it")
    page.get_by_role("button", name="Hold").click()
    expect(page.locator(".duty")).to_contain_text("held by moe: the minister wants to see it")
    page.get_by_role("button", name="Let it go").click()
    expect(page.locator(".duty")).to_contain_text("Waits for south")
    page.locator("summary", has_text="Discard").click()
    page.get_by_role("button", name="Discard").click()
    assert page.locator(".duty").count() == 1, "without a reason nothing is discarded"
    page.locator("details[open]").get_by_label("Reason").fill("sent by telephone")
    page.get_by_role("button", name="Discard").click()
    expect(page.locator(".duty")).to_have_count(0)
    expect(page.locator(".steps")).to_contain_text("discarded by moe: sent by telephone")
    wanted = [("held", "moe"), ("released-from-hold", "moe"), ("discarded", "moe")]
    assert [each for each in kinds(centre, number) if each[1]] == wanted


def test_what_nobody_knows_a_way_for_is_sent_on_by_hand_sent_again_and_traced(
    page: Page, centre: Post, hop: str
) -> None:
    serial = f"08{hop[-2:]}"
    centre.comes(message(hop, "QZEEXX", serial=serial))
    number = number_of(centre, serial)
    page.goto(f"/centre/message/{number}")
    page.locator("summary", has_text="Send on").click()
    page.get_by_label("Stations").first.fill("QZBBWB")
    page.get_by_role("button", name="Send on").click()
    expect(page.locator(".steps")).to_contain_text("sent on by moe to QZBBWB")
    expect(page.locator(".steps")).to_contain_text("is safe at the other end of north")
    page.reload()
    page.locator("summary", has_text="Send again").click()
    page.get_by_label("Stations").fill("QZBBWB")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator(".steps")).to_contain_text("marked ZFD QZAAMF")
    page.locator("summary", has_text="Trace").click()
    page.get_by_label("Who says").fill("QZBBWB")
    page.get_by_label("Station that is asked").fill("QZBBNV")
    page.get_by_role("button", name="Send a tracer").click()
    expect(page.locator(".steps")).to_contain_text("traced by moe, by way of QZBBNV")
    centre.until(
        lambda: any("CLAIMS NONRECEIPT" in f.read_text() for f in (centre.folder / "out").iterdir())
    )


def test_a_flash_telegram_asks_for_a_person_until_one_has_seen_it(
    page: Page, centre: Post, hop: str
) -> None:
    serial = f"09{hop[-2:]}"
    centre.comes(message(hop, serial=serial, letter="Z"))
    alert = page.locator("#alerts li", has_text=f"FLASH QZBBNV {serial}")
    expect(alert).to_contain_text("waits for a person's acknowledgement")
    alert.get_by_role("button", name="I have seen it").click()
    expect(alert).to_have_count(0)
    assert ("acknowledged", "moe") in kinds(centre, number_of(centre, serial))


def test_a_number_that_will_not_come_is_closed_with_the_reason(
    page: Page, centre: Post, hop: str
) -> None:
    after = f"BBA{int(hop[3:]) + 1:03d}"
    centre.comes(message(after, "QZCCSM", serial=f"10{after[-2:]}"))
    line = page.locator("#awaited li", has_text=hop)
    line.locator("summary").click()
    line.get_by_label("Reason").fill("never sent")
    line.get_by_role("button", name="Close").click()
    expect(page.locator("#awaited li", has_text=hop)).to_have_count(0)
    expect(page.locator("#recent")).to_contain_text(f"moe no longer waits for {hop}: never sent")


# Reading


def test_a_reader_sees_his_offices_telegrams_reads_them_and_nothing_else(
    browser: Browser, centre: Post, hop: str
) -> None:
    serial = f"11{hop[-2:]}"
    subject = f"LIGHT DUES RISE AGAIN {hop}"
    text = DUES.replace("LIGHT DUES FALL BY A TENTH", subject).replace("0412", serial)
    centre.comes(message(hop, serial=serial, text=text))
    context = browser.new_context(base_url=centre.address)
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto("/")
    enter(page, "abela")
    page.wait_for_url("**/centre/reading/TRADE")
    page.get_by_role("link", name=subject).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(subject)
    expect(page.locator(".lying")).to_contain_text("TAGS EWWT; word light dues")
    leading = page.eval_on_selector_all("main a", "links => links.map(a => a.pathname)")
    assert set(leading) <= {"/centre/reading/TRADE", page.url.removeprefix(centre.address)}
    page.get_by_role("button", name="I have read it").click()
    expect(page.locator(".line", has_text=subject)).to_contain_text("read by abela")
    assert ("read", "abela") in kinds(centre, number_of(centre, serial))
    for path in ("/centre", "/centre/message/1", "/centre/reading/CONSULAR", "/search?q=", "/desk"):
        reached = page.goto(path)
        assert reached is not None
        assert reached.status == 403 or page.url.endswith("/centre/reading/TRADE"), path
    known = {"Authorization": basic("abela"), "Content_Type": "application/json"}
    assert answer(centre, "POST", "/centre/do", '{"deed": "hold"}', **known)[0] == 403
    context.close()


def test_what_is_sent_and_received_is_found_in_the_reading_room(page: Page) -> None:
    page.goto("/search?q=herring")
    expect(page.locator(".line h2", has_text="LIGHT DUES FALL BY A TENTH")).to_have_count(1)


def test_a_profile_shows_what_it_would_have_found_last_month(page: Page) -> None:
    page.goto("/centre/profiles")
    row = page.locator(".profiles tr", has_text="TRADE")
    row.get_by_role("link", name="what it would have found last month").click()
    found = page.locator("#trial .line", has_text="LIGHT DUES FALL BY A TENTH")
    expect(found).to_contain_text("TAGS EWWT; word light dues")
    page.locator("summary", has_text="Try a profile").click()
    page.get_by_label("Words").fill("herring, no such word")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#trial .line", has_text="LIGHT DUES FALL")).to_contain_text("word herring")


# Watching


def test_the_metrics_are_what_prometheus_reads_and_say_how_long_what_waits(centre: Post) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    request = urllib.request.Request(f"{centre.address}/metrics")
    request.add_header("Authorization", basic("moe"))
    with urllib.request.urlopen(request) as said:
        assert said.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        families = {f.name: f for f in text_string_to_metric_families(said.read().decode())}
    depth = {
        (s.labels["circuit"], s.labels["precedence"]): s.value
        for s in families["reftel_queue_messages"].samples
    }
    assert depth["south", "PRIORITY"] >= 1
    assert depth["north", "FLASH"] == 0
    ages = families["reftel_queue_oldest_seconds"].samples
    assert all(s.value > 0 for s in ages if depth[s.labels["circuit"], s.labels["precedence"]])
    first = families["reftel_first_byte_seconds"]
    assert first.type == "histogram"
    counts = [s.value for s in first.samples if s.name.endswith("_bucket")]
    ends = [s.labels["le"] for s in first.samples if s.name.endswith("_bucket")]
    assert counts and ends.count("+Inf") == sum(s.name.endswith("_count") for s in first.samples)
    assert {s.labels["event"] for s in families["reftel_events"].samples} >= {"message.accepted"}


def test_the_log_is_json_lines_without_a_telegrams_text(centre: Post) -> None:
    lines = (centre.folder / "data.log").read_text().splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    assert {"centre.started", "message.accepted", "message.delivered"} <= {
        e["event"] for e in events
    }
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", each["at"]) for each in events)
    assert "HERRING" not in "".join(lines).upper()


def test_without_operators_the_pages_are_open_on_this_machine_alone(tmp_path: Path) -> None:
    with post(tmp_path, people=False) as made:
        assert answer(made, "GET", "/centre", Accept="text/html")[0] == 200
        assert answer(made, "GET", "/centre", Host="rebound.example")[0] == 400


def test_an_operator_asks_a_neighbour_by_a_button_and_in_signals(centre: Post, page: Page) -> None:
    """Each becomes a message of which the page shows the way; plain talk is refused with the reason."""
    page.goto("/centre/queue?circuit=north")
    page.get_by_role("button", name="Ask for its last number").click()
    expect(page.get_by_label("The message as it came")).to_contain_text("ZID BBA")
    expect(page.locator(".steps")).to_contain_text("released by moe")
    page.goto("/centre/queue")
    page.get_by_text("In signals of your own").click()
    page.get_by_label("Circuit or station").fill("qzbbnv")
    page.get_by_label("Operating signals").fill("int zdk BBA0001")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_label("The message as it came")).to_contain_text(
        "UNCLAS SVC INT ZDK BBA0001"
    )
    page.goto("/centre/queue?circuit=north")
    page.get_by_text("In signals of your own").click()
    page.screenshot(path=SHOTS / "centre-service.png", full_page=True)
    talk = json.dumps({"deed": "service", "circuit": "north", "text": "hello there"})
    headers = {"Authorization": basic("moe"), "Content_Type": "application/json"}
    status, said = answer(centre, "POST", "/centre/do", talk, **headers)
    assert status == 409
    assert "has no operating signal" in said


def test_an_operator_asks_for_a_part_and_removes_what_has_been_kept(page: Page) -> None:
    page.goto("/centre/message/1")
    page.get_by_text("Ask for a part").click()
    page.get_by_label("Which words").fill("wa light dues")
    page.get_by_role("button", name="Ask QZBBNV").click()
    expect(page.get_by_label("The message as it came")).to_contain_text(
        "INT ZDK QZBBNV 0412 1550842 WA"
    )
    page.goto("/centre")
    expect(page.locator("#awaited")).to_contain_text("PART OF QZBBNV 0412 1550842")
    page.get_by_text("Remove now what has been kept long enough").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("#keeping")).to_contain_text("0 texts and 0 entries removed")
    page.screenshot(path=SHOTS / "centre-keeping.png", full_page=True)
