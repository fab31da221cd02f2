"""Readers at the pages: who they are by a proxy's header or a real OpenID provider, what they see, what is
written down of it."""

from __future__ import annotations

import re
import sqlite3
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from starlette.testclient import TestClient

from reftel.access import parse_policy
from reftel.archive import Archive
from reftel.sources import Incoming
from reftel.telegram import Mrn
from reftel.web import app
from reftel.web.readers import Readers, open_readers
from tests.archive.test_archive import incoming, make

with warnings.catch_warnings():
    # The provider that we test against uses a module that its library is about to give up.
    warnings.simplefilter("ignore")
    import oidc_provider_mock

POLICY = """\
[everybody]
clearance = "UNCLASSIFIED"
[[group]]
name = "political"
clearance = "SECRET"
[[reader]]
name = "knows"
cards = "SECRET"
[[reader]]
name = "reads"
clearance = "SECRET"
[[reader]]
name = "audits"
auditor = true
"""
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SECRET = 'secret_file = "client.secret"\n'
PROXY = '[proxy]\nheader = "X-User"\ngroups = "X-Groups"\ntrusted = ["10.0.0.1"]\n'


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(tmp_path / "archive") as archive:
        secret = make(2, text="A zymurgist.", subject="KEEPERS").replace("UNCLAS", "S E C R E T")
        archive.add(incoming(make(1), secret, make(3, ref="07 BERN 2")))
        yield archive


def readers_of(archive: Archive, more: str) -> Readers:
    (archive.folder / "client.secret").write_text("a secret\n")
    (archive.folder / "client.secret").chmod(0o600)
    return open_readers(archive.folder, parse_policy(POLICY + more, archive.folder))


@pytest.fixture
def readers(archive: Archive) -> Iterator[Readers]:
    readers = readers_of(archive, PROXY)
    yield readers
    readers.trail.close()


def client(archive: Archive, readers: Readers, address: str = "10.0.0.1") -> TestClient:
    return TestClient(app(archive, readers=readers), client=(address, 4711))


def test_a_withdrawal_card_stands_in_its_place_in_threads_and_lists_of_what_is_missing(
    archive: Archive, readers: Readers
) -> None:
    asked = client(archive, readers)
    knows, nobody = {"X-User": "knows"}, {"X-User": "nobody"}
    thread = "/thread/07BERN3.json"
    (card,) = (n for n in asked.get(thread, headers=knows).json()["nodes"] if n["withdrawn"])
    assert (card["mrn"], card["classification"], card["subject"]) == ("07BERN2", "SECRET", None)
    assert "withdrawn" in asked.get("/thread/07BERN3", headers=knows).text
    assert "withdrawn</span>" not in asked.get("/thread/07BERN3", headers=nobody).text
    missing = "/missing.json?post=BERN&year=2007"
    for headers, withdrawn in ((knows, ["07BERN2"]), (nobody, [])):
        (row,) = asked.get(missing, headers=headers).json()["numbers"]
        assert row["withdrawn"] == withdrawn
    assert "withdrawn</span>" in asked.get("/missing?post=BERN&year=2007", headers=knows).text


def test_a_header_is_believed_from_the_proxy_alone(archive: Archive, readers: Readers) -> None:
    proxy, other = client(archive, readers), client(archive, readers, "10.0.0.2")
    reads = {"X-User": "reads"}
    assert proxy.get("/t/07BERN2", headers=reads).status_code == 200
    assert other.get("/t/07BERN2", headers=reads).status_code == 404
    assert proxy.get("/t/07BERN2", headers={"X-User": "x", "X-Groups": "political"}).is_success
    twice = [("X-User", "everybody"), ("X-User", "reads")]
    assert proxy.get("/t/07BERN2", headers=twice).status_code == 404
    groups = [("X-User", "x"), ("X-Groups", "political"), ("X-Groups", "staff")]
    assert proxy.get("/t/07BERN2", headers=groups).status_code == 404


def test_behind_a_proxy_the_room_has_the_address_that_browsers_know(archive: Archive) -> None:
    readers = readers_of(archive, f'{PROXY}address = "https://cables.example"\n')
    # Whether the proxy hands the browser's Host on, or puts ours in its place.
    for name, host in (("one", "cables.example"), ("two", "127.0.0.1:8000")):
        search = {"name": name, "q": "lamp"}
        asked = client(archive, readers)
        headers = {"X-User": "reads", "Host": host}
        citation = asked.get("/t/07BERN1", headers=headers).text
        assert "https://cables.example/d/" in citation
        ours = {**headers, "Origin": "https://cables.example"}
        assert asked.post("/saved", data=search, headers=ours).is_success
        other = {**headers, "Origin": "https://elsewhere.example"}
        assert asked.post("/saved", data=search, headers=other).status_code == 403
    assert client(archive, readers).get("/", headers={"Host": "other.example"}).status_code == 400
    # From anybody else the address is not put in the place of what was asked.
    direct = client(archive, readers, "10.0.0.2")
    assert "cables.example" not in direct.get("/t/07BERN1").text
    readers.trail.close()


def test_where_a_telegram_was_filed_from_is_the_owners_to_know(
    archive: Archive, readers: Readers
) -> None:
    archive.add([Incoming("/srv/cables/1979.csv#line-114", make(9))])
    (held,) = archive.cited_as(Mrn.of(2007, "BERN", 9))
    assert held.origin == "/srv/cables/1979.csv#line-114"
    asked = client(archive, readers)
    for path in (
        "/t/07BERN9",
        "/t/07BERN9.json",
        f"/api/documents/{held.digest}",
        "/api/export?form=jsonl&q=mrn:07BERN9",
    ):
        answer = asked.get(path, headers={"X-User": "reads"})
        assert answer.is_success, path
        assert "/srv" not in answer.text, path
        assert "line-114" not in answer.text, path
        assert "1979.csv" in answer.text or path == "/t/07BERN9"


def test_names_in_a_header_are_utf_8(archive: Archive) -> None:
    named = '[[reader]]\nname = "müller"\nclearance = "SECRET"\n'
    readers = readers_of(archive, f"{named}{PROXY}")
    for name in ("müller".encode(), "müller".encode("latin-1")):
        headers = [(b"x-user", name)]
        assert client(archive, readers).get("/t/07BERN2", headers=headers).is_success
    readers.trail.close()


def test_who_may_know_gets_a_card_without_subject_and_text(
    archive: Archive, readers: Readers
) -> None:
    pages = client(archive, readers)
    knows = {"X-User": "knows"}
    digest = archive.search("zymurgist").hits[0].digest
    for path in ("/t/07BERN2", f"/d/{digest}", f"/d/{digest[:12]}"):
        card = pages.get(path, headers=knows)
        assert card.status_code == 403
        assert "Withdrawal card" in card.text and "1 March 2007" in card.text
        assert "07BERN2" in card.text and "Embassy Bern" in card.text and "SECRET" in card.text
        assert "KEEPERS" not in card.text and "zymurgist" not in card.text
        assert pages.get(path).status_code == 404
    assert pages.get("/t/07BERN2.json", headers=knows).json()["withheld"] == [
        {
            "mrn": "07BERN2",
            "dtg": "2007-03-01T09:15:00Z",
            "originator": "AMEMBASSY BERN",
            "to": ["SECSTATE WASHDC"],
            "classification": "SECRET",
        }
    ]
    assert pages.get("/search.json?q=zymurgist", headers=knows).json()["total"] == 0


def test_what_is_asked_for_and_refused_is_written_down_before_the_answer(
    archive: Archive, readers: Readers
) -> None:
    pages = client(archive, readers)
    reads = {"X-User": "reads", "X-Forwarded-For": "198.51.100.9, 192.0.2.7"}
    digest = archive.search("zymurgist").hits[0].digest
    pages.get("/search?q=zymurgist", headers=reads)
    pages.get("/t/07BERN2", headers=reads)
    pages.get("/t/07BERN2")
    pages.get("/api/export?q=", headers=reads)
    entries = [e for e in readers.trail.entries() if not e.what.startswith("like ")]
    found = [(e.who, e.address, e.kind, e.what, e.found) for e in entries]
    assert found == [
        ("reads", "192.0.2.7", "search", "zymurgist", 1),
        ("reads", "192.0.2.7", "open", digest, None),
        ("everybody", "10.0.0.1", "refused", digest, None),
        ("reads", "192.0.2.7", "export", "", None),
    ]
    assert list(readers.trail.verify()) == []


def test_nothing_is_shown_while_the_trail_cannot_be_written(
    archive: Archive, readers: Readers
) -> None:
    sqlite3.connect(readers.trail.path).execute("DROP TABLE entry")
    answer = client(archive, readers).get("/t/07BERN1")
    assert answer.status_code == 503
    assert "It burned" not in answer.text


def test_the_trail_is_shown_to_auditors_alone(archive: Archive, readers: Readers) -> None:
    pages = client(archive, readers)
    pages.get("/search?q=<i>lamp", headers={"X-User": "reads"})
    page = pages.get("/audit", headers={"X-User": "audits"})
    assert page.status_code == 200 and "&lt;i&gt;lamp" in page.text
    refused = pages.get("/audit", headers={"X-User": "reads"})
    assert refused.status_code == 404
    assert refused.text == pages.get("/nothing", headers={"X-User": "reads"}).text


def test_drafts_and_searches_are_each_readers_own(archive: Archive, readers: Readers) -> None:
    pages = client(archive, readers)
    draft = {"draft": "TO: STATE\n", "name": "mine", "do": "save"}
    search = {"name": "lamps", "q": "lamp"}
    for who in ("reads", "../x", "long" * 90):
        assert pages.post("/desk", data=draft, headers={"X-User": who}).is_success
        assert pages.post("/saved", data=search, headers={"X-User": who}).is_success
    assert "mine" in pages.get("/desk", headers={"X-User": "reads"}).text
    assert "mine" not in pages.get("/desk", headers={"X-User": "knows"}).text
    assert pages.get("/desk?draft=mine", headers={"X-User": "knows"}).status_code == 404
    assert pages.post("/desk", data=draft).status_code == 403
    assert pages.post("/saved", data=search).status_code == 403
    assert not list(archive.folder.parent.glob("*x*"))


def test_a_session_begins_at_the_provider_and_ends_at_log_out(archive: Archive) -> None:
    with oidc_provider_mock.run_server_in_thread(require_nonce=True) as server:
        issuer = f"http://localhost:{server.server_port}"
        claims = {"preferred_username": "roe", "groups": ["political"]}
        httpx2.put(f"{issuer}/users/roe", json=claims)
        more = f'[openid]\nissuer = "{issuer}"\nclient = "reftel"\ngroups = "groups"\n' + SECRET
        readers = readers_of(archive, more)
        pages = TestClient(app(archive, readers=readers), base_url="http://localhost")
        assert pages.get("/t/07BERN2").status_code == 404
        assert "set-cookie" not in pages.get("/").headers

        asked = pages.get("/login?next=/t/07BERN2", follow_redirects=False)
        sent = parse_qs(urlsplit(asked.headers["location"]).query)
        assert sent["code_challenge_method"] == ["S256"]
        assert sent["state"] and sent["nonce"] and sent["response_type"] == ["code"]
        cookie = asked.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=lax" in cookie

        back = httpx2.post(asked.headers["location"], data={"sub": "roe"}).headers["location"]
        forged = re.sub("state=[^&]+", "state=forged", back)
        assert pages.get(forged, follow_redirects=False).status_code == 403
        done = pages.get(back, follow_redirects=False)
        assert (done.status_code, done.headers["location"]) == (303, "/t/07BERN2")
        assert pages.get("/t/07BERN2").status_code == 200
        assert "roe" in pages.get("/me").text
        # A code is good for one log-in.
        assert pages.get(back, follow_redirects=False).status_code == 403

        held = pages.cookies["reftel-reader"]
        pages.cookies.set("reftel-reader", f"{held[:8]}x{held[9:]}", domain="localhost.local")
        pages.post("/logout")
        assert [e.kind for e in readers.trail.entries(who="roe")].count("log-in") == 1
        readers.trail.close()


def test_a_log_in_leads_to_no_other_site(archive: Archive) -> None:
    with oidc_provider_mock.run_server_in_thread() as server:
        issuer = f"http://localhost:{server.server_port}"
        httpx2.put(f"{issuer}/users/roe", json={"preferred_username": "roe"})
        readers = readers_of(
            archive, f'[openid]\nissuer = "{issuer}"\nclient = "reftel"\n' + SECRET
        )
        pages = TestClient(app(archive, readers=readers), base_url="http://localhost")
        for onward in ("//evil.example/", "https://evil.example/", "/\\evil.example"):
            asked = pages.get(f"/login?next={onward}", follow_redirects=False)
            back = httpx2.post(asked.headers["location"], data={"sub": "roe"}).headers["location"]
            assert pages.get(back, follow_redirects=False).headers["location"] == "/"
        pages.post("/logout")
        assert "Nobody has said who you are" in pages.get("/me").text
        readers.trail.close()


def test_a_provider_that_is_not_there_is_named(archive: Archive) -> None:
    more = '[openid]\nissuer = "http://127.0.0.1:9/"\nclient = "reftel"\n'
    readers = readers_of(archive, more)
    answer = TestClient(app(archive, readers=readers)).get("/login", follow_redirects=False)
    assert answer.status_code == 502
    assert "http://127.0.0.1:9/ cannot be asked who you are" in answer.text
    readers.trail.close()
