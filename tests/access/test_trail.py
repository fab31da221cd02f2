"""The audit trail: what is on disk, in which order, and that nothing can be altered unseen."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from reftel.access import TRAIL_FILE, Deed, Trail, TrailError
from reftel.archive import Archive
from reftel.archive.backup import backup
from reftel.archive.copying import copy
from reftel.archive.salvage import salvage
from tests.archive.test_archive import incoming, make


@pytest.fixture
def trail(tmp_path: Path) -> Trail:
    return Trail(tmp_path / "audit.db")


def fill(trail: Trail, number: int) -> None:
    for n in range(number):
        trail.write("mueller", "192.0.2.7", [Deed("search", f"lamp {n}", n)]).result()


def test_what_many_hand_in_at_once_is_all_written_and_chained(trail: Trail) -> None:
    def work(name: str) -> None:
        for n in range(50):
            trail.write(name, "", [Deed("open", f"{name}{n}"), Deed("refused", "x")]).result()

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcdef"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert list(trail.verify()) == []
    assert trail.head()[0] == 600
    for name in "abcdef":
        opened = [e.what for e in trail.entries(who=name, kind="open")]
        assert opened == [f"{name}{n}" for n in range(50)]


def test_two_processes_write_one_chain(tmp_path: Path) -> None:
    with Trail(tmp_path / "audit.db") as one, Trail(tmp_path / "audit.db") as other:
        for n in range(20):
            (one, other)[n % 2].write("a", "", [Deed("open", str(n))]).result()
        assert [e.what for e in one.entries()] == [str(n) for n in range(20)]
        assert list(other.verify()) == []


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE entry SET what='nothing' WHERE id=3", "entry 3 was altered"),
        ("UPDATE entry SET who='another' WHERE id=5", "entry 5 was altered"),
        ("DELETE FROM entry WHERE id=2", "entry 2 is missing"),
        ("DELETE FROM entry WHERE id<3", "entry 1 is missing"),
    ],
)
def test_whoever_alters_an_entry_is_found_out(trail: Trail, sql: str, said: str) -> None:
    fill(trail, 5)
    db = sqlite3.connect(trail.path)
    with pytest.raises(sqlite3.IntegrityError, match="never"):
        db.execute(sql)
    db.execute("DROP TRIGGER entry_stays")
    db.execute("DROP TRIGGER entry_kept")
    db.execute(sql)
    db.commit()
    assert any(said in problem for problem in trail.verify())


def test_a_head_kept_elsewhere_shows_what_was_cut_off_or_begun_anew(trail: Trail) -> None:
    fill(trail, 5)
    head = trail.head()
    fill(trail, 2)
    assert list(trail.verify(head)) == []
    assert "was altered" in next(trail.verify((5, "0" * 32)))
    db = sqlite3.connect(trail.path)
    db.execute("DROP TRIGGER entry_kept")
    db.execute("DELETE FROM entry WHERE id>=4")
    db.commit()
    assert list(trail.verify()) == []
    assert any("cut off" in problem for problem in trail.verify(head))


def test_entries_past_their_time_go_and_the_rest_still_verifies(trail: Trail) -> None:
    fill(trail, 4)
    edge = list(trail.entries())[2].at
    assert trail.prune(edge, "archivist") == 2
    assert [e.kind for e in trail.entries()] == ["search", "search", "prune"]
    assert list(trail.verify()) == []
    assert "removed" in next(trail.verify((1, "0" * 32)))
    with pytest.raises(sqlite3.IntegrityError, match="never removed"):
        sqlite3.connect(trail.path).execute("DELETE FROM entry")


def test_a_trail_that_cannot_be_written_says_so(trail: Trail) -> None:
    fill(trail, 1)
    sqlite3.connect(trail.path).execute("DROP TABLE entry")
    with pytest.raises(TrailError, match="cannot be written"):
        trail.write("mueller", "", [Deed("open", "x")]).result()


def test_a_trail_that_was_moved_away_takes_nothing_more(trail: Trail, tmp_path: Path) -> None:
    fill(trail, 1)
    trail.path.rename(tmp_path / "elsewhere.db")
    for _ in range(2):
        with pytest.raises(TrailError, match="cannot be written"):
            trail.write("mueller", "", [Deed("open", "x")]).result(5)
    (tmp_path / "elsewhere.db").rename(trail.path)
    fill(trail, 1)
    assert trail.head()[0] == 2


def test_what_no_database_takes_is_written_all_the_same_and_what_is_cut_is_marked(
    trail: Trail,
) -> None:
    trail.write("m\udcff", "", [Deed("open", "light\udcff")]).result(5)
    long = f"{'zzz ' * 990}zymurgist"
    trail.write("mueller", "", [Deed("search", long), Deed("search", "z" * 9000)]).result(5)
    first, second, third = trail.entries()
    assert (first.who, first.what) == ("m\\udcff", "light\\udcff")
    assert second.what == long
    assert third.what.endswith("z…")
    assert list(trail.verify()) == []


def test_a_trail_that_was_emptied_is_no_trail_that_was_pruned(trail: Trail) -> None:
    fill(trail, 5)
    number, digest = trail.head()
    db = sqlite3.connect(trail.path)
    db.executescript(
        "DROP TRIGGER entry_kept; DELETE FROM entry; DELETE FROM cut;"
        f"INSERT INTO cut VALUES ({number}, x'{digest}');"
    )
    db.close()
    assert list(trail.verify((number, digest))) == [
        "the entries up to 5 are not there, and no entry says who removed them"
    ]


def test_copies_have_the_trail_as_it_is_while_it_is_written(tmp_path: Path) -> None:
    place = tmp_path / "archive"
    with Archive.open(place) as archive:
        archive.add(incoming(make(1)))
    with Trail(place / TRAIL_FILE) as trail:
        fill(trail, 5)
        copy(place, tmp_path / "copied")
        salvage(place, tmp_path / "salvaged")
        backup(place, tmp_path / "kept")
        for other in ("copied", "salvaged", "kept"):
            with Trail(tmp_path / other / TRAIL_FILE) as copied:
                assert copied.head() == trail.head()
                assert list(copied.verify(trail.head())) == []


def test_who_goes_away_before_it_is_written_stops_nobody(trail: Trail) -> None:
    for _ in range(50):
        trail.write("mueller", "", [Deed("open", "x")]).cancel()
    trail.write("mueller", "", [Deed("open", "y")]).result(5)
    assert trail.head()[0] == 51
