"""The reading room's pages, in process: what they say, hide, escape and refuse."""

from __future__ import annotations

import html
import re
from contextlib import suppress
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import reftel
from reftel.archive import Archive
from reftel.sources import Incoming
from reftel.web import app
from reftel.web.mended import clean_runs, original
from tests.telegrams import WIRE, corpus_texts, example_texts


@pytest.fixture
def client(example_archive: Archive) -> TestClient:
    return TestClient(app(example_archive))


@pytest.mark.parametrize("path", ["/", "/search?q=", "/search?q=goat", "/t/79BERN4120", "/about"])
def test_pages_answer_with_strict_headers_and_no_cookie(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    own = answer.text.replace("http://testserver/", "/")
    assert "http://" not in own.replace("http://www.w3.org", "")
    assert "style=" not in answer.text
    assert "onclick" not in answer.text


def test_other_hosts_are_refused(client: TestClient) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_every_spelling_of_a_number_leads_to_one_address(client: TestClient) -> None:
    for spelling in ("1979BERN04120", "79 BERN 4120", "79bern4120"):
        answer = client.get(f"/t/{spelling}", follow_redirects=False)
        assert answer.status_code == 301
        assert answer.headers["location"] == "/t/79BERN4120"


def test_a_telegram_page_says_what_the_telegram_says(client: TestClient) -> None:
    page = client.get("/t/79COPENHAGEN1102").text
    assert 'id="p1"' in page
    assert 'href="/t/77COPENHAGEN451"' in page
    assert "Embassy Copenhagen" in page
    assert "Denmark" in page, "TAGS are spelled out"
    assert "/search?q=tags%3ADA" in page
    assert "1979COPENHAGEN01102, Central Foreign Policy Files" in page
    assert "79BERN4120" in page, "cited by"


def test_the_json_and_text_twins(client: TestClient) -> None:
    record = client.get("/t/79BERN4120.json").json()
    assert record["mrn"]["text"] == "79BERN4120"
    source = dict(example_texts())["1970s/79BERN4120.txt"]
    assert client.get("/t/79BERN4120.txt").text == source


def test_a_number_that_is_not_held_says_who_cites_it(client: TestClient) -> None:
    answer = client.get("/t/79BERN4071")
    assert answer.status_code == 404
    assert "is not held" in answer.text
    assert "CONVENTION ON LIGHTS SIGNED" in answer.text


def test_sections_and_copies(client: TestClient) -> None:
    several = client.get("/t/07VALLETTA741").text
    assert "section 1 of 3" in several
    assert "section 3 of 3" in several
    assert "Other copies" in client.get("/t/07VALLETTA748").text


def test_a_search_mistake_is_shown_with_its_place(client: TestClient) -> None:
    answer = client.get("/search", params={"q": "psot:BERN"})
    assert answer.status_code == 400
    assert "id you mean post:" in answer.text
    body = client.get("/search.json", params={"q": "psot:BERN"})
    assert body.status_code == 400
    assert body.json()["position"] == 0


def test_a_number_alone_leads_to_its_telegram(client: TestClient) -> None:
    page = client.get("/search", params={"q": "1979BERN04120"}).text
    assert '<a href="/t/79BERN4120">79BERN4120</a>' in page
    absent = client.get("/search", params={"q": "79BERN9999"}).text
    assert "The telegram with this number" not in absent


def test_what_is_no_number_order_or_year_of_a_page_is_refused(client: TestClient) -> None:
    for path, name in (
        ("/search?q=light&page=x", "page"),
        ("/search?q=light&page=0", "page"),
        ("/search.json?q=light&page=-1", "page"),
        ("/search?q=light&order=foo", "order"),
        ("/missing?year=abc", "year"),
        ("/cited?year=19790", "year"),
        ("/cited.json?post=12", "post"),
        ("/thread/79BERN4120?depth=x", "depth"),
    ):
        answer = client.get(path)
        assert answer.status_code == 400, path
        assert f"{name} is " in answer.text
    assert client.get("/missing?post=&year=").status_code == 200


def test_a_page_behind_the_last_says_so(client: TestClient) -> None:
    page = client.get("/search", params={"q": "light", "page": "99999"})
    total = client.get("/search.json", params={"q": "light"}).json()["total"]
    assert page.status_code == 200
    assert f"There is no page 99,999 of {total} telegrams" in page.text
    assert 'href="/search?q=light"' in page.text


def test_typographic_quotation_marks_are_taken_back_as_one(client: TestClient) -> None:
    page = client.get("/search", params={"q": "light subject:“light dues”"}).text
    assert 'aria-label="Remove subject:“light dues”"' in page


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/t/",
        "/d/",
        "/t/x%0Ay",
        "/thread/",
        "/t/nonsense",
        "/d/zzzz",
        "/static/../app.py",
    ],
)
def test_what_is_not_there_is_404(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "<h1>" in answer.text


def test_pages_of_results_hide_nothing(client: TestClient, example_archive: Archive) -> None:
    seen: list[str] = []
    for page in range(1, 10):
        body = client.get("/search.json", params={"q": "", "page": page}).json()
        seen += [result["digest"] for result in body["results"]]
    assert len(seen) == len(set(seen)) == example_archive.count() == body["total"]


def test_facets_narrow_to_their_count(client: TestClient) -> None:
    whole = client.get("/search.json", params={"q": "light"}).json()
    for field, counts in (
        ("post", "post"),
        ("class", "classification"),
        ("tags", "tags"),
        ("year", "year"),
    ):
        for value, count in list(whole["counts"][counts].items())[:5]:
            query = f'light {field}:"{value}"'
            narrowed = client.get("/search.json", params={"q": query}).json()
            assert narrowed["total"] == count, query


@pytest.mark.parametrize("query", ["light", "keeper OR light", "post:BERN OR post:OSLO", ""])
def test_a_facets_link_finds_as_many_as_stand_beside_it_and_is_taken_back(
    client: TestClient, query: str
) -> None:
    page = client.get("/search", params={"q": query}).text
    links = re.findall(r'<li><a href="([^"]+)"[^>]*>[^<]*</a> <span class="count">([0-9,]+)', page)
    assert len(links) > 10
    for url, count in links[::3]:
        narrowed = client.get(html.unescape(url)).text
        assert re.search(rf"\b{count} telegrams?, ", narrowed), url
        assert 'class="chip"' in narrowed


def test_a_value_that_damage_made_stops_no_page(tmp_path: Path) -> None:
    text = WIRE.replace("TAGS: ", 'TAGS: A(B, "LAMP, ')
    with Archive.open(tmp_path / "archive") as archive:
        archive.add([Incoming("damaged.txt", text)])
        (odd,) = [each.value for each in archive.search("").facets.tags if '"' in each.value]
        with TestClient(app(archive)) as client:
            for query in ("", "lamp", "tags:LAMP OR lamp"):
                page = client.get("/search", params={"q": query})
                assert page.status_code == 200, query
                assert odd in html.unescape(page.text)


def test_what_damage_put_a_star_into_is_narrowed_to(tmp_path: Path) -> None:
    text = WIRE.replace("TAGS: ", "TAGS: PREL (J*NE), ").replace("/SECSTATE ", "/S*CSTATE ")
    with Archive.open(tmp_path / "archive") as archive:
        archive.add([Incoming("damaged.txt", text)])
        with TestClient(app(archive)) as client:
            for path, field in (("/search?q=", "tags"), ("/t/07BERN123", "to")):
                links = re.findall(r'href="(/search[^"]*)"', client.get(path).text)
                wanted = {html.unescape(each) for each in links if f"{field}%3A%22" in each}
                assert wanted, field
                for url in wanted:
                    assert "1 telegram, " in client.get(url).text, url


def test_what_a_telegram_contains_is_escaped(tmp_path: Path) -> None:
    evil = '<script>alert(1)</script> & \u202e"><img src=x>'
    text = WIRE.replace("A LAMP FOR THE HARBOUR", evil).replace("It burned", f"It {evil} burned")
    with Archive.open(tmp_path / "a") as archive:
        archive.add([Incoming("t.txt", text)])
        client = TestClient(app(archive))
        for path in ("/", "/search?q=burned", "/t/07BERN123"):
            page = client.get(path).text
            assert "<script>alert" not in page
            assert "<img" not in page
            assert "\u202e" not in page
        page = client.get("/search", params={"q": '"><script>alert(2)</script>'}).text
        assert "<script>alert" not in page


def _all_texts() -> list[str]:
    texts = [text for _, text in example_texts()]
    with suppress(pytest.skip.Exception):
        texts += [text for _, text in corpus_texts()]
    return texts


def test_the_original_is_shown_to_the_letter_and_repairs_where_they_were_made() -> None:
    mended = 0
    for text in _all_texts():
        telegram = reftel.read(text)
        shown = "".join(run.text for passage in original(telegram) for run in passage.runs)
        assert shown == text
        marks = [run.repair for passage in original(telegram) for run in passage.runs if run.repair]
        assert marks == list(telegram.repairs)
        for block in telegram.body:
            runs = clean_runs(telegram, block)
            assert "".join(run.text for run in runs) == block.text
            for run in runs:
                if run.repair:
                    mended += 1
                    assert run.text.strip() == run.repair.now.strip()
    assert mended >= 3


def test_the_anatomy_page_explains_each_line(client: TestClient) -> None:
    page = client.get("/t/07OSLO488").text
    path = page.partition('href="/anatomy/')[2].partition('"')[0]
    anatomy = client.get(f"/anatomy/{path}")
    assert anatomy.status_code == 200
    assert "Format line 6: FM" in anatomy.text
    assert "classification-line" in anatomy.text
    assert client.get("/anatomy/none").status_code == 404


def test_what_the_text_cites_is_a_link(tmp_path: Path) -> None:
    text = WIRE.replace("The lamp was lit.", "The lamp (ref A) was lit, as ROME 777 said.")
    with Archive.open(tmp_path) as archive:
        archive.add([Incoming("x.txt", text)])
        page = TestClient(app(archive)).get("/t/07BERN123").text
    assert '<a class="cites" href="/t/07ROME88" title="07ROME88">ref A</a>' in page
    assert '<a class="cites" href="/t/07ROME777" title="07ROME777">ROME 777</a>' in page
