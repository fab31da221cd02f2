"""Care: what is wrong is found and said, a backup comes back whole, a damaged archive gives what it can."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

import reftel
from reftel.archive import Archive, StoreError
from reftel.archive.backup import backup, restore
from reftel.archive.index import LabelIndex
from reftel.archive.salvage import CLOSED, salvage
from tests.archive.test_archive import incoming, make
from tests.archive.test_damaged import flip
from tests.telegrams import ROOT

_FORMAT_1 = Path(__file__).with_name("format-1")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("UPDATE documents SET digest = zeroblob(32) WHERE id = 3", "match its digest"),
        ("UPDATE documents SET number = 777 WHERE id = 3", "a number that its record does not"),
        ("UPDATE documents SET sent = 1 WHERE id = 3", "a time or section"),
        ("DELETE FROM citations WHERE document = 3", "its citations are not"),
        ("UPDATE citations SET label = 2 WHERE document = 3", "its citations are not"),
        ("UPDATE documents SET label = 1 WHERE id = 5", "not its own"),
        ("UPDATE documents SET opens = 20200101 WHERE id = 5", "fall open on another day"),
        ("UPDATE documents SET opens = NULL WHERE opens = 20990301", "fall open on another day"),
        ("UPDATE documents SET telegram = 7 WHERE id = 3", "not exactly one copy"),
        ("UPDATE documents SET telegram = 900 WHERE id = 3", "a copy of one that is not held"),
        ("UPDATE documents SET reading = 0 WHERE id = 3", "is not the one to read"),
        ("DELETE FROM texts WHERE document = 3", "no text"),
        (flip("source"), "text cannot be read"),
        (flip("record"), "record cannot be read"),
    ],
)
def test_verify_says_what_is_wrong_with_the_records(folder: Path, harm: str, said: str) -> None:
    with closing(sqlite3.connect(folder / "telegrams.db")) as db, db:
        assert db.execute(harm).rowcount
    with Archive.open(folder) as archive:
        problems = [str(problem) for problem in archive.verify()]
    assert any(said in line for line in problems), problems
    assert all("reftel archive" in line for line in problems)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("UPDATE continuity SET number = 9", "its continuity numbers"),
        ("UPDATE continuity SET sent = 9", "its continuity numbers"),
        ("DELETE FROM continuity", "its continuity numbers"),
        ("UPDATE stations SET name = 'OSLO' WHERE name = 'BERN'", "its continuity numbers"),
        ("INSERT INTO lost VALUES (3, 'NO TEXT')", "why it has no text"),
        ("INSERT INTO spread VALUES (1)", "listed as having copies under several labels"),
        ("UPDATE documents SET quality = 1 WHERE telegram = 2 AND reading = 1", "the best copy"),
        ("UPDATE refused SET reason = ''", "has no reason"),
    ],
)
def test_verify_says_what_is_wrong_beside_the_records(
    place: Path | str, harm: str, said: str
) -> None:
    numbered = make(1).replace("SECSTATE WASHDC", "SECSTATE WASHDC 0123")
    plain = make(2, text="He wrote it down.")
    with Archive.open(place) as archive:
        copy = plain.replace(" wrote ", " wr*te ")
        archive.add(incoming(numbered, plain, copy, "Dear Sir,"))
        assert archive.verify() == []
        store = archive._writing
        with store.transaction():
            assert store.select(f"{harm} RETURNING 1")
        problems = [str(problem) for problem in archive.verify()]
    assert any(said in line for line in problems), problems
    assert all("reftel archive" in line for line in problems)


def test_verify_compares_the_index_by_what_is_in_it_and_not_by_counts(folder: Path) -> None:
    with Archive.open(folder) as archive:
        row = archive._store.by_id(3)
        assert row is not None
        index = LabelIndex(folder / "index" / str(row.label))
        index.remove(3)
        from reftel.archive.entry import line_of

        index.add([(5, line_of(archive._store.telegram(5), b"12345678"))])
        index.end_writing()
    with Archive.open(folder) as archive:
        said = "\n".join(map(str, archive.verify()))
        assert "lacks 1 documents, the first of them 3" in said
        assert "must not, the first of them 5" in said
        archive.rebuild_index()
        assert archive.verify() == []


@pytest.mark.parametrize("workers", [0, 2])
def test_an_index_is_built_again_as_it_was_in_one_process_or_several(
    folder: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr("reftel.archive.rebuild._FEW", 0)
    monkeypatch.setattr("reftel.archive.rebuild._BATCH", 7)
    told: list[tuple[int, int]] = []
    with Archive.open(folder) as archive:
        before = archive.search("lamp", limit=100)
        assert before.total == 40
        archive.rebuild_index(workers, lambda done, of: told.append((done, of)))
        assert archive.search("lamp", limit=100) == before
        assert archive.verify() == []
    assert told == [(7, 41), (14, 41), (21, 41), (28, 41), (35, 41), (41, 41)]


def test_who_has_the_index_open_goes_on_searching_while_it_is_built_again(folder: Path) -> None:
    seen: list[int] = []
    with Archive.open(folder) as room, Archive.open(folder) as archive:
        before = room.search("lamp", limit=100)
        archive.rebuild_index(on_progress=lambda *_: seen.append(room.search("lamp").total))
        assert seen == [40]
        assert room.search("lamp", limit=100) == before
        archive.add(incoming(make(77, text="a lamp of another day")))
        assert room.search("lamp").total == 41
    assert sorted(each.name for each in folder.glob("index*")) == ["index"]


def test_who_looks_for_an_index_while_another_takes_its_place_does_not_stand_in_the_way(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def looked_for(path: Path, target: Path) -> Path:
        moved = rename(path, target)
        if path == folder / "index":
            assert LabelIndex(folder / "index" / "1").count() == 0
        return moved

    with Archive.open(folder) as archive:
        before = archive.search("lamp", limit=100)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", looked_for)
            archive.rebuild_index()
        assert archive.search("lamp", limit=100) == before
        assert archive.verify() == []
    with Archive.open(folder) as archive:
        assert not archive.index_built


def test_a_rebuild_that_is_broken_off_leaves_the_index_that_was_there(folder: Path) -> None:
    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    with Archive.open(folder) as archive:
        before = archive.search("lamp", limit=100)
        with pytest.raises(KeyboardInterrupt):
            archive.rebuild_index(on_progress=stop)
        assert archive.search("lamp", limit=100) == before
    assert not (folder / "index.new").exists()
    (folder / "index.new").mkdir()
    with Archive.open(folder) as archive:
        assert archive.search("lamp", limit=100) == before
        assert archive.verify() == []
    assert sorted(each.name for each in folder.glob("index*")) == ["index"]


def test_an_index_of_an_earlier_version_is_built_again_when_the_archive_is_opened(
    folder: Path,
) -> None:
    (folder / "index" / "format").write_text("1")
    told: list[tuple[int, int]] = []
    with Archive.open(folder, on_index=lambda done, of: told.append((done, of))) as archive:
        assert archive.index_built
        assert archive.search("lamp").total == 40
    assert told[-1] == (41, 41)
    with Archive.open(folder) as archive:
        assert not archive.index_built


def test_an_index_that_was_not_built_to_the_end_is_begun_again_and_what_it_lacks_stays_listed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reftel.archive.rebuild._BATCH", 7)
    monkeypatch.setattr("reftel.archive.waiting._MANY", 5)

    def killed(done: int, of: int) -> None:
        if done > of // 2:
            raise KeyboardInterrupt

    with Archive.open(folder) as archive:
        before = archive.search("lamp", limit=100)
        row = archive._store.by_id(3)
        assert row is not None
        # Decided by one that was killed before its index followed.
        with archive._writing.transaction():
            archive._writing.mark_label_unindexed(row.label)
        listed = archive._writing.unindexed(100)
        with pytest.raises(KeyboardInterrupt):
            archive.rebuild_index(on_progress=killed)
        assert archive._writing.unindexed(100) == listed != []
    (folder / "index" / "format").write_text("1")
    with pytest.raises(KeyboardInterrupt):
        Archive.open(folder, on_index=killed)
    with Archive.open(folder) as archive:
        assert archive.index_built
        assert archive.search("lamp", limit=100) == before
        assert archive.verify() == []
        assert archive._writing.unindexed(100) == []
    with Archive.open(folder) as archive:
        assert not archive.index_built


def test_verify_finds_a_flipped_byte_in_the_index(folder: Path) -> None:
    files = [each for each in folder.glob("index/*/*.store") if each.stat().st_size > 200]
    assert files
    data = bytearray(files[0].read_bytes())
    data[60] ^= 1
    files[0].write_bytes(data)
    with Archive.open(folder) as archive:
        said = "\n".join(map(str, archive.verify()))
        assert str(files[0]) in said
        assert "rebuild-index" in said
        archive.rebuild_index()
        assert archive.verify() == []


def test_a_backup_made_while_telegrams_are_filed_comes_back_whole(
    folder: Path, tmp_path: Path
) -> None:
    filing, stop = threading.Event(), threading.Event()

    def file() -> None:
        with Archive.open(folder) as archive:
            for number in range(1000, 3000):
                archive.add(incoming(make(number)))
                filing.set()
                if stop.is_set():
                    return

    thread = threading.Thread(target=file)
    thread.start()
    assert filing.wait(60)
    try:
        assert backup(folder, tmp_path / "safe") == []
    finally:
        stop.set()
        thread.join()
    assert not (tmp_path / "safe" / "index").exists()
    assert restore(tmp_path / "safe", tmp_path / "back") == []
    assert (tmp_path / "back" / "drafts" / "one.txt").read_text() == "a draft"
    with Archive.open(folder) as old, Archive.open(tmp_path / "back") as new:
        assert new.verify() == []
        assert 40 < new.count() <= old.count()
        (digest,) = [hit.digest for hit in new.search('"lamp 39"').hits]
        assert new.document(digest) == old.document(digest)


def test_a_backup_that_was_altered_or_a_place_that_is_taken_is_not_used(
    folder: Path, tmp_path: Path
) -> None:
    backup(folder, tmp_path / "safe")
    with pytest.raises(StoreError, match="is there already"):
        restore(tmp_path / "safe", folder)
    with pytest.raises(StoreError, match="is there already"):
        backup(folder, tmp_path / "safe")
    (tmp_path / "safe" / "drafts" / "one.txt").write_text("a drift")
    with pytest.raises(StoreError, match="not what was backed up"):
        restore(tmp_path / "safe", tmp_path / "back")
    (tmp_path / "safe" / "drafts" / "one.txt").unlink()
    with pytest.raises(StoreError, match="missing"):
        restore(tmp_path / "safe", tmp_path / "back")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["archive", "safe"]


def test_whatever_page_is_damaged_nothing_false_is_said_and_the_rest_is_saved(
    whole: Path, tmp_path: Path
) -> None:
    with Archive.open(whole) as archive:
        labels = {row.digest.hex(): row.label for row in archive._store.all_rows()}
        texts = {digest: archive._store.telegram(at) for at, digest in enumerate(labels, 1)}
        names = archive._store.labels()
        copies = len(labels)
    with closing(sqlite3.connect(whole / "telegrams.db")) as db:
        (size,) = db.execute("PRAGMA page_size").fetchone()
    pages = (whole / "telegrams.db").stat().st_size // size
    chosen = range(2, pages + 1)
    if "REFTEL_LONG" not in os.environ:
        chosen = sorted(random.Random().sample(chosen, 6))  # type: ignore[assignment]
    for page in chosen:
        folder = tmp_path / f"archive-{page}"
        shutil.copytree(whole, folder)
        with (folder / "telegrams.db").open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(random.Random(page).randbytes(size))
        try:
            with Archive.open(folder) as archive:
                assert archive.verify(), f"page {page}"
                for hit in archive.search("lamp", limit=100).hits:
                    document = archive.document(hit.digest)
                    assert document is not None
                    assert document.telegram == texts[hit.digest]
        except StoreError as error:
            assert "damaged" in str(error)
        saved, lost = salvage(folder, tmp_path / f"new-{page}")
        assert saved + len(lost) >= copies, f"page {page}"
        with Archive.open(tmp_path / f"new-{page}") as archive:
            assert archive.verify() == []
            for document in archive.every():
                assert document.telegram == texts[document.digest]
            nearly = {row.digest.hex(): row.label for row in archive._store.all_rows()}
            said = " ".join(map(str, lost))
            for digest, label in nearly.items():
                now, was = archive._store.labels()[label], names[labels[digest]]
                assert was.within(now) or now == CLOSED or "cannot be read" in said
        shutil.rmtree(folder)


def test_a_salvaged_archive_that_was_whole_is_the_same(whole: Path, tmp_path: Path) -> None:
    saved, lost = salvage(whole, tmp_path / "new")
    assert (saved, lost) == (41, [])
    with Archive.open(whole) as old, Archive.open(tmp_path / "new") as new:
        assert new.search("lamp", limit=100) == old.search("lamp", limit=100)
        assert list(new.every()) == list(old.every())
        for row in old._store.all_rows():
            other = new._store.by_id(row.id)
            assert other is not None
            one, two = old._store.labels()[row.label], new._store.labels()[other.label]
            assert (one, row.opens, row.reading) == (two, other.opens, other.reading)
            assert old.decisions(row.digest.hex()) == new.decisions(row.digest.hex())
    assert (tmp_path / "new" / "drafts" / "one.txt").exists()


_READ = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from reftel.archive import Archive, StoreError
from tests.archive.test_archive import incoming, make
from tests.archive.test_damaged import flip
with Archive.open(Path({folder!r})) as archive:
    print(archive.search("lamp").total, len(archive.verify()))
    try:
        archive.add(incoming(make(900)))
    except StoreError as error:
        print(error)
"""


@pytest.mark.parametrize("log", [False, True])
def test_an_archive_on_a_disk_that_cannot_be_written_is_read(folder: Path, log: bool) -> None:
    place = str(folder.parent)
    script = _READ.format(root=str(ROOT), folder=str(folder))
    read = f"mount --bind {place} {place} && mount -o remount,ro,bind {place}"
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("only root can make a folder that cannot be written here")
    with Archive.open(folder) as archive:
        total = archive.search("lamp").total
        if not log:
            archive.close()
        ended = subprocess.run(
            ["unshare", "-m", "sh", "-c", f'{read} && exec "$0" -c "$1"', sys.executable, script],
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert ended.stderr == ""
    first, said = ended.stdout.splitlines()
    assert first == f"{total} 0"
    assert "cannot be written" in said


@pytest.mark.parametrize("log", [False, True])
def test_a_disk_that_has_become_read_only_is_backed_up(
    folder: Path, tmp_path: Path, log: bool
) -> None:
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("only root can make a folder that cannot be written here")
    (folder / "access.toml").write_text('[[reader]]\nname = "roe"\nclearance = "SECRET"\n')

    def reftel(*arguments: object) -> subprocess.CompletedProcess[str]:
        read = f'mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} && exec "$@"'
        command = [sys.executable, "-m", "reftel", *map(str, arguments), "--archive", str(folder)]
        return subprocess.run(
            ["unshare", "-m", "sh", "-c", read, "sh", *command],
            capture_output=True,
            text=True,
            timeout=120,
        )

    with Archive.open(folder) as archive:
        if not log:
            archive.close()
        made = reftel("archive", "backup", tmp_path / "safe")
        assert made.returncode == 0, made.stderr
        for command in (("search", "lamp"), ("serve", "--port", "0")):
            unrecorded = reftel(*command)
            assert unrecorded.returncode == 2
            assert "audit trail" in unrecorded.stderr
            assert "reftel archive backup" in unrecorded.stderr
    assert restore(tmp_path / "safe", tmp_path / "back") == []
    with Archive.open(tmp_path / "back") as archive:
        assert archive.search("lamp").total == 40
        assert archive.verify() == []


def test_the_way_back_on_the_command_line(folder: Path, tmp_path: Path) -> None:
    def reftel(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "reftel", "archive", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    assert reftel("backup", tmp_path / "safe", "--archive", folder).returncode == 0
    with (folder / "telegrams.db").open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 16284)
    broken = reftel("verify", "--archive", folder)
    assert broken.returncode == 2
    assert "damaged" in broken.stderr
    assert "Traceback" not in broken.stderr
    folder.rename(tmp_path / "broken")
    back = reftel("restore", tmp_path / "safe", "--archive", folder)
    assert back.returncode == 0, back.stderr
    assert reftel("verify", "--archive", folder).stderr == "40 telegrams, 0 problems\n"
    saved = reftel("salvage", tmp_path / "saved", "--archive", folder)
    assert "41 documents saved, 0 lost" in saved.stderr


def test_an_index_begun_by_several_at_once_is_whole_for_each(tmp_path: Path) -> None:
    from reftel.archive.entry import line_of

    line = line_of(reftel.read(make(1)), b"12345678")
    for round_ in range(20):
        place = tmp_path / str(round_)
        start = threading.Barrier(4)

        def begin(place: Path = place, start: threading.Barrier = start) -> LabelIndex:
            start.wait()
            return LabelIndex(place)

        with ThreadPoolExecutor(4) as threads:
            indexes = [each.result() for each in [threads.submit(begin) for _ in range(4)]]
        indexes[0].add([(1, line)])
        indexes[0].end_writing()
        assert [index.count() for index in indexes] == [1, 1, 1, 1]


def _modes(folder: Path) -> dict[str, int]:
    return {
        str(each.relative_to(folder)): each.stat().st_mode & 0o777
        for each in (folder, *folder.rglob("*"))
        if each.relative_to(folder).parts[:1] not in (("index",), ("lock",), ("SHA256SUMS",))
    }


def test_what_holds_telegrams_is_its_keepers_alone_unless_the_archive_is_wider(
    folder: Path, tmp_path: Path
) -> None:
    before = os.umask(0o022)
    try:
        with Archive.open(tmp_path / "new") as archive:
            archive.add(incoming(make(1)))
            archive.rebuild_index()
        assert {name: _modes(tmp_path / "new")[name] for name in (".", "telegrams.db")} == {
            ".": 0o700,
            "telegrams.db": 0o600,
        }
        assert (tmp_path / "new" / "index").stat().st_mode & 0o777 == 0o700
        for at, (wide, narrow) in enumerate(((0o700, 0o600), (0o750, 0o640))):
            for each in (folder, *folder.rglob("*")):
                each.chmod(wide if each.is_dir() else narrow)
            wanted = _modes(folder)
            backup(folder, tmp_path / f"safe{at}")
            assert _modes(tmp_path / f"safe{at}") == wanted
            restore(tmp_path / f"safe{at}", tmp_path / f"back{at}")
            assert _modes(tmp_path / f"back{at}") == wanted
            salvage(folder, tmp_path / f"saved{at}")
            assert _modes(tmp_path / f"saved{at}") == wanted
    finally:
        os.umask(before)


def test_an_upgrade_keeps_the_modes_of_the_archive(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    shutil.copytree(_FORMAT_1, folder)
    folder.chmod(0o700)
    (folder / "telegrams.db").chmod(0o600)
    with Archive.open(folder):
        pass
    assert {mode for name, mode in _modes(folder).items() if name.endswith(".db")} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_an_archive_of_format_1_is_backed_up_as_it_is(tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(_FORMAT_1, old)
    assert backup(old, tmp_path / "safe") == []
    with pytest.raises(StoreError, match=r"has format 1, .*reftel archive verify"):
        salvage(old, tmp_path / "saved")
    assert restore(tmp_path / "safe", tmp_path / "back") == []
    with Archive.open(old) as one, Archive.open(tmp_path / "back") as other:
        assert list(one.every()) == list(other.every()) != []
    with closing(sqlite3.connect(tmp_path / "safe" / "telegrams.db")) as db, db:
        db.execute("UPDATE documents SET source = x'00' WHERE id = 1")
    (problem,) = backup(tmp_path / "safe", tmp_path / "again")
    assert "does not match its digest" in str(problem)


def test_nothing_is_put_into_a_backup_or_behind_a_link_that_leads_nowhere(
    folder: Path, tmp_path: Path
) -> None:
    backup(folder, tmp_path / "safe")
    for place in (tmp_path / "safe" / "inner", tmp_path / "safe" / "deep" / "inner"):
        with pytest.raises(StoreError, match=r"lies in .*safe, which is an archive or a backup"):
            backup(folder, place)
        with pytest.raises(StoreError, match="an archive or a backup"):
            restore(tmp_path / "safe", place)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(StoreError, match=r"is a link to .*nowhere, which is not there"):
        restore(tmp_path / "safe", link)
    (tmp_path / "nowhere").mkdir()
    assert restore(tmp_path / "safe", link) == []
    assert link.is_symlink()
    with Archive.open(link) as archive:
        assert archive.search("lamp").total == 40
