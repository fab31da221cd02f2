"""Filing what lies in folders: names that are no text, what is filed twice, what is read another time."""

from __future__ import annotations

import io
import os
import sys
import zipfile
from email.message import EmailMessage
from pathlib import Path

import py7zr
import pytest
from click.testing import CliRunner

from reftel.archive import Archive
from reftel.archive.export import export
from reftel.cli import cli
from tests.archive.test_archive import incoming, make

WORKERS = pytest.mark.parametrize("workers", [0, 1])


@WORKERS
def test_a_name_that_is_no_text_stops_nothing_and_is_shown(tmp_path: Path, workers: int) -> None:
    place = tmp_path / "in"
    place.mkdir()
    (place / "a.txt").write_text(make(1))
    try:
        Path(os.fsdecode(os.fsencode(place) + b"/b\xe9.txt")).write_text(make(2))
        Path(os.fsdecode(os.fsencode(place) + b"/c\xe9.txt")).write_text("")
    except OSError:
        pytest.skip("this disk has names of text alone")
    with Archive.open(tmp_path / "archive") as archive:
        report = archive.fill([str(place)], workers=workers)
        assert (report.added, report.unreadable) == (2, 1)
        assert report.problems[0].path == f"{place}/c\\xe9.txt"
        origins = {hit.mrn: archive.document(hit.digest) for hit in archive.search("burned").hits}
        two = origins["07BERN2"]
        assert two is not None
        assert two.origin == f"{place}/b\\xe9.txt"
        assert archive.verify() == []


@WORKERS
def test_what_lacked_an_extra_is_read_when_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    inner = io.BytesIO()
    with py7zr.SevenZipFile(inner, "w") as archive7:
        for n in (2, 3):
            archive7.writestr(make(n), f"{n}.txt")
    outer = tmp_path / "all.zip"
    with zipfile.ZipFile(outer, "w") as zipped:
        zipped.writestr("1.txt", make(1))
        zipped.writestr("more.7z", inner.getvalue())
        zipped.writestr("4.txt", make(4))
    with Archive.open(tmp_path / "archive") as archive:
        with monkeypatch.context() as without:
            without.setitem(sys.modules, "py7zr", None)
            report = archive.fill([str(outer)], workers=workers)
        assert (report.added, report.unreadable) == (2, 1)
        assert "pip install" in report.problems[0].reason
        report = archive.fill([str(outer)], workers=workers)
        assert (report.added, report.known, report.unreadable, report.unchanged) == (2, 1, 0, 0)
        report = archive.fill([str(outer)], workers=workers)
        assert (report.added, report.known, report.unchanged) == (0, 0, 1)
        assert archive.count() == 4


@pytest.mark.parametrize("form", ["mbox", "text", "jsonl"])
def test_what_was_exported_and_is_filed_again_is_held_already(
    example_archive: Archive, tmp_path: Path, form: str
) -> None:
    exported = tmp_path / "exported"

    def export_to(archive: Archive) -> None:
        with exported.open("wb") as file:
            export(archive.every(""), form, file)

    export_to(example_archive)
    with Archive.open(tmp_path / "archive") as archive:
        archive.fill([str(exported)])
        telegrams = {each.digest for each in example_archive.every("")}
        assert {each.digest for each in archive.every("")} == telegrams
    # Each ends as it ended, though a line of its own follows.
    sources = [make(1), make(2).rstrip(), make(3) + "\n", make(4).replace("\n", "\r\n")]
    with Archive.open(tmp_path / "own") as archive:
        archive.add(incoming(*sources))
        export_to(archive)
        assert archive.fill([str(exported)]).known == 4
        assert archive.count() == 4


def test_what_is_attached_to_a_mail_is_filed_too(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        zipped.writestr("3.txt", make(3))
    inner = EmailMessage()
    inner["From"], inner["Subject"], inner["Message-ID"] = (
        "b@example.org",
        "more",
        "<2@example.org>",
    )
    inner.set_content("See this.\n")
    inner.add_attachment(make(4), filename="4.txt")
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["Message-ID"] = "a@example.org", "cables", "<1@example.org>"
    mail.set_content("Dear all, two cables attached.\n")
    mail.add_attachment(make(2), filename="2.txt")
    mail.add_attachment(packed.getvalue(), maintype="application", subtype="zip", filename="3.zip")
    mail.add_attachment(inner)
    mail.add_attachment(
        b"\x89PNG" + bytes(range(256)), maintype="image", subtype="png", filename="logo.png"
    )
    (tmp_path / "one.eml").write_bytes(mail.as_bytes())
    with Archive.open(tmp_path / "archive") as archive:
        report = archive.fill([str(tmp_path / "one.eml")])
        held = {
            each.telegram.mrn.short: each.origin
            for each in archive.every("post:BERN")
            if each.telegram.mrn
        }
        eml = f"{tmp_path}/one.eml"
        assert held == {
            "07BERN2": f"{eml}!2.txt",
            "07BERN3": f"{eml}!3.zip!3.txt",
            "07BERN4": f"{eml}!part-3!4.txt",
        }
        assert [(each.path, each.reason) for each in report.problems] == [
            (f"{eml}!logo.png", "this is a binary file, not text")
        ]


def test_a_file_that_is_filed_again_is_said_to_be_unchanged(tmp_path: Path) -> None:
    packed = tmp_path / "all.zip"
    with zipfile.ZipFile(packed, "w") as zipped:
        for n in (1, 2):
            zipped.writestr(f"{n}.txt", make(n))
    for told in (
        "2 filed; 0 held already; 2 in",
        "1 file unchanged since filed, not read again; 2 in",
    ):
        words = ["add", str(packed), "--archive", str(tmp_path / "archive")]
        done = CliRunner().invoke(cli, words)
        assert done.exit_code == 0
        assert told in done.output


def test_a_table_in_another_form_is_refused_and_never_read_as_running_text(
    example_archive: Archive, tmp_path: Path
) -> None:
    own, other = tmp_path / "own.csv", tmp_path / "other.CSV"
    with own.open("wb") as file:
        export(example_archive.every(""), "csv", file)
    other.write_text("".join(f'{n};2007-03-01;"{make(n)}"\n' for n in range(1, 4)))
    with Archive.open(tmp_path / "archive") as archive:
        report = archive.fill([str(own), str(other)])
        assert (report.added, report.unreadable) == (0, 2)
        assert all("eight columns" in each.reason for each in report.problems)
