"""Saved searches: what is new is what was not there at the last look."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from starlette.testclient import TestClient

from reftel.access import Reader
from reftel.archive import Archive, QueryError
from reftel.archive.saved import NoSavedSearchError, SavedNameError, SavedSearches
from reftel.web import app
from tests.archive.test_archive import incoming, make


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive.open(tmp_path / "archive")


def numbers(searches: SavedSearches, name: str) -> list[str | None]:
    return [hit.mrn for hit in searches.hits(searches.look(name))]


def test_what_is_filed_later_is_new_until_it_was_seen(archive: Archive) -> None:
    archive.add(incoming(*(make(n, text=f"lamp {n}", day=n) for n in range(1, 6))))
    searches = SavedSearches(archive.folder, archive)
    searches.save("lamps", "lamp")
    assert numbers(searches, "lamps") == []
    archive.add(
        incoming(make(7, text="lamp", day=2), make(8, text="lamp", day=9), make(9, text="fog"))
    )
    assert numbers(searches, "lamps") == ["07BERN8", "07BERN7"]
    assert numbers(searches, "lamps") == ["07BERN8", "07BERN7"], "a look alone marks nothing"
    archive.add(incoming(make(10, text="lamp", day=3)))
    searches.mark("lamps")
    assert numbers(searches, "lamps") == ["07BERN10"], "what came after the look is new still"
    look = searches.look("lamps")
    assert (look.total, len(look.new)) == (8, 1)
    searches.mark("lamps")
    assert numbers(searches, "lamps") == []


def test_a_telegram_that_falls_open_is_new_to_who_could_not_read_it(archive: Archive) -> None:
    closed = (
        make(3, text="lamp")
        .replace("UNCLAS", "SECRET")
        .replace("E.O. 12958: N/A", "E.O. 12958: DECL: 03/01/2037")
    )
    archive.add(incoming(make(1, text="lamp 1"), closed))
    somebody = archive.view(Reader("somebody", "UNCLASSIFIED"))
    searches = SavedSearches(archive.folder, somebody)
    searches.save("lamps", "lamp")
    assert numbers(searches, "lamps") == []
    assert archive.open_due(20370301) == 1
    assert numbers(searches, "lamps") == ["07BERN3"]


def test_a_query_that_is_none_any_more_stops_no_other(archive: Archive) -> None:
    archive.add(incoming(make(1, text="lamp")))
    searches = SavedSearches(archive.folder, archive)
    old = searches.save("old", "lamp")
    searches.save("lamps", "lamp")
    searches._write(msgspec.structs.replace(old, query="post: BERN"))
    lamps, mistaken = searches.looks()
    assert (lamps.search.name, lamps.total, lamps.mistake) == ("lamps", 1, None)
    assert (mistaken.search.name, mistaken.total) == ("old", 0)
    assert "write post:BERN" in (mistaken.mistake or "")
    with TestClient(app(archive)) as client:
        page = client.get("/saved")
        assert "write post:BERN" in page.text
        assert "0 new" in page.text
        assert client.get("/saved/old").status_code == 400
        states = client.get("/api/saved").json()
        assert [each["mistake"] is None for each in states] == [True, False]


def test_each_reader_has_searches_of_his_own(archive: Archive) -> None:
    one, other, owner = (
        SavedSearches(archive.folder, view)
        for view in (archive.view(Reader("../one")), archive.view(Reader("@owner")), archive)
    )
    for searches, query in ((one, "a"), (other, "b"), (owner, "c")):
        searches.save("mine", query)
    assert [searches.get("mine").query for searches in (one, other, owner)] == ["a", "b", "c"]
    assert len(list((archive.folder / "saved").iterdir())) == 3
    one.forget("mine")
    assert one.all() == ()
    assert len(other.all()) == 1
    with pytest.raises(NoSavedSearchError):
        one.look("mine")


def test_a_search_that_cannot_be_is_not_saved(archive: Archive) -> None:
    searches = SavedSearches(archive.folder, archive)
    for name in ("", "../x", "A", "x" * 81):
        with pytest.raises(SavedNameError):
            searches.save(name, "lamp")
    with pytest.raises(QueryError):
        searches.save("lamps", "(lamp")
    assert searches.all() == ()
