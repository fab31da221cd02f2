"""All results written out: every form is read back by a program that knows it, and nothing is missing."""

from __future__ import annotations

import csv
import io
import json
import mailbox
from collections.abc import Iterator
from pathlib import Path

import bibtexparser
import pytest
import rispy
from arro3.io import read_parquet

from reftel.archive import Archive, Document
from reftel.archive.export import FORMS, ExportError, export, export_texts
from reftel.sources import walk
from tests.archive.test_archive import incoming, make


def written(documents: Iterator[Document], form: str) -> bytes:
    file = io.BytesIO()
    export(documents, form, file)
    return file.getvalue()


@pytest.fixture
def digests(example_archive: Archive) -> list[str]:
    return [document.digest for document in example_archive.every()]


def test_a_table_holds_every_telegram_with_its_values(
    example_archive: Archive, digests: list[str]
) -> None:
    text = written(example_archive.every(), "csv").decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["digest"] for row in rows] == digests
    row = next(row for row in rows if row["mrn"] == "79BERN4120")
    telegram = next(example_archive.every("mrn:79BERN4120")).telegram
    assert row["from"] == "AMEMBASSY BERN"
    assert row["tags"] == "EWWT; PFOR; SZ"
    assert row["text"] == telegram.text


def test_no_cell_of_a_table_runs_as_a_formula(archive: Archive) -> None:
    archive.add(incoming(make(1, subject='=HYPERLINK("http://x.invalid", "LAMPS")')))
    text = written(archive.every(), "csv").decode()
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["subject"] == """'=HYPERLINK("http://x.invalid", "LAMPS")"""


def test_parquet_holds_the_same_as_the_table(
    example_archive: Archive, digests: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "all.parquet"
    with path.open("wb") as file:
        assert export(example_archive.every(), "parquet", file) == len(digests)
    table = read_parquet(path).read_all()
    assert table.column("digest").to_pylist() == digests
    assert table.column("tags").to_pylist() == [
        [tag.code for tag in document.telegram.tags] for document in example_archive.every()
    ]
    assert table.column("text").to_pylist() == [
        document.telegram.text for document in example_archive.every()
    ]


@pytest.mark.parametrize("form", ["jsonl", "mbox"])
def test_records_and_mails_can_be_filed_again_to_the_letter(
    example_archive: Archive, tmp_path: Path, form: str
) -> None:
    sources = {d.telegram.source for d in example_archive.every("light")}
    file = tmp_path / f"light{FORMS[form].suffix}"
    file.write_bytes(written(example_archive.every("light"), form))
    if form == "jsonl":
        lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        assert {line["text"] for line in lines} == sources
    with Archive.open(tmp_path / "again") as again:
        report = again.add(walk([str(file)]))
        assert report.added == len(sources)
        if form == "jsonl":
            assert {d.telegram.source for d in again.every()} == sources


def test_a_mail_folder_holds_each_telegram_with_its_exact_text(
    example_archive: Archive, tmp_path: Path
) -> None:
    path = tmp_path / "all.mbox"
    path.write_bytes(written(example_archive.every(), "mbox"))
    folder = mailbox.mbox(path, create=False)
    texts = []
    for mail in folder:
        (part,) = [part for part in mail.walk() if part.get_filename() == "telegram.txt"]
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        texts.append(payload.decode(part.get_content_charset("utf-8")).replace(">From ", "From "))
    folder.close()
    wanted = [" ".join(d.telegram.source.split()) for d in example_archive.every()]
    assert [" ".join(text.split()) for text in texts] == wanted


def test_a_line_that_begins_with_from_does_not_end_a_mail(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "archive") as archive:
        archive.add(
            incoming(make(1, text="It said:\nFrom nobody Thu Jan  1 00:00:00 1970\nIt ended."))
        )
        archive.add(
            incoming("UNCLAS BERN 000900\n\nTAGS: PREL\nSUBJECT: NOBODY SENT IT\n\n1. The lamp.\n")
        )
        path = tmp_path / "two.mbox"
        path.write_bytes(written(archive.every(), "mbox"))
    folder = mailbox.mbox(path, create=False)
    assert len(folder) == 2
    folder.close()


def test_bibliographies_have_an_entry_for_each_under_its_own_key(
    example_archive: Archive, digests: list[str]
) -> None:
    library = bibtexparser.parse_string(written(example_archive.every(), "bibtex").decode())
    assert not library.failed_blocks
    keys = [entry.key for entry in library.entries]
    assert len(set(keys)) == len(keys) == len(digests)
    entries = rispy.loads(written(example_archive.every(), "ris").decode())
    assert [entry["id"] for entry in entries] == keys
    items = json.loads(written(example_archive.every(), "csl-json"))
    assert [item["id"] for item in items] == keys


def test_nothing_found_is_a_whole_file_too(example_archive: Archive) -> None:
    assert json.loads(written(example_archive.every("zzzz"), "csl-json")) == []
    assert written(example_archive.every("zzzz"), "csv").decode().startswith("digest,mrn,")
    assert written(example_archive.every("zzzz"), "mbox") == b""


def test_texts_go_to_a_file_each_to_the_letter_and_over_nothing(
    example_archive: Archive, digests: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "all"
    assert export_texts(example_archive.every(), folder) == len(digests)
    files = sorted(path.read_bytes() for path in folder.iterdir())
    assert files == sorted(d.telegram.source.encode() for d in example_archive.every())
    with pytest.raises(ExportError, match="not empty"):
        export_texts(example_archive.every(), folder)


@pytest.mark.parametrize("form", [name for name, each in FORMS.items() if each.pieces])
def test_no_form_reads_ahead(example_archive: Archive, form: str) -> None:
    taken = 0

    def counted() -> Iterator[Document]:
        nonlocal taken
        for document in example_archive.every():
            taken += 1
            yield document

    pieces = FORMS[form].pieces
    assert pieces is not None
    for number, _ in enumerate(pieces(counted()), 1):
        assert taken <= number + 1
        if number > 10:
            break
