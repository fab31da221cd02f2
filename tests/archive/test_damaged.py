"""One damaged telegram: it has a place of its own, and does not stand in the way of others."""

from __future__ import annotations

import io
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from reftel.archive import Archive
from reftel.archive.export import FORMS, export, export_texts
from reftel.telegram import Mrn
from reftel.web.server import get
from tests.archive.test_archive import incoming, make

_STORY = "which burned while the keeper wrote down what passed by in the night; "


def flip(column: str) -> str:
    return f"UPDATE texts SET {column} = CAST(substr({column}, 1, 60) || X'07' || substr({column}, 62) AS BLOB) WHERE document = 3"


@pytest.mark.parametrize("column", ["source", "record"])
def test_one_damaged_text_does_not_stop_the_reading_of_others(
    folder: Path, tmp_path: Path, column: str
) -> None:
    with closing(sqlite3.connect(folder / "telegrams.db")) as db, db:
        db.execute(flip(column))
    with Archive.open(folder) as archive:
        row = archive._store.by_id(3)
        assert row is not None
        digest = row.digest.hex()
        results = archive.search("", limit=100)
        (hit,) = [hit for hit in results.hits if hit.damaged]
        assert (hit.digest, hit.mrn, hit.dtg) == (digest, "07BERN3", "2007-03-01T09:15:00Z")
        assert "cannot be read" in (hit.damaged or "")
        assert "reftel archive" in (hit.damaged or "")
        assert len(results.hits) == results.total == 40
        for path in ("/api/search?q=&limit=1000", "/search?q=&page=2", "/thread/07BERN2", "/"):
            assert get(archive, path)[0] == 200
        # What it cites is not held.
        assert get(archive, "/t/06BERN4")[0] == 404
        assert digest[:16] in get(archive, "/thread/06BERN4")[1]
        for path in (f"/d/{digest[:16]}", "/t/07BERN3", f"/d/{digest}.txt"):
            status, said = get(archive, path)
            assert status == 500
            assert "cannot be read" in said
            assert digest[:16] in said
        for form in FORMS:
            file = io.BytesIO()
            assert export(archive.every(), form, file) == 40
            if form != "parquet":
                # RIS and mail break lines.
                assert digest[:16] in file.getvalue().decode().replace("=\n", "")
                assert "cannot be read" in file.getvalue().decode().replace("=\n", "")
        assert export_texts(archive.every(), tmp_path / "texts") == 40
        assert "cannot be read" in (tmp_path / "texts" / "07BERN3.damaged").read_text()
        # Built again, the index still holds it by its number.
        archive.rebuild_index()
        assert [hit.digest for hit in archive.search("mrn:07BERN3").hits] == [digest]
    with Archive.open(folder) as archive:
        assert not archive.index_built


def test_an_export_says_at_its_end_how_many_were_damaged(folder: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(folder / "telegrams.db")) as db, db:
        db.execute(flip("source"))
    command = [sys.executable, "-m", "reftel"]

    def reftel(*arguments: object) -> subprocess.CompletedProcess[str]:
        given = [*command, *map(str, arguments), "--archive", str(folder)]
        return subprocess.run(given, capture_output=True, text=True, timeout=120)

    (tmp_path / "all.csv").touch(0o600)
    ended = reftel("export", "", tmp_path / "all.csv")
    assert (tmp_path / "all.csv").stat().st_mode & 0o777 == 0o600
    assert ended.returncode == 2
    assert "40 telegrams written" in ended.stderr
    assert "1 of them are damaged" in ended.stderr
    assert "07BERN3" in ended.stderr
    shown = reftel("show", "07BERN3")
    assert shown.returncode == 2
    assert "salvage" in shown.stderr


def test_a_damaged_copy_is_read_in_another(folder: Path) -> None:
    # The first telegram has a copy; whichever is the better one is damaged.
    with Archive.open(folder) as archive:
        best, other = archive._store.by_number(("BERN", 2007, 1))
    with closing(sqlite3.connect(folder / "telegrams.db")) as db, db:
        db.execute("UPDATE texts SET source = x'00' WHERE document = ?", (best.id,))
    with Archive.open(folder) as archive:
        first, second = archive.cited_as(Mrn.of(2007, "BERN", 1))
        assert (first.digest, first.variant_of) == (other.digest.hex(), None)
        assert second.damaged
        assert second.variant_of == first.digest
        assert get(archive, "/t/07BERN1")[0] == 200
        assert "lamp 1" in get(archive, "/t/07BERN1.txt")[1]


def test_a_damaged_telegram_does_not_stand_in_the_way_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reftel.archive.archive.TRAIN_AT", (40,))
    monkeypatch.setattr("reftel.archive.archive.SAMPLES", 40)
    folder = tmp_path / "archive"
    texts = [make(number, text=f"lamp {number}, {_STORY}") for number in range(1, 40)]
    with Archive.open(folder) as archive:
        archive.add(incoming(*texts))
    with closing(sqlite3.connect(folder / "telegrams.db")) as database:
        database.execute("UPDATE texts SET source = x'00' WHERE document = 7")
        database.commit()
    with Archive.open(folder) as archive:
        # A copy of the damaged one, and enough others for a dictionary to be made of them all.
        again = f"{texts[6]}NNNN\n"
        report = archive.add(incoming(again, *(make(n, text=f"lamp {n}") for n in range(50, 60))))
        assert (report.added, report.variants) == (11, 0)
        assert archive._store.newest_dictionary().number == 1
        assert len(archive.verify()) == 1
