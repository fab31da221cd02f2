"""Filing under kills, full disks, read-only folders and company: what was reported as filed is there."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from reftel.archive import Archive, StoreError
from reftel.archive.index import LabelIndex
from reftel.archive.pool import Pool
from reftel.archive.store import Store
from reftel.telegram import Telegram
from tests.archive.test_archive import incoming, make
from tests.telegrams import ROOT

KILLS = int(os.environ.get("REFTEL_KILLS", "3"))
_COUNT = 400


@pytest.fixture(scope="module")
def telegrams(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of telegrams, some of them further copies, and one file that is none."""
    folder = tmp_path_factory.mktemp("telegrams")
    for number in range(1, _COUNT + 1):
        text = make(number, day=1 + number % 28, text=f"The lamp {number} burns. " * 9)
        (folder / f"{number:04d}.txt").write_text(text)
        if number % 50 == 0:
            (folder / f"{number:04d}-again.txt").write_text(f"{text}NNNN\n")
    (folder / "letter.txt").write_text("Dear Sir,")
    return folder


def _add(archive: Path, telegrams: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "reftel", "add", "--archive", str(archive), *more, str(telegrams)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_killed_at_any_moment_the_archive_is_whole_and_filing_goes_on(
    tmp_path: Path, telegrams: Path
) -> None:
    rng = random.Random(KILLS)
    folder = tmp_path / "archive"
    held = 0
    for number in range(KILLS):
        child = _add(folder, telegrams, "--workers", str(number % 2))
        time.sleep(rng.uniform(0.5, 2.5))
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        if not (folder / "telegrams.db").exists():
            continue
        with Archive.open(folder) as archive:
            assert archive.verify() == []
            assert archive.count() >= held, "what was filed stays filed"
            held = archive.count()
            assert archive.search("").total == archive.search("lamp").total == held
    child = _add(folder, telegrams)
    _, said = child.communicate()
    assert child.returncode == 0, said
    with Archive.open(folder) as archive:
        assert archive.count() == archive.search("lamp").total == _COUNT
        assert archive.verify() == []


def test_killed_it_leaves_no_process_behind(tmp_path: Path, telegrams: Path) -> None:
    child = _add(tmp_path / "archive", telegrams, "--workers", "2")
    children = Path(f"/proc/{child.pid}/task/{child.pid}/children")
    while len(children.read_text().split()) < 2:
        time.sleep(0.01)
    time.sleep(0.2)
    child.kill()
    # The pipe ends when nobody holds it any more, the processes that read for it included.
    child.communicate(timeout=30)
    assert child.returncode == -signal.SIGKILL


def test_where_no_process_can_read_it_says_so_and_ends(tmp_path: Path, telegrams: Path) -> None:
    script = tmp_path / "files.py"
    script.write_text(
        "from reftel.archive import Archive\n"
        f"with Archive.open({str(tmp_path / 'archive')!r}) as archive:\n"
        f"    archive.fill([{str(telegrams)!r}], workers=1)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "NoProcessError: the processes that read end as soon as they begin" in done.stderr


def test_a_process_that_dies_takes_no_other_answer_with_it(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "archive") as archive:
        pool = Pool(2, archive._store.path)
    asked = [(n, str(n).encode()) for n in range(30)]
    try:
        answers = list(pool.each(_dies_at_times, iter(asked)))
    finally:
        pool.end()
    assert [n for n, _ in answers] == list(range(30))
    assert {answer for n, answer in answers if n % 10 == 3} == {None}
    assert {answer for n, answer in answers if answer} <= {packed for _, packed in asked}


def test_where_no_process_can_read_an_index_is_built_by_this_one(
    tmp_path: Path, telegrams: Path
) -> None:
    script = tmp_path / "rebuilds.py"
    script.write_text(
        "import sys\n"
        "from reftel.archive import Archive, rebuild\n"
        "rebuild._FEW = 0\n"
        f"with Archive.open({str(tmp_path / 'archive')!r}) as archive:\n"
        f"    archive.fill([{str(telegrams)!r}])\n"
        "    archive.rebuild_index(2)\n"
        "    assert archive.index_built\n"
        "    assert archive.verify() == []\n"
        "    print(archive.search('lamp').total)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert done.stdout == f"{_COUNT}\n", done.stderr


def test_a_process_that_reads_leaves_an_interruption_to_the_one_that_files(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "archive") as archive:
        pool = Pool(1, archive._store.path)
    try:
        assert pool.submit(_is_interrupted, b"read").result() == b"read"
    finally:
        pool.end()


def test_two_processes_file_at_once_and_each_telegram_is_there_once(
    tmp_path: Path, telegrams: Path
) -> None:
    folder = tmp_path / "archive"
    children = [_add(folder, telegrams, "--workers", str(workers)) for workers in (0, 1)]
    for child in children:
        _, said = child.communicate()
        assert child.returncode == 0, said
    with Archive.open(folder) as archive:
        assert archive.count() == archive.search("lamp").total == _COUNT
        assert archive.verify() == []


def test_on_a_full_disk_filing_says_so_and_what_it_reported_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit of a file's size stands for the end of the disk."""
    monkeypatch.setattr("reftel.archive.archive._TRANSACTION_S", 0.0)
    texts = incoming(*(make(n * 7, day=1 + n % 28, text=f"lamp {n} " * 99) for n in range(1, 301)))
    folder = tmp_path / "archive"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    filed: list[int] = []
    with Archive.open(folder) as archive:
        resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, hard))
        try:
            with pytest.raises(StoreError, match="disk"):
                archive.add(texts, batch=20, on_progress=lambda now: filed.append(now.done))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, before)
    with Archive.open(folder) as archive:
        assert archive.count() == max(filed, default=0) < 300
        assert archive.verify() == []
        assert archive.add(texts).known == max(filed, default=0)
        assert archive.search("lamp").total == 300


def test_opened_on_a_full_disk_the_index_that_is_there_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "archive"
    texts = [make(n, text=" ".join(f"lamp{n}x{k}" for k in range(99))) for n in range(1, 301)]
    with Archive.open(folder) as archive:
        archive.add(incoming(*texts[:50]))
        with monkeypatch.context() as patch:
            patch.setattr(LabelIndex, "add", _no_room)
            with pytest.raises(StoreError):
                archive.add(incoming(*texts[50:]))
        assert archive.count() == 300
    begun = (folder / "index" / "format").stat().st_ino
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
    try:
        with pytest.raises(StoreError, match="disk is full"):
            Archive.open(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert (folder / "index" / "format").stat().st_ino == begun, "it was not begun anew"
    with Archive.open(folder) as archive:
        assert archive.search("lamp7x1").total == archive.search("lamp299x1").total == 1
        assert archive.verify() == []


def test_after_a_full_disk_the_same_archive_goes_on_though_the_error_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a message centre, which tries again for as long as it takes: the error, kept by whoever saw it,
    may not keep the index as well."""
    commit = LabelIndex.commit
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def on_a_full_disk(index: LabelIndex) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        try:
            commit(index)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    texts = [make(n, text=" ".join(f"lamp{n}x{k}" for k in range(999))) for n in (1, 2, 3)]
    kept = []
    try:
        with Archive.open(tmp_path / "archive") as archive:
            archive.add(incoming(texts[0]))
            with monkeypatch.context() as patch:
                patch.setattr(LabelIndex, "commit", on_a_full_disk)
                for _ in range(2):
                    with pytest.raises(StoreError, match="disk is full") as failed:
                        archive.add(incoming(texts[1]))
                    kept.append(failed.value)
            archive.add(incoming(texts[2]))
            found = [archive.search(f"lamp{n}x7").total for n in (1, 2, 3)]
            assert found == [1, 1, 1], kept
            assert archive.verify() == []
    finally:
        signal.signal(signal.SIGXFSZ, before)


def test_an_index_built_again_that_had_not_yet_taken_its_place_takes_it(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    with Archive.open(folder) as archive:
        archive.add(incoming(make(1, text="lamp"), make(2, text="lamp")))
    # As a kill between the two steps leaves them.
    (folder / "index").rename(folder / "index.old")
    shutil.copytree(folder / "index.old", folder / "index.new")
    with Archive.open(folder) as archive:
        assert not archive.index_built
        assert archive.search("lamp").total == 2
        assert archive.verify() == []
    assert sorted(each.name for each in folder.glob("index*")) == ["index"]


def test_what_a_kill_left_of_an_index_that_was_being_begun_is_cleared_away(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    with Archive.open(folder) as archive:
        archive.add(incoming(make(1)))
    left, begun = folder / "index" / "new-left", folder / "index" / "new-begun"
    for each in (left, begun):
        shutil.copytree(folder / "index" / "1", each / "index")
    os.utime(left, (0, 0))
    with Archive.open(folder) as archive:
        assert archive.verify() == []
    assert not left.exists()
    assert begun.exists(), "another process may be at it"


def _dies_at_times(store: Store, packed: bytes) -> bytes:
    del store
    if int(packed) % 10 == 3:
        os._exit(1)
    return packed


def _is_interrupted(store: Store, packed: bytes) -> bytes:
    del store
    os.kill(os.getpid(), signal.SIGINT)
    return packed


def _no_room(*_: object, **__: object) -> None:
    raise StoreError("there is no room")


@pytest.mark.parametrize("batch", [2, 500])
def test_what_stops_while_it_is_indexed_is_indexed_once_when_it_goes_on(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr("reftel.archive.archive._TRANSACTION_S", 0.0)
    monkeypatch.setattr("reftel.archive.waiting._MANY", 3)
    texts = [make(n, text=f"lamp {n} burns") for n in range(1, 12)]
    add, read = LabelIndex.add, Store.telegram

    def stopped(
        index: LabelIndex, entries: Iterable[tuple[int, str]], *, many: bool = False
    ) -> None:
        add(index, islice(entries, 2), many=many)
        raise KeyboardInterrupt

    def away(store: Store, document: int, *, elements: bool = True) -> Telegram:
        if document == 6:
            raise StoreError("the database is away")
        return read(store, document, elements=elements)

    with monkeypatch.context() as patch:
        patch.setattr(LabelIndex, "add", stopped)
        with pytest.raises(KeyboardInterrupt):
            archive.add(incoming(*texts), batch=batch)
    held = archive.count()
    assert held >= 2
    with monkeypatch.context() as patch:
        patch.setattr(Store, "telegram", away)
        with pytest.raises(StoreError, match="away"):
            archive.add(incoming(*texts))
    archive.add(incoming(*texts))
    assert archive.search("lamp").total == archive.count() == 11
    assert archive.verify() == []


def test_on_a_disk_that_fills_while_the_index_is_filled_aside_nothing_is_lost(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reftel.archive.archive._TRANSACTION_S", 0.0)
    monkeypatch.setattr("reftel.archive.waiting._MANY", 3)
    texts = incoming(*(make(n, text=f"lamp {n} burns") for n in range(1, 41)))
    filed: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(LabelIndex, "commit", _no_room)
        with pytest.raises(StoreError, match="no room"):
            archive.add(texts, batch=4, on_progress=lambda now: filed.append(now.done))
    assert archive.count() >= filed[-1] >= 4
    assert archive.add(texts).known >= filed[-1]
    assert archive.search("lamp").total == archive.count() == 40
    assert archive.verify() == []


@pytest.mark.parametrize("killed", ["before the store says so", "after the store says so"])
def test_a_kill_between_the_commits_of_store_and_index_is_mended_without_a_rebuild(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: str
) -> None:
    strike_off = Store.strike_off

    def stopped(store: Store, *given: Any) -> None:
        if killed.startswith("after"):
            strike_off(store, *given)
        raise KeyboardInterrupt

    with Archive.open(tmp_path / "a") as archive:
        archive.add(incoming(make(1, text="A lamp.")))
        with monkeypatch.context() as patch:
            patch.setattr(Store, "strike_off", stopped)
            with pytest.raises(KeyboardInterrupt):
                archive.add(incoming(make(2, text="A lamp.")))
    with Archive.open(tmp_path / "a") as archive:
        assert not archive.index_built
        assert archive.search("lamp").total == 2
        assert archive.verify() == []
        archive.add(incoming(make(3, text="A lamp.")))
    with Archive.open(tmp_path / "a") as archive:
        assert not archive.index_built
        assert archive.search("lamp").total == 3


def test_a_database_put_back_to_what_it_was_before_gets_an_index_of_its_own(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "a"
    with Archive.open(folder) as archive:
        archive.add(incoming(make(1, text="A lamp.")))
    before = Path(shutil.copytree(folder, tmp_path / "before"))
    with Archive.open(folder) as archive:
        archive.add(incoming(make(2, text="A zymurgist.")))
    # It gives the number again, so that there are as many as the index holds.
    with Archive.open(before) as archive:
        archive.add(incoming(make(3, text="A quern.")))
    shutil.copy(before / "telegrams.db", folder / "telegrams.db")
    with Archive.open(folder) as archive:
        assert archive.index_built
        assert archive.search("zymurgist").total == 0
        assert [hit.mrn for hit in archive.search("quern").hits] == ["07BERN3"]
        assert archive.verify() == []
    with Archive.open(folder) as archive:
        assert not archive.index_built


def test_verify_finds_an_index_that_was_made_of_another_state_of_the_database(
    tmp_path: Path,
) -> None:
    folders = tmp_path / "a", tmp_path / "b"
    for folder, text in zip(folders, ("A zymurgist.", "A quern."), strict=True):
        with Archive.open(folder) as archive:
            archive.add(incoming(make(1, text="A lamp."), make(2, text=text)))
    with Archive.open(folders[0]) as archive:
        shutil.rmtree(folders[0] / "index")
        shutil.copytree(folders[1] / "index", folders[0] / "index")
        said = "\n".join(map(str, archive.verify()))
        assert "another state of the archive" in said
        assert "entries of others for 1 documents, the first of them 2" in said
        assert "rebuild-index" in said
