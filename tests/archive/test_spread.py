"""Telegrams with copies under several labels: while others write, and when what is derived is damaged."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from reftel.access import Label, Reader
from reftel.archive import Archive, StoreError, spread, upkeep, view
from reftel.archive.asking import Asking
from reftel.archive.build import build
from reftel.archive.index import Indexes, Vocabulary
from reftel.archive.model import DamagedIndexError
from reftel.archive.query import parse
from reftel.archive.store import Store
from reftel.archive.waiting import Waiting
from tests.archive.test_archive import incoming, make

_STORY = "the lamp burned and the keeper wrote down what passed by in the night "
_OPEN = Reader("open", clearance="UNCLASSIFIED")


def _copies(first: int, end: int) -> list[str]:
    """Telegrams with an open copy and a fuller one that is secret."""
    return [
        text
        for n in range(first, end)
        for text in (
            make(n, day=n, text=_STORY),
            make(n, day=n, text=f"{_STORY}and so on").replace("UNCLAS BERN", "S E C R E T BERN"),
        )
    ]


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spread") / "archive"
    with Archive.open(folder) as archive:
        archive.add(incoming(*_copies(1, 9)))
    return folder


def _answers(archive: Archive) -> list[object]:
    found = [each.search("keeper", limit=100) for each in (archive, archive.view(_OPEN))]
    return [(each.total, len(each.hits), each.facets) for each in found]


def _beside(archive: Archive) -> dict[int, frozenset[int]]:
    found = {each: archive._indexes.copies(each) for each in archive._store.labels()}
    return {label: index.documents()[1] for label, index in found.items() if index}


def test_a_damaged_index_of_copies_costs_time_alone(filed: Path, tmp_path: Path) -> None:
    with Archive.open(filed) as archive:
        wanted = _answers(archive)
    files = [each.relative_to(filed) for each in sorted(filed.glob("index/1-copies/*"))]
    assert len(files) >= 8
    for number, (file, at) in enumerate((file, at) for file in files for at in (None, 0.3)):
        folder = tmp_path / str(number)
        shutil.copytree(filed, folder)
        with Archive.open(folder) as archive:
            if number % 3 == 0:
                assert _answers(archive) == wanted
            data = bytearray((folder / file).read_bytes())
            if at is not None and data:
                data[int(len(data) * at)] ^= 0x55
                (folder / file).write_bytes(data)
            else:
                (folder / file).unlink()
            assert _answers(archive) == wanted, (file, at)
        with Archive.open(folder) as archive:
            assert not archive.index_built
            assert _answers(archive) == wanted, (file, at)
            archive.add(incoming(*_copies(20, 21)))
            assert archive.search("keeper").total == 9
        shutil.rmtree(folder)


def test_an_archive_without_indexes_of_copies_gets_them_when_it_is_opened(
    filed: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(filed, folder)
    for each in folder.glob("index/*-copies"):
        shutil.rmtree(each)
    with Archive.open(folder) as archive:
        assert not archive.index_built
        assert _beside(archive) == spread.documents_of(archive._store)
        shutil.rmtree(folder / "index" / "1-copies")
        # Removed while it is open, it is begun again with the next copies.
        archive.add(incoming(*_copies(9, 10)))
        assert _beside(archive) == spread.documents_of(archive._store)


def test_what_a_kill_kept_from_the_indexes_of_copies_comes_with_the_next_filing(
    filed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, texts = tmp_path / "archive", tmp_path / "texts"
    shutil.copytree(filed, folder)
    texts.mkdir()
    for number, text in enumerate(_copies(9, 12)):
        (texts / f"{number}.txt").write_text(text)
    with Archive.open(folder) as archive:
        with monkeypatch.context() as patch:
            patch.setattr(spread, "keep", lambda *_: None)
            archive.fill([str(texts)])
        assert _beside(archive) != spread.documents_of(archive._store)
        assert archive.search("keeper").total == 11
        archive.fill([str(texts)])
        assert _beside(archive) == spread.documents_of(archive._store)


def test_a_damaged_index_is_said_to_be_damaged(filed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(filed, folder)
    with Archive.open(folder) as archive:
        meta = folder / "index" / "1" / "meta.json"
        meta.write_bytes(meta.read_bytes()[:-9])
        with pytest.raises(DamagedIndexError, match=r"index/1 is damaged: .*rebuild-index"):
            archive.search("keeper")
    with Archive.open(folder) as archive:
        assert archive.index_built
        assert archive.search("keeper").total == 8


def test_a_damaged_word_list_that_only_suggestions_look_into_is_said_to_be_damaged(
    filed: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(filed, folder)
    (file,) = folder.glob("index/1/*.term")
    words, said = file.read_bytes(), 0
    for at in range(0, len(words), 24):
        damaged = bytearray(words)
        damaged[at : at + 12] = bytes(each ^ 0xFF for each in words[at : at + 12])
        # Not written over: other archives have it open.
        (folder / "damaged").write_bytes(damaged)
        (folder / "damaged").rename(file)
        archive = Archive(folder, Store(folder / "telegrams.db"), Indexes(folder / "index"))
        with archive, suppress(DamagedIndexError):
            vocabulary = Vocabulary([archive._indexes.of(1)])
            try:
                vocabulary.beginning(("text",), "ke")
                vocabulary.standing(("text",), ["keeper", "lamp"])
                vocabulary.frequency(("text",), "keeper")
            except DamagedIndexError:
                said += 1
    assert said


def test_what_changes_while_a_search_is_answered_is_in_the_next_answer(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.add(incoming(*_copies(1, 4)))

    class Meanwhile(Asking):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            archive.add(incoming(*_copies(4, 6)))

    with monkeypatch.context() as patch:
        patch.setattr(view, "Asking", Meanwhile)
        archive.search("keeper")
    found = archive.search("keeper")
    assert found.total == len(found.hits) == archive.count() == 5


def test_what_is_counted_is_what_is_found_while_a_copy_is_being_closed(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.add(incoming(*_copies(1, 4)))
    (*_, copy) = (row for row in archive._store.all_rows() if row.label == 1)
    decide, seen = Store.decide, []

    def look(store: Store, *given: Any) -> None:
        found = archive.search("keeper")
        seen.append((found.total, len(found.hits), archive.view(_OPEN).search("keeper").total))
        decide(store, *given)

    monkeypatch.setattr(Store, "decide", look)
    archive.decide([copy.digest.hex()], Label("TOP SECRET"), who="a reviewer", why="a source")
    assert seen == [(3, 3, 2)]
    assert archive.search("keeper").total == 3


def test_what_is_counted_is_what_is_found_while_copies_come_into_the_index(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.add(incoming(*_copies(1, 4)))
    begun: list[Asking] = []
    finish = Waiting.finish

    def filed_and_not_indexed(waiting: Waiting) -> None:
        begun.append(archive._ask(build(parse("keeper")), "newest", 100, archive._labels))
        finish(waiting)

    with monkeypatch.context() as patch:
        patch.setattr(Waiting, "finish", filed_and_not_indexed)
        archive.add(incoming(*_copies(4, 9)))
    total, facets = begun[0].counts(meanwhile=lambda: None)
    assert total == len(begun[0].first()) == sum(each.count for each in facets.year) == 3


def test_a_reader_is_shown_nothing_closed_whose_closing_was_not_yet_indexed(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.add(incoming(make(1, text="the lamp burned"), make(2, text="the lamp went out")))
    closed = archive.search("burned").hits[0].digest
    reads = archive.view(_OPEN)

    def away(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(upkeep, "catch_up", away)
        with pytest.raises(StoreError, match="full"):
            archive.decide([closed], Label("SECRET", ()), who="a reviewer", why="it is not over")
    assert closed not in {hit.digest for hit in reads.search("lamp").hits}
    assert closed not in {document.digest for document in reads.every("lamp")}
    assert closed not in {document.digest for document in reads.related("lamp", "newest", 9)}
