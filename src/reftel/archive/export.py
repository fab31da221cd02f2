"""All results of a search, written out whole: tables, records, a mail folder, texts, bibliographies. What
is damaged has its place among them, and says in it what it is and what to do.

Each form takes telegrams one after another and gives pieces of a file, so that memory does not grow with
their number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import msgspec

from reftel.archive.model import Document
from reftel.tables.directory import Directory, Entry
from reftel.tables.spreadsheet import csv_line
from reftel.telegram import Telegram, to_builtins
from reftel.write.citation import Cited, bibtex, cited, csl, ris
from reftel.write.mail import MailError, to_mail

_ROWS = 500


class ExportError(RuntimeError):
    """Results that cannot be written out so; the message says why and what to do."""


class Row(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    """A telegram as a line of a table. `sent` is ISO 8601 UTC, `text` the clean reading of the body: for
    the exact text there are other forms."""

    digest: str
    mrn: str | None
    sent: str | None
    sender: str | None
    action: tuple[str, ...]
    info: tuple[str, ...]
    precedence: str | None
    classification: str | None
    captions: tuple[str, ...]
    tags: tuple[str, ...]
    subject: str | None
    references: tuple[str, ...]
    offices: tuple[str, ...]
    drafted_by: str | None
    approved_by: str | None
    signature: str | None
    origin: str
    text: str


_COLUMNS: Final = Row.__struct_encode_fields__
_LISTS: Final = ("action", "info", "captions", "tags", "references", "offices")


def row(document: Document) -> Row:
    t = document.telegram
    listed = t.distribution
    return Row(
        digest=document.digest,
        mrn=t.mrn.short if t.mrn else None,
        sent=t.dtg,
        sender=t.originator.name if t.originator else None,
        action=tuple(each.name for each in t.action),
        info=tuple(each.name for each in t.info),
        precedence=t.precedence,
        classification=t.classification,
        captions=t.captions,
        tags=tuple(tag.code for tag in t.tags),
        subject=t.subject,
        references=tuple(each.mrn or each.text for each in t.references),
        offices=(*listed.action, *listed.origin, *listed.info) if listed else (),
        drafted_by=t.drafted_by,
        approved_by=t.approved_by,
        signature=t.signature,
        origin=document.origin,
        text=_notice(document) if document.damaged else t.text,
    )


def _notice(document: Document) -> str:
    return f"[{document.damaged}]"


def _csv(documents: Iterable[Document]) -> Iterator[bytes]:
    """RFC 4180, in UTF-8; several values of a cell are parted by a semicolon and a blank."""
    yield csv_line(_COLUMNS).encode()
    for document in documents:
        values = msgspec.structs.astuple(row(document))
        line = csv_line("; ".join(v) if isinstance(v, tuple) else v for v in values)
        yield line.encode("utf-8", "replace")


def _json_lines(documents: Iterable[Document]) -> Iterator[bytes]:
    """The record with its exact text, as `reftel read --format jsonl --text` writes it; it can be filed
    again."""
    encoder = msgspec.json.Encoder()
    for document in documents:
        text = document.damaged is None
        values = to_builtins(document.telegram, source=document.origin, text=text)
        more = {} if text else {"damaged": document.damaged}
        yield encoder.encode({**values, "digest": document.digest, **more}) + b"\n"


def _mbox(documents: Iterable[Document]) -> Iterator[bytes]:
    """A mail folder (mboxrd): each telegram as `reftel.write.mail` sends it, its exact text attached.
    Mailboxes are made up, under a domain that no mail reaches (RFC 2606)."""
    for document in documents:
        sent = document.telegram.sent
        # A mail folder gives each mail a date; the first of all times says that there is none.
        stamp = sent.strftime("%a %b %e %H:%M:%S %Y") if sent else "Thu Jan  1 00:00:00 1970"
        mail = _mail(document).replace(b"\r\n", b"\n")
        quoted = re.sub(rb"^(>*From )", rb">\1", mail, flags=re.MULTILINE)
        yield f"From reftel@telegrams.invalid {stamp}\n".encode() + quoted.rstrip(b"\n") + b"\n\n"


def _mail(document: Document) -> bytes:
    t = document.telegram
    if document.damaged:
        return _plain_mail(document)
    try:
        return to_mail(t, _directory(t), wire=t.source).messages[0]
    except MailError:
        return _plain_mail(document)


def _directory(t: Telegram) -> Directory:
    """A mailbox for everybody whom the telegram names."""
    names = [t.originator.name] if t.originator else []
    names += [each.name for each in (*t.action, *t.info)]
    boxes: dict[str, Entry] = {}
    for name in names:
        box = ".".join(re.findall(r"[a-z0-9]+", name.lower())) or "unknown"
        boxes.setdefault(
            "".join(name.upper().split()),
            Entry("station", name, mailbox=f"{box[:60].strip('.')}@telegrams.invalid"),
        )
    return Directory(boxes.values())


def _plain_mail(document: Document) -> bytes:
    """A telegram that has no originator or addressee to send a mail from or to."""
    from email import policy
    from email.message import EmailMessage
    from email.utils import format_datetime

    t = document.telegram
    message = EmailMessage(policy=policy.SMTP.clone(max_line_length=76))
    message["From"] = "unknown@telegrams.invalid"
    if t.subject:
        message["Subject"] = " ".join(
            "".join(c if c.isprintable() else " " for c in t.subject).split()
        )
    if t.sent:
        message["Date"] = format_datetime(t.sent)
    message["Message-ID"] = f"<{document.digest[:32]}@telegrams.invalid>"
    text = _notice(document) if document.damaged else t.text
    message.set_content(text.encode("utf-8", "replace").decode() + "\n", cte="quoted-printable")
    if document.damaged:
        return message.as_bytes()
    message.add_attachment(
        t.source.encode("utf-8", "replace"),
        maintype="text",
        subtype="plain",
        filename="telegram.txt",
        params={"charset": "utf-8"},
    )
    return message.as_bytes()


def _text(documents: Iterable[Document]) -> Iterator[bytes]:
    """The originals one after another, to the letter, each under a line that names it."""
    for document in documents:
        t = document.telegram
        name = t.mrn.short if t.mrn else document.digest[:12]
        yield f"======== {name} {document.digest}\n".encode()
        source = (_notice(document) if document.damaged else t.source).encode("utf-8", "replace")
        yield source if source.endswith(b"\n") else source + b"\n"


def _cited(document: Document) -> Cited:
    t = document.telegram
    if document.damaged:
        t = msgspec.structs.replace(t, subject=_notice(document))
    return cited(t, digest=document.digest)


def _bibtex(documents: Iterable[Document]) -> Iterator[bytes]:
    for document in documents:
        yield bibtex(_cited(document)).encode() + b"\n"


def _ris(documents: Iterable[Document]) -> Iterator[bytes]:
    for document in documents:
        yield ris(_cited(document)).encode() + b"\r\n"


def _csl(documents: Iterable[Document]) -> Iterator[bytes]:
    before = b"[\n"
    for document in documents:
        yield before + msgspec.json.encode(csl(_cited(document)))
        before = b",\n"
    yield b"\n]\n" if before == b",\n" else b"[]\n"


class Form(NamedTuple):
    """A form of export: what it is, how it is made, and the file that holds it."""

    title: str
    pieces: Callable[[Iterable[Document]], Iterator[bytes]] | None
    media_type: str
    suffix: str


FORMS: Final[dict[str, Form]] = {
    "csv": Form("Table (CSV)", _csv, "text/csv", ".csv"),
    "jsonl": Form("Records (JSON lines)", _json_lines, "application/x-ndjson", ".jsonl"),
    "parquet": Form("Table (Parquet)", None, "application/vnd.apache.parquet", ".parquet"),
    "mbox": Form("Mail folder (mbox)", _mbox, "application/mbox", ".mbox"),
    "text": Form("Original texts", _text, "text/plain", ".txt"),
    "bibtex": Form("BibTeX", _bibtex, "application/x-bibtex", ".bib"),
    "ris": Form("RIS", _ris, "application/x-research-info-systems", ".ris"),
    "csl-json": Form("CSL-JSON", _csl, "application/vnd.citationstyles.csl+json", ".json"),
}
"""Every form of export, by the name that asks for it; `parquet` alone is written to a file at once."""


def export(documents: Iterable[Document], form: str, file: IO[bytes]) -> int:
    """Write all documents to a file in a form of `FORMS`; how many. Raises `ExportError` if the form
    needs what is not installed."""
    counted = _Counted(documents)
    pieces = FORMS[form].pieces
    if pieces is None:
        _parquet(counted, file)
    else:
        for piece in pieces(counted):
            file.write(piece)
    return counted.number


def export_texts(documents: Iterable[Document], folder: Path) -> int:
    """Write each original to a file of its own, to the letter: `79BERN4120.txt`, or with the digest
    where another document has the number already, and `79BERN4120.damaged` for what cannot be read; how
    many. Raises `ExportError` if the folder holds
    anything: nothing is overwritten."""
    if folder.exists() and any(folder.iterdir()):
        raise ExportError(f"{folder} is not empty; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    counted = _Counted(documents)
    for document in counted:
        t = document.telegram
        name = t.mrn.short if t.mrn else document.digest[:16]
        suffix = ".damaged" if document.damaged else ".txt"
        path = folder / f"{name}{suffix}"
        if path.exists():
            path = folder / f"{name}-{document.digest[:16]}{suffix}"
        text = f"{document.damaged}\n" if document.damaged else t.source
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return counted.number


class _Counted:
    def __init__(self, documents: Iterable[Document]) -> None:
        self._documents = iter(documents)
        self.number = 0

    def __iter__(self) -> Iterator[Document]:
        for document in self._documents:
            self.number += 1
            yield document


def _parquet(documents: Iterable[Document], file: IO[bytes]) -> None:
    try:
        from arro3 import core
        from arro3.io import write_parquet
    except ImportError as error:
        message = f"{error.name} is not installed; install it with: pip install 'reftel[parquet]'"
        raise ExportError(message) from error
    text = core.DataType.utf8()
    listed = core.DataType.list(core.Field("item", text))
    schema = core.Schema(
        [core.Field(name, listed if name in _LISTS else text) for name in _COLUMNS]
    )

    def column(name: str, values: list[Any]) -> Any:
        if name not in _LISTS:
            return core.Array([v and v.encode("utf-8", "replace").decode() for v in values], text)
        offsets = [0]
        for each in values:
            offsets.append(offsets[-1] + len(each))
        items = core.Array([item for each in values for item in each], text)
        places = core.Array(offsets, core.DataType.int32())
        return core.list_array(places, items, type=listed)

    def batches() -> Iterator[Any]:
        rows = map(row, documents)
        while some := list(islice(rows, _ROWS)):
            values = zip(*map(msgspec.structs.astuple, some), strict=True)
            columns = [column(name, list(v)) for name, v in zip(_COLUMNS, values, strict=True)]
            yield core.RecordBatch.from_arrays(columns, schema=schema)

    reader = core.RecordBatchReader.from_batches(schema, batches())
    write_parquet(reader, file, compression="zstd(3)", max_row_group_size=20 * _ROWS)
