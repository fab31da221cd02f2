"""A reviewer's decisions: what is closed and opened by hand, and that nothing of it stays behind."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest

from reftel.access import OPEN, Label, Reader
from reftel.archive import Archive, StoreError
from reftel.archive.index import Indexes, Vocabulary
from reftel.archive.store import Store
from reftel.telegram import Mrn
from tests.archive.test_archive import incoming, make

READER = Reader("reader", "UNCLASSIFIED")
SECRET = Label("SECRET")


@pytest.fixture
def archive(archive: Archive) -> Archive:
    archive.add(incoming(make(1, text="The zymurgist came."), make(2), make(3)))
    return archive


def digest(archive: Archive, number: int) -> str:
    return archive.cited_as(Mrn.of(2007, "BERN", number))[0].digest


def test_what_is_closed_leaves_no_trace_for_those_who_may_not_read_it(archive: Archive) -> None:
    view = archive.view(READER)
    assert view.search("zymurgist").total == 1
    archive.decide([digest(archive, 1)], SECRET, who="roe", why="names a source")
    assert view.search("zymurgist").total == 0
    assert view.search("zymurgst").suggestion is None
    assert archive.search("zymurgst").suggestion == "zymurgist"
    assert view.count() == 2
    assert archive.verify() == []
    held = {
        label: Vocabulary([archive._indexes.of(label)]).frequency(("text",), "zymurgist")
        for label in archive._store.labels()
    }
    assert sorted(held.values()) == [0, 1], "only the secret label's index knows the word"


def test_a_decision_is_recorded_and_survives_a_new_index_and_a_new_copy(archive: Archive) -> None:
    one = digest(archive, 1)
    archive.decide([one], SECRET, who="roe", why="names a source", opens=date(2031, 1, 31))
    archive.rebuild_index()
    archive.add(incoming(make(1, text="The zymurgist  came.")))
    assert archive.view(READER).count() == 2, "a further copy is closed with it"
    (decision,) = archive.decisions(one)
    assert (decision.who, decision.why) == ("roe", "names a source")
    assert (decision.label, decision.opens) == ("SECRET", "2031-01-31")
    assert archive.open_due(20310130) == 0
    assert archive.open_due(20310131) == 2
    assert archive.view(READER).count() == 3


def test_a_decision_can_be_taken_back(archive: Archive) -> None:
    one = digest(archive, 1)
    archive.decide([one], SECRET, who="roe", why="names a source")
    archive.decide([one], None, who="doe", why="it does not")
    assert archive.view(READER).search("zymurgist").total == 1
    assert [each.label for each in archive.decisions(one)] == ["SECRET", None]
    archive.decide([one], OPEN, who="doe", why="released")
    assert archive.view(Reader("anybody")).count() == 1


def test_no_document_no_decision(archive: Archive) -> None:
    with pytest.raises(StoreError, match="there is no document"):
        archive.decide([digest(archive, 1), "00" * 32], SECRET, who="roe", why="x")
    assert archive.decisions(digest(archive, 1)) == ()


def test_better_copies_and_closed_ones_that_come_while_the_index_is_filled_leave_it_right(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reftel.archive.archive._TRANSACTION_S", 0.0)
    monkeypatch.setattr("reftel.archive.waiting._MANY", 3)
    story = (
        "the lamp burned and the keeper wrote down what passed by in the night with his own hand"
    )
    copies = [
        make(n, post="OSLO", day=1 + n, text=f"{story} {'and so on ' * more}")
        for n in range(1, 21)
        for more in range(3)
    ]
    random.Random(3).shuffle(copies)
    archive.add(incoming(*copies[:12]))
    closed = [hit.digest for hit in archive.search("lamp", limit=3).hits]
    archive.decide(closed, SECRET, who="roe", why="names a source")
    archive.add(incoming(*copies[12:]), batch=2)
    assert archive.verify() == []
    assert archive.search("lamp").total == 20
    assert archive.search("").total == archive.count() == 23
    view = archive.view(READER)
    seen = view.search("", limit=100)
    assert seen.total == len(seen.hits) == view.count()
    assert {hit.digest for hit in seen.hits}.isdisjoint(closed)


def test_while_a_decision_is_carried_out_what_it_closes_is_not_found_and_the_rest_is(
    place: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reftel.archive.upkeep._MADE_ANEW", 2)
    monkeypatch.setattr("reftel.archive.index._LARGE_HEAP_BYTES", 15_000_000)
    monkeypatch.setattr("reftel.archive.rebuild._BATCH", 3)
    seen: list[tuple[int, int]] = []

    def look(done: int, of: int) -> None:
        seen.append((done, of))
        view = archive.view(READER)
        found = view.search("")
        assert found.total == view.count() == sum(each.count for each in found.facets.year) == 28
        assert view.search("zymurgist").total == 0
        for query in ("zymurkst", "zymurgst OR came", "zymurgist OR came"):
            assert view.search(query).suggestion is None
        # As another process finds it on the disk.
        on_disk = Indexes.linked(archive.folder / "index")
        assert sum(on_disk.of(label).count() for label in view._labels) == 28
        assert on_disk._place
        on_disk._place.cleanup()
        if len(seen) == 12:
            raise KeyboardInterrupt

    with Archive.open(place) as archive:
        archive.add(incoming(make(1, text="The zymurgist came."), *(make(n) for n in range(2, 30))))
        archive.decide(
            [digest(archive, 1)], SECRET, who="roe", why="names a source", on_progress=look
        )
        assert seen == [(done, 28) for done in (*range(3, 28, 3), 28)]
        assert archive.verify() == []
        # Interrupted, it is brought to its end when the archive is next opened.
        archive.decide([digest(archive, 1)], None, who="doe", why="it does not")
        with pytest.raises(KeyboardInterrupt):
            archive.decide(
                [digest(archive, 1)], SECRET, who="roe", why="names a source", on_progress=look
            )
        assert archive._writing.unindexed(9)
    with Archive.open(place) as archive:
        view = archive.view(READER)
        assert not archive.index_built
        assert view.search("").total == view.count() == 28
        assert view.search("zymurgst").suggestion is None
        assert archive.verify() == [] == archive._writing.unindexed(9)


def test_a_decision_that_fails_leaves_everything_as_it_was(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = digest(archive, 1)

    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    for owner, name in ((Store, "decide"), (Indexes, "commit")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, full)
            with pytest.raises(StoreError, match="full"):
                archive.decide([one], SECRET, who="roe", why="names a source")
    archive.add(incoming(make(4)))
    assert archive.view(READER).search("zymurgist").total == 1
    assert archive.view(READER).search("").total == archive.view(READER).count() == 4
    assert archive._writing.unindexed(9) == [] == archive.verify()
    assert archive.decide(iter([one]), SECRET, who="roe", why="names a source") == 1
    assert archive.view(READER).search("").total == 3


def test_a_word_that_left_an_index_is_forgotten_by_it_though_the_process_ended_just_then(
    place: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = Indexes.commit

    def last(indexes: Indexes) -> None:
        commit(indexes)
        if archive._writing.unindexed(9):
            raise KeyboardInterrupt

    closed = [
        make(n, text=text).replace("UNCLAS", "SECRET")
        for n, text in enumerate(["The zymurgist came.", "The lamp burned."], 1)
    ]
    with Archive.open(place) as archive:
        archive.add(incoming(*closed))
        one = digest(archive, 1)
        monkeypatch.setattr(Indexes, "commit", last)
        with pytest.raises(KeyboardInterrupt):
            archive.decide([one], OPEN, who="roe", why="released")
    monkeypatch.setattr(Indexes, "commit", commit)
    with Archive.open(place) as archive:
        (secret,) = (id_ for id_, label in archive._store.labels().items() if label == SECRET)
        words = Vocabulary([archive._indexes.of(secret)])
        assert (words.frequency(("text",), "zymurgist"), words.frequency(("text",), "lamp")) == (
            0,
            1,
        )
        assert archive.view(READER).search("zymurgist").total == 1
        assert archive.verify() == []


def test_a_day_that_nobody_decided_and_no_marking_says_opens_nothing(archive: Archive) -> None:
    digests = [digest(archive, number) for number in (1, 2, 3)]
    archive.decide(digests, SECRET, who="roe", why="names a source")
    store = archive._writing
    with store.transaction():
        for document in (1, 2, 3):
            row = store.by_id(document)
            assert row is not None
            store.set_label(row, row.label, 20200101)
    said = [str(problem) for problem in archive.verify()]
    assert len(said) == 3
    assert all("fall open on another day" in line for line in said)
    assert archive.open_due() == 0
    assert archive.view(Reader("")).count() == 0
