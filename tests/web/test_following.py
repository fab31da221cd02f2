"""Pages and commands that follow references: threads, ghosts, gaps, two documents side by side."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

import networkx
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from reftel.archive import Archive
from reftel.archive.beside import beside
from reftel.cli import cli
from reftel.read import read
from reftel.telegram import Mrn
from reftel.web import app
from tests.archive.test_archive import incoming
from tests.archive.test_copies import prose, telegram
from tests.archive.test_ghosts import year_of

LINES = prose(random.Random(6), 160).splitlines()
SHOWN = " ".join(LINES[2:4])


def released(lines: list[str]) -> str:
    return telegram("\n".join(lines), number=500)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """A year of Bern with holes, a telegram released twice, and one whose two sections came apart."""
    archive = Archive.open(tmp_path_factory.mktemp("following") / "archive")
    texts = [each.text() for each in year_of(1, 40) if each.number not in (7, 8, 21)]
    texts += [released(LINES), released([*LINES[:2], "[ ]", *LINES[4:]])]
    texts += [
        telegram(prose(random.Random(n), 80), number=600, section=f"SECTION 0{n} OF 02 ")
        for n in (1, 2)
    ]
    archive.add(incoming(*texts))
    return archive


@pytest.fixture
def client(archive: Archive) -> TestClient:
    return TestClient(app(archive))


def reftel(archive: Archive, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, [*words, "--archive", str(archive.folder)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout


def test_the_page_of_what_is_not_held_says_all_that_is_known(client: TestClient) -> None:
    answer = client.get("/t/79BERN21")
    assert answer.status_code == 404
    assert "Electronic Telegrams, RG 59" in answer.text
    for neighbour in ("79BERN20", "79BERN22"):
        assert neighbour in answer.text
    told = client.get("/t/79BERN21.json").json()
    assert told["held"] is False
    assert told["status"] == 404
    assert told["after"] < told["before"]


def test_a_thread_has_a_page_with_twins_for_programs(client: TestClient, archive: Archive) -> None:
    cited = next(iter(archive.graph.edges())).target
    number = f"{cited[1] % 100}{cited[0]}{cited[2]}"
    page = client.get(f"/thread/{number}")
    assert page.status_code == 200
    graph = networkx.read_graphml(io.BytesIO(client.get(f"/thread/{number}.graphml").content))
    told = client.get(f"/thread/{number}.json").json()
    assert {node["key"] for node in told["nodes"]} == set(graph.nodes)
    for node in told["nodes"]:
        assert f'id="{node["key"]}"' in page.text
    assert client.get("/thread/nonsense").status_code == 404


def test_gaps_are_listed_on_a_page_and_in_tables(client: TestClient, archive: Archive) -> None:
    page = client.get("/missing?post=Bern&year=1979").text
    assert "79BERN7 to 79BERN8" in page
    assert 'href="/t/79BERN21"' in page
    told = client.get("/missing.json?post=BERN&year=1979").json()
    assert told["highest"] == 600
    assert [row["count"] for row in told["numbers"]][:2] == [2, 1]
    code, table = reftel(archive, "missing", "--post", "bern", "--year", "1979", "--format", "csv")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["first"] for row in rows] == [row["first"] for row in told["numbers"]]
    assert "79BERN21" in reftel(archive, "missing", "--post", "BERN", "--year", "1979")[1]
    assert "BERN  1979" in reftel(archive, "missing")[1]
    assert reftel(archive, "missing", "--post", "LIMA")[0] == 1


def test_of_what_nothing_is_held_nothing_is_complete(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "archive") as archive:
        cites = telegram(prose(random.Random(3), 60), number=3)
        archive.add(incoming(cites.replace("\n\n1.", "\nREF: LIMA 77\n\n1.", 1)))
        client = TestClient(app(archive))
        for post, listed in (("NOWHERE", []), ("LIMA", ["79LIMA77"])):
            page = client.get(f"/missing?post={post}&year=1979").text
            assert "Nothing of that post and year is held" in page
            assert "<meter" not in page
            told = client.get(f"/api/missing/{post}/1979").json()
            assert (told["held"], told["highest"], told["share"]) == (0, 0, 0.0)
            assert [row["first"] for row in told["numbers"]] == listed
            code, text = reftel(archive, "missing", "--post", post, "--year", "1979")
            assert code == (0 if listed else 1)
            assert all(number in text for number in listed)


def test_the_command_shows_a_thread_in_words_json_and_graphml(archive: Archive) -> None:
    code, text = reftel(archive, "thread", "79BERN40")
    assert code == 0
    assert "◆" in text
    told = json.loads(reftel(archive, "thread", "79BERN40", "--format", "json")[1])
    graphml = reftel(archive, "thread", "79BERN40", "--format", "graphml")[1]
    assert len(networkx.read_graphml(io.BytesIO(graphml.encode())).nodes) == len(told["nodes"])
    assert reftel(archive, "thread", "12")[0] == 2
    assert reftel(archive, "thread")[0] == 2
    assert reftel(archive, "thread", "79LIMA1")[0] == 1
    code, text = reftel(archive, "thread", "--most-cited", "--limit", "3")
    assert code == 0
    assert text.count("79BERN") == 3


def test_what_one_release_withheld_and_another_shows_is_said(
    client: TestClient, archive: Archive
) -> None:
    reading, other = archive.cited_as(Mrn.of(1979, "BERN", 500))
    page = client.get(f"/d/{reading.digest[:16]}/beside/{other.digest[:16]}").text
    assert "Shown by one, withheld by the other" in page
    (withheld,) = beside(reading.telegram, other.telegram).withheld
    assert " ".join(withheld.text.split()).rstrip(".") == SHOWN.rstrip(".")
    assert (withheld.shown_by, withheld.mark) == ("left", "[ ]")
    code, text = reftel(archive, "diff", "79BERN500")
    assert code == 1
    assert "shows what the other withheld" in text
    assert f"{reading.digest[:16]}/beside/{other.digest[:16]}" in client.get("/t/79BERN500").text


def test_side_by_side_loses_nothing_of_either_text() -> None:
    one, other = (
        read(released(LINES)),
        read(released([*LINES[:5], "QUITE OTHER WORDS", *LINES[8:]])),
    )
    found = beside(one, other)
    assert "".join(p.text for row in found.passages for p in row.left) == one.text
    assert "".join(p.text for row in found.passages for p in row.right) == other.text
    assert all(row.same for row in beside(one, one).passages)


def test_sections_that_came_apart_are_shown_as_a_whole(
    client: TestClient, archive: Archive
) -> None:
    sections = archive.cited_as(Mrn.of(1979, "BERN", 600))
    assert len(sections) == 2
    page = client.get("/t/79BERN600").text
    for document in sections:
        assert f'href="/d/{document.digest[:16]}"' in page
        assert document.telegram.text.split()[-1] in page
    assert client.get("/t/79BERN600.json").json()["sections_present"] == [1, 2]


def test_a_document_whose_text_is_lost_says_so_and_why(tmp_path: Path) -> None:
    lost = telegram("ERROR READING TEXT INDEX AAAABYPB", number=9)
    with Archive.open(tmp_path / "archive") as archive:
        archive.add(incoming(lost))
        assert "ERROR READING TEXT" in TestClient(app(archive)).get("/t/79BERN9").text
        assert "Held without a text" in reftel(archive, "missing", "--post", "BERN")[1]
