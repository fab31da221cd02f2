"""What an archive in PostgreSQL has beyond one in a folder: a second lock, several machines, moving there and
back. How it keeps and finds is tested with the other one's tests (conftest.py)."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import date
from itertools import islice
from pathlib import Path

import psycopg
import pytest

import reftel
from reftel.access import OPEN, Deed, Label, Reader
from reftel.archive import Archive, StoreError
from reftel.archive.copying import KEYS, NOT_COPIED, copy
from reftel.archive.schema import SCHEMA
from reftel.archive.store import Store
from reftel.telegram import Mrn, Telegram
from reftel.web.server import get
from tests.archive.test_archive import incoming, make
from tests.instruments.postgres import Server
from tests.telegrams import corpus_texts

_TABLES = re.findall(r"^CREATE TABLE (\w+)", SCHEMA, re.MULTILINE)


def _secret(number: int, text: str = "A secret lamp.", caption: str = "") -> str:
    made = make(number, text=text, ref="BERN 1; ROME 9")
    made = made.replace("UNCLAS BERN", "S E C R E T BERN")
    return made.replace("\n\nE.O.", f"\n\n{caption}\n\nE.O.") if caption else made


@pytest.fixture
def url(server: Server) -> str:
    return server.database()


def test_a_wrong_query_shows_a_reader_nothing_that_is_closed(url: str, tmp_path: Path) -> None:
    with Archive.open(f"{url}&folder={tmp_path / 'a'}") as archive:
        archive.add(
            incoming(make(1), make(2, ref="BERN 1"), _secret(3), _secret(4, caption="NODIS"))
        )
        counts = {}
        for name, reader in {
            "all": None,
            "cleared": Reader("", "SECRET"),
            "holder": Reader("", "SECRET", frozenset(("NODIS",))),
            "nobody": Reader(""),
            "clerk": Reader("", "UNCLASSIFIED"),
        }.items():
            store = Store(url, read_only=True, reader=reader)
            counts[name] = {
                table: store.select(f"SELECT count(*) FROM {table}")[0][0] for table in _TABLES
            }
            store.close()
    wanted = {"all": 4, "cleared": 3, "holder": 4, "nobody": 0, "clerk": 2}
    assert {name: found["documents"] for name, found in counts.items()} == wanted
    assert {name: found["texts"] for name, found in counts.items()} == wanted
    assert {name: found["citations"] for name, found in counts.items()} == {
        "all": 5, "cleared": 3, "holder": 5, "nobody": 0, "clerk": 1,
    }  # fmt: skip
    assert counts["nobody"]["labels"] == 0
    for name in ("cleared", "holder", "nobody", "clerk"):
        for table in ("decisions", "refused", "had", "places", "unindexed"):
            assert counts[name][table] == 0


def test_a_reader_sees_what_the_label_lets_and_the_trail_hears_what_not(
    url: str, tmp_path: Path
) -> None:
    heard: list[Deed] = []
    with Archive.open(f"{url}&folder={tmp_path / 'a'}") as archive:
        archive.add(incoming(make(1, text="A lamp."), _secret(3)))
        clerk = archive.view(Reader("clerk", "UNCLASSIFIED"), heard.append)
        assert [hit.mrn for hit in clerk.search("lamp").hits] == ["07BERN1"]
        assert clerk.cited_as(Mrn.of(2007, "BERN", 3)) == ()
        assert [deed.kind for deed in heard] == ["search", "refused"]
        with_cards = archive.view(Reader("keeper", "UNCLASSIFIED", cards="SECRET"))
        (card,) = with_cards.cards(Mrn.of(2007, "BERN", 3))
        assert card.classification == "SECRET"
        assert with_cards.cited_as(Mrn.of(2007, "BERN", 3)) == ()


def test_a_role_that_passes_over_the_second_lock_serves_no_reader(
    server: Server, url: str, tmp_path: Path
) -> None:
    root = server.url(url.split("@/")[1].split("?")[0], "postgres")
    with (
        Archive.open(f"{root}&folder={tmp_path / 'a'}") as archive,
        pytest.raises(StoreError, match="row level security"),
    ):
        archive.view(Reader("clerk", "UNCLASSIFIED"))


def test_what_one_machine_files_the_other_finds(url: str, tmp_path: Path) -> None:
    with (
        Archive.open(f"{url}&folder={tmp_path / 'a'}") as one,
        Archive.open(f"{url}&folder={tmp_path / 'b'}") as two,
    ):
        one.add(incoming(*(make(n, text=f"lamp {n}") for n in range(1, 30))))
        two.follow()
        assert two.search("lamp", limit=50) == one.search("lamp", limit=50)
        two.add(incoming(*(make(n, text=f"lamp {n}") for n in range(20, 40))))
        digest = two.search('"lamp 35"').hits[0].digest
        two.decide([digest], Label("SECRET"), who="Roe", why="sources")
        one.follow()
        assert two.search("lamp", limit=50) == one.search("lamp", limit=50)
        assert one.verify() == two.verify() == []
        assert one.view(Reader("", "UNCLASSIFIED")).search("35").total == 0
    with Archive.open(f"{url}&folder={tmp_path / 'c'}") as three:
        assert three.search("lamp").total == three.count() == 39


def test_what_one_machine_closes_the_other_lets_go_of_while_the_index_is_made_anew(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reftel.archive.upkeep._MADE_ANEW", 1)
    seen: list[tuple[int, int, int]] = []
    with (
        Archive.open(f"{url}&folder={tmp_path / 'a'}") as one,
        Archive.open(f"{url}&folder={tmp_path / 'b'}") as two,
    ):

        def look(*_: int) -> None:
            two.follow()
            view = two.view(Reader("", "UNCLASSIFIED"))
            seen.append((view.search("zymurgist").total, view.search("").total, view.count()))

        one.add(incoming(make(1, text="The zymurgist came."), *(make(n) for n in range(2, 9))))
        two.follow()
        digest = one.search("zymurgist").hits[0].digest
        one.decide([digest], Label("SECRET"), who="Roe", why="sources", on_progress=look)
        assert seen == [(0, 7, 7)]
        two.follow()
        assert one.verify() == two.verify() == [] == two._writing.unindexed(9)


def test_a_copy_of_a_folder_hears_of_what_the_other_has_seen_to(url: str, tmp_path: Path) -> None:
    with Archive.open(f"{url}&folder={tmp_path / 'a'}") as one:
        one.add(incoming(make(1, text="The zymurgist came."), make(2), make(3)))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    (tmp_path / "a").rename(tmp_path / "c")
    with (
        Archive.open(f"{url}&folder={tmp_path / 'c'}") as one,
        Archive.open(f"{url}&folder={tmp_path / 'b'}") as two,
    ):
        # One that was moved is the one that it was.
        assert (one.index_built, two.index_built) == (False, True)
        digest = one.search("zymurgist").hits[0].digest
        one.decide([digest], Label("SECRET"), who="Roe", why="sources")
        two.follow()
        view = two.view(Reader("", "UNCLASSIFIED"))
        assert (view.search("zymurgist").total, view.search("").total) == (0, 2)
        assert view.search("zymurgst").suggestion is None
        assert one.verify() == two.verify() == []


def test_every_table_is_copied_or_made_anew() -> None:
    assert sorted((*KEYS, *NOT_COPIED)) == sorted(_TABLES)


def test_an_archive_moves_to_the_database_and_back(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    place = f"{url}&folder={tmp_path / 'index'}"
    with Archive.open(folder) as archive:
        archive.add(
            incoming(*(text for _, text in islice(corpus_texts(), 150)), _secret(3), "Dear Sir,")
        )
        digests = [hit.digest for hit in archive.search("", limit=2).hits]
        archive.decide(digests[:1], Label("SECRET"), who="Roe", why="sources")
        archive.decide(digests[1:], OPEN, who="Roe", why="known", opens=date(2031, 1, 1))
    (folder / "drafts").mkdir()
    (folder / "drafts" / "one.txt").write_text("a draft")
    count = copy(folder, place)
    with pytest.raises(StoreError, match="telegrams already"):
        copy(folder, place)
    assert copy(place, tmp_path / "back") == count
    assert (tmp_path / "back" / "drafts" / "one.txt").read_text() == "a draft"
    with (
        Archive.open(folder) as old,
        Archive.open(place) as there,
        Archive.open(tmp_path / "back") as back,
    ):
        for other in (there, back):
            assert other.verify() == []
            assert other.search("", limit=500) == old.search("", limit=500)
            assert list(other.every()) == list(old.every())
            assert other.gaps.completeness() == old.gaps.completeness()
            assert list(other.graph.edges()) == list(old.graph.edges())
            assert other.graph.most_cited(20) == old.graph.most_cited(20)
            ghosts = list(old.graph.cited_and_not_held())
            assert list(other.graph.cited_and_not_held()) == ghosts
            some = [number for number, _ in ghosts[:20]]
            assert other.graph.cited_by(some) == old.graph.cited_by(some)
            for post, year, *_ in (number for number, _ in ghosts[:20]):
                assert other.gaps.gaps(post, year) == old.gaps.gaps(post, year)
                assert other.gaps.continuity(post, year) == old.gaps.continuity(post, year)
            assert other.decisions(digests[0]) == old.decisions(digests[0])
            assert other.add(incoming(make(77, post="OSLO"))).added == 1


def test_the_command_line_takes_a_database(url: str, tmp_path: Path) -> None:
    def reftel(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "reftel", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
            env={"XDG_DATA_HOME": str(tmp_path), "REFTEL_ARCHIVE": url},
        )

    (tmp_path / "one.txt").write_text(make(1, text="The lamp."))
    filed = reftel("add", tmp_path / "one.txt")
    assert "1 filed" in filed.stderr
    assert "07BERN1" in reftel("search", "lamp").stdout
    assert reftel("archive", "verify").stderr == "1 telegrams, 0 problems\n"
    assert "pg_dump" in reftel("archive", "backup", tmp_path / "safe").stderr
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("SELECT set_config('reftel.clearances', '*', false)")
        db.execute("UPDATE documents SET number = 5")
    assert "a number that its record does not have" in reftel("archive", "verify").stderr
    nowhere = reftel("search", "lamp", "--archive", "postgresql://x:secret@localhost:1/none")
    assert nowhere.returncode == 2
    assert "cannot be reached" in nowhere.stderr
    assert "secret" not in nowhere.stderr


def test_a_server_that_was_away_is_asked_again_when_it_is_back(
    server: Server, url: str, tmp_path: Path
) -> None:
    with Archive.open(f"{url}&folder={tmp_path / 'a'}") as archive:
        archive.add(incoming(make(1, text="A lamp."), _secret(3)))
        clerk = archive.view(Reader("clerk", "UNCLASSIFIED"))
        assert (archive.search("lamp").total, clerk.search("lamp").total) == (2, 1)
        server.stop()
        try:
            with pytest.raises(StoreError, match="cannot be reached"):
                clerk.search("lamp")
            status, said = get(archive, "/api/search?q=lamp")
            assert status == 503
            assert "cannot be reached" in said
            assert get(archive, "/search?q=lamp")[0] == 503
        finally:
            server.start()
        assert get(archive, "/api/search?q=lamp")[0] == 200
        # Both locks hold as before, and whatever else a connection says of itself.
        assert (archive.search("lamp").total, clerk.search("lamp").total) == (2, 1)
        assert len(clerk._store.select("SELECT 1 FROM documents")) == 1
        with pytest.raises(StoreError, match="cannot be written"):
            archive._store.select("DELETE FROM lost")
        assert archive.add(incoming(make(4, text="A lamp."))).added == 1
        assert clerk.search("lamp").total == 2
        assert archive.verify() == []
        assert archive._follower is not None
        assert archive._follower.is_alive()


def test_what_was_under_way_when_the_server_went_fails_as_a_whole(
    server: Server, url: str, tmp_path: Path
) -> None:
    with Archive.open(f"{url}&folder={tmp_path / 'a'}") as archive:
        archive.add(incoming(make(1)))

        def restarted(text: str) -> Telegram:
            server.stop()
            server.start()
            return reftel.read(text)

        with pytest.raises(StoreError, match="give the same command again"):
            archive.add(incoming(make(2)), reader=restarted)
        store = archive._writing
        with pytest.raises(StoreError, match="cannot be reached"), store.transaction():  # noqa: PT012
            store.refuse(b"1", "the first half")
            restarted(make(2))
            store.refuse(b"2", "the second half")
        assert store.select("SELECT * FROM refused") == []
        assert archive.count() == 1
        assert archive.add(incoming(make(2))).added == 1
        assert archive.verify() == []


@pytest.mark.parametrize("stays", [False, True])
def test_a_dump_that_is_restored_gets_an_index_of_its_own(
    server: Server, url: str, tmp_path: Path, stays: bool
) -> None:
    place, name = f"{url}&folder={tmp_path / 'a'}", url.split("@/")[1].split("?")[0]
    with Archive.open(place) as archive:
        archive.add(incoming(make(1, text="A lamp.")))
    kept = server.dump(name)
    with Archive.open(place) as archive:
        archive.add(incoming(make(2, text="A zymurgist.")))
        if stays:
            server.restore(kept, name)
            archive.follow()
            _refiled(archive)
    if not stays:
        server.restore(kept, name)
        # Another machine gives the number again, so that there are as many as this one's index holds.
        with Archive.open(f"{url}&folder={tmp_path / 'b'}") as other:
            other.add(incoming(make(3, text="A quern.")))
    with Archive.open(place) as archive:
        assert archive.index_built != stays
        _refiled(archive)


def _refiled(archive: Archive) -> None:
    archive.add(incoming(make(3, text="A quern.")))
    assert archive.search("zymurgist").total == 0
    assert [hit.mrn for hit in archive.search("quern").hits] == ["07BERN3"]
    assert archive.verify() == []
