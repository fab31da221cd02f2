"""The API: its description holds, whatever is asked; pages give citations to the programs that look."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
import rispy
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.testclient import TestClient

from reftel.archive import Archive
from reftel.sources import walk
from reftel.web import app


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> Iterator[Archive]:
    """An archive of one's own: searches are saved in it."""
    with Archive.open(tmp_path_factory.mktemp("api") / "archive") as archive:
        archive.add(walk([str(examples)]))
        yield archive


@pytest.fixture(scope="module")
def client(archive: Archive) -> TestClient:
    return TestClient(app(archive))


@pytest.fixture(scope="module")
def spec(client: TestClient) -> dict[str, Any]:
    described: dict[str, Any] = client.get("/openapi.json").json()
    return described


def test_the_description_is_openapi(spec: dict[str, Any]) -> None:
    assert spec["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(spec).iter_errors()) == []


class Described:
    """The client, which holds every answer against the description."""

    def __init__(self, client: TestClient, spec: dict[str, Any]) -> None:
        self._client, self._spec = client, spec

    def ask(self, method: str, path: str, url: str, **values: Any) -> Any:
        answer = self._client.request(method, url, **values)
        responses = self._spec["paths"][path][method.lower()]["responses"]
        assert str(answer.status_code) in responses, (url, answer.status_code, answer.text[:300])
        content = responses[str(answer.status_code)].get("content")
        if content is None:
            assert not answer.content
            return answer
        kind = answer.headers["content-type"].partition(";")[0]
        assert kind in content, (url, kind)
        schema = content[kind].get("schema")
        lines = answer.text.splitlines() if kind == "application/x-ndjson" else [answer.text]
        for line in lines if schema else ():
            checked = {**schema, "components": self._spec["components"]}
            errors = list(Draft202012Validator(checked).iter_errors(json.loads(line)))
            assert not errors, (url, errors[:2])
        return answer


@pytest.fixture(scope="module")
def api(client: TestClient, spec: dict[str, Any]) -> Described:
    return Described(client, spec)


def test_every_operation_answers_as_described(api: Described, archive: Archive) -> None:
    digest = next(archive.every("mrn:79BERN4120")).digest
    found = api.ask("GET", "/api/search", "/api/search?q=light&limit=3").json()
    assert found["total"] == archive.search("light").total
    assert len(found["results"]) == 3
    assert api.ask("GET", "/api/search", "/api/search?q=lihgt").json()["suggestion"] == "light"
    wrong = api.ask("GET", "/api/search", "/api/search?q=light%20(")
    assert wrong.json() == {
        "error": "the query ends where a word is expected",
        "status": 400,
        "position": 7,
    }
    batch = api.ask(
        "POST",
        "/api/search/batch",
        "/api/search/batch",
        json={"queries": ["light", "(", "zzzz"], "limit": 2},
    )
    assert [json.loads(line)["line"] for line in batch.text.splitlines()] == [1, 1, 2, 3]
    api.ask("POST", "/api/search/batch", "/api/search/batch", content=b"{")
    for limit in (-1, 2**70, "x"):
        body = {"queries": ["light"], "limit": limit}
        many = api.ask("POST", "/api/search/batch", "/api/search/batch", json=body)
        assert many.status_code == 400, limit
        assert "limit" in many.json()["error"]
    held = api.ask("GET", "/api/telegrams/{number}", "/api/telegrams/79BERN4120").json()
    assert held[0]["record"]["subject"] == "CONVENTION ON LIGHTS SIGNED"
    api.ask("GET", "/api/telegrams/{number}", "/api/telegrams/79BERN1")
    place = f"/api/documents/{digest[:16]}"
    assert api.ask("GET", "/api/documents/{digest}", place).json() == held[0]
    api.ask("GET", "/api/documents/{digest}", "/api/documents/xyz")
    assert len(api.ask("GET", "/api/documents/{digest}/like", f"{place}/like?limit=2").json()) == 2
    told = api.ask("GET", "/api/threads/{number}", "/api/threads/79BERN4120?depth=2").json()
    assert told["start"] == "79BERN4120"
    assert len(told["nodes"]) > 1
    api.ask("GET", "/api/threads/{number}", "/api/threads/none")
    other = next(each["mrn"] for each in told["nodes"] if each["mrn"] != "79BERN4120")
    way = "/api/threads/{number}/to/{other}"
    assert api.ask("GET", way, f"/api/threads/79BERN4120/to/{other}").json()["nodes"]
    api.ask("GET", way, "/api/threads/79BERN4120/to/none")
    assert len(api.ask("GET", "/api/cited", "/api/cited?limit=2").json()) == 2
    api.ask("GET", "/api/cited", "/api/cited?q=%28")
    held_of = api.ask("GET", "/api/missing", "/api/missing?post=BERN").json()
    assert {each["post"] for each in held_of} == {"BERN"}
    for path, name, value in (
        ("/api/missing", "year", "abc"),
        ("/api/missing", "post", "12"),
        ("/api/cited", "year", "79"),
        ("/api/cited", "limit", "-1"),
        ("/api/cited", "limit", "many"),
        ("/api/threads/{number}", "depth", "0"),
        ("/api/threads/{number}", "limit", "99999"),
    ):
        url = path.replace("{number}", "79BERN4120")
        refused = api.ask("GET", path, f"{url}?{name}={value}")
        assert refused.status_code == 400, url
        assert refused.json()["error"].startswith(f"{name} is ")
    gaps = api.ask("GET", "/api/missing/{post}/{year}", "/api/missing/BERN/1979").json()
    assert gaps["numbers"]
    api.ask("GET", "/api/missing/{post}/{year}", "/api/missing/BERN/79")
    for form in ("note", "bibliography", "archives", "bibtex", "ris", "csl-json", "poem"):
        path = "/api/documents/{digest}/citation"
        api.ask("GET", path, f"{place}/citation?form={form}&paragraph=2")
    api.ask("GET", "/api/documents/{digest}/citation", f"{place}/citation?paragraph=99")
    for form in ("csv", "jsonl", "parquet", "mbox", "text", "bibtex", "ris", "csl-json", "poem"):
        api.ask("GET", "/api/export", f"/api/export?q=light&form={form}")
    api.ask("GET", "/api/export", "/api/export?q=(&form=parquet")


def test_a_search_is_saved_looked_at_and_forgotten(api: Described, archive: Archive) -> None:
    one = "/api/saved/{name}"
    saved = api.ask("PUT", one, "/api/saved/dues", json={"query": "light"}).json()
    assert (saved["total"], saved["new"]) == (archive.search("light").total, 0)
    assert api.ask("GET", one, "/api/saved/dues?limit=2").json()["results"] == []
    api.ask("POST", "/api/saved/{name}/seen", "/api/saved/dues/seen")
    assert [each["name"] for each in api.ask("GET", "/api/saved", "/api/saved").json()] == ["dues"]
    api.ask("DELETE", one, "/api/saved/dues")
    for name in ("dues", "NO"):
        api.ask("GET", one, f"/api/saved/{name}")
        api.ask("DELETE", one, f"/api/saved/{name}")
        api.ask("POST", "/api/saved/{name}/seen", f"/api/saved/{name}/seen")
    api.ask("PUT", one, "/api/saved/dues", json={"query": "("})
    api.ask("PUT", one, "/api/saved/dues", json={"q": "light"})


_TEXT = st.text(max_size=30) | st.text('light dues"~5()*:-ANDOR', max_size=30)
_NUMBER = st.integers(-5, 2000).map(str) | st.text(max_size=8)


@settings(
    max_examples=20,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(q=_TEXT, limit=_NUMBER, offset=_NUMBER, form=_TEXT | st.just("ris"), name=_TEXT)
def test_whatever_is_asked_is_answered_as_described(
    api: Described, q: str, limit: str, offset: str, form: str, name: str
) -> None:
    q, limit, offset, form, name = (
        quote(each.encode("utf-8", "replace"), safe="") for each in (q, limit, offset, form, name)
    )
    api.ask("GET", "/api/search", f"/api/search?q={q}&limit={limit}&offset={offset}&order=newest")
    api.ask("GET", "/api/export", f"/api/export?q={q}&form={form}")
    if name.strip(".") and "%2F" not in name:
        api.ask("GET", "/api/telegrams/{number}", f"/api/telegrams/{name}")
        api.ask("GET", "/api/documents/{digest}", f"/api/documents/{name}")
        api.ask("GET", "/api/saved/{name}", f"/api/saved/{name}?limit={limit}&offset={offset}")


def test_another_sites_page_changes_nothing(client: TestClient) -> None:
    stranger = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    answers = [
        client.put("/api/saved/x", json={"query": "a"}, headers=stranger),
        client.delete("/api/saved/x", headers=stranger),
        client.post("/saved", data={"name": "x", "q": "a"}, headers=stranger),
        client.post("/saved/x", data={"do": "forget"}, headers=stranger),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4


def test_a_name_that_is_taken_is_given_up_only_when_that_is_asked(client: TestClient) -> None:
    client.post("/saved", data={"name": "taken", "q": "goat"})
    refused = client.post("/saved", data={"name": "taken", "q": "light"})
    assert refused.status_code == 409
    assert "A search is saved as taken already" in refused.text
    assert client.get("/api/saved/taken").json()["search"]["query"] == "goat"
    client.post("/saved", data={"name": "taken", "q": "light", "replace": "yes"})
    assert client.get("/api/saved/taken").json()["search"]["query"] == "light"
    client.put("/api/saved/taken", json={"query": "fog"})
    assert client.get("/api/saved/taken").json()["search"]["query"] == "fog"
    client.post("/saved/taken", data={"do": "forget"})


def test_the_page_of_saved_searches_keeps_marks_and_forgets(client: TestClient) -> None:
    kept = client.post("/saved", data={"name": "goats", "q": "goat"}, follow_redirects=True)
    assert "goats" in kept.text
    assert "0 new" in kept.text
    assert client.get("/saved/goats").status_code == 200
    assert client.post("/saved", data={"name": "A B", "q": "goat"}).status_code == 400
    assert client.post("/saved/goats", data={"do": "seen"}).status_code == 200
    client.post("/saved/goats", data={"do": "forget"})
    assert client.get("/saved/goats").status_code == 404


class _Head(HTMLParser):
    """The embedded metadata of a page, as Zotero's Embedded Metadata translator reads it: the prefix before
    the first point, in lower case, then the property with a small first letter."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self.unapi: list[str] = []
        self.server: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "meta" and "." in given.get("name", ""):
            prefix, _, name = given["name"].partition(".")
            key = f"{prefix.lower()}:{name[0].lower()}{name[1:]}"
            self.values.setdefault(key, []).append(given["content"])
        if tag == "abbr" and given.get("class") == "unapi-id":
            self.unapi.append(given["title"])
        if tag == "link" and given.get("rel") == "unapi-server":
            self.server = given["href"]


def head_of(client: TestClient, path: str) -> _Head:
    head = _Head()
    head.feed(client.get(path).text)
    return head


def test_zotero_finds_a_letter_on_the_page_of_a_telegram(
    client: TestClient, archive: Archive
) -> None:
    digest = next(archive.every("mrn:79BERN4120")).digest
    values = head_of(client, "/t/79BERN4120").values
    assert values == {
        "dc:type": ["letter"],
        "dc:title": ["CONVENTION ON LIGHTS SIGNED"],
        "dc:creator": ["Embassy Bern"],
        "dc:date": ["1979-09-14"],
        "dc:identifier": [f"http://testserver/d/{digest[:16]}"],
        "dc:subject": ["EWWT", "PFOR", "SZ"],
    } | ({"dc:description": values["dc:description"]} if "dc:description" in values else {})


@pytest.mark.parametrize("path", ["/t/79BERN4120", "/search?q=light"])
def test_unapi_gives_each_telegram_of_a_page_as_ris(client: TestClient, path: str) -> None:
    head = head_of(client, path)
    assert head.unapi
    assert head.server is not None
    formats = ElementTree.fromstring(client.get(head.server).text)
    assert {each.get("name") for each in formats} == {"ris", "bibtex"}
    for identifier in head.unapi:
        offered = client.get(head.server, params={"id": identifier})
        assert offered.status_code == 300
        assert ElementTree.fromstring(offered.text).get("id") == identifier
        answer = client.get(head.server, params={"id": identifier, "format": "ris"})
        (entry,) = rispy.loads(answer.text)
        assert entry["type_of_reference"] == "PCOMM"
    assert client.get(head.server, params={"id": "0" * 64}).status_code == 404
    unknown = client.get(head.server, params={"id": head.unapi[0], "format": "mods"})
    assert unknown.status_code == 406


def test_the_page_cites_a_paragraph_and_shows_what_is_alike(client: TestClient) -> None:
    page = client.get("/t/79BERN4120").text
    assert "More like this" in page
    digest = head_of(client, "/t/79BERN4120").unapi[0]
    assert "para. 2" in client.get(f"/d/{digest}?paragraph=2").text
    assert client.get(f"/d/{digest}?paragraph=99").status_code == 400


def test_a_narrowing_to_near_words_can_be_taken_off(client: TestClient) -> None:
    page = client.get("/search", params={"q": 'light subject:"light dues"~5'}).text
    assert '<a class="chip" href="/search?q=light"' in page


def test_a_search_that_finds_nothing_says_what_may_be_meant(client: TestClient) -> None:
    page = client.get("/search?q=lihgt+dues").text
    assert '<a href="/search?q=light+dues">light dues</a>' in page
    every = client.get("/search?q=light").text
    assert "/api/export?q=light&amp;form=csv" in every


def test_the_first_page_says_what_it_leaves_out(
    client: TestClient, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["reftel.web.app"], "_HOME_TAGS", 2)
    others = len(archive.search("").facets.tags) - 2
    assert f"{others} more" in client.get("/").text
