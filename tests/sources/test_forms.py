"""Every form in which people have telegrams gives the same texts, in order, and says what is broken."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import random
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import py7zr
import pytest
from click.testing import CliRunner

import reftel
from reftel.cli import cli
from reftel.sources import (
    ALL,
    Incoming,
    Input,
    Problem,
    SourceFile,
    inputs,
    texts,
    total_bytes,
    walk,
)
from reftel.telegram import to_builtins
from tests.telegrams import WIRE

NAMES = [f"{year}/{number:04d}.txt" for year in (1975, 2007) for number in range(20)]
TEXTS = {name: WIRE.replace("000123", f"{at + 100:06d}") for at, name in enumerate(NAMES)}


def read(path: Path | str, stdin: bytes = b"") -> tuple[dict[str, str], dict[str, str]]:
    """Texts and reasons by name, the path itself cut off."""
    found: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for item in walk([str(path)], stdin=io.BytesIO(stdin)):
        name = item.path.removeprefix(str(path))
        if isinstance(item, Problem):
            reasons[name] = item.reason
        else:
            assert name not in found
            found[name] = item.text
    return found, reasons


def tar_of(data: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in data.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def zip_of(data: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in data.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def sevenzip_of(data: dict[str, bytes], folder: Path, blocks: int = 1) -> bytes:
    path = folder / f"made-{random.random()}.7z"
    names = list(data)
    for at in range(blocks):
        with py7zr.SevenZipFile(path, "a" if at else "w") as archive:
            for name in names[at::blocks]:
                archive.writestr(data[name], name)
    made = path.read_bytes()
    path.unlink()
    return made


def zstd(data: bytes) -> bytes:
    try:
        from compression import zstd as library  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        from backports import zstd as library
    return library.compress(data)


def encoded() -> dict[str, bytes]:
    return {name: text.encode() for name, text in TEXTS.items()}


FORMS: dict[str, Callable[[Path], bytes]] = {
    "t.zip": lambda folder: zip_of(encoded()),
    "t.7z": lambda folder: sevenzip_of(encoded(), folder),
    "t.tar": lambda folder: tar_of(encoded()),
    "t.tar.gz": lambda folder: gzip.compress(tar_of(encoded())),
    "t.tar.bz2": lambda folder: bz2.compress(tar_of(encoded())),
    "t.tar.xz": lambda folder: lzma.compress(tar_of(encoded())),
    "t.tar.zst": lambda folder: zstd(tar_of(encoded())),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_archive_gives_its_members_in_order(tmp_path: Path, form: str) -> None:
    path = tmp_path / form
    path.write_bytes(FORMS[form](tmp_path))
    found, reasons = read(path)
    assert found == {f"!{name}": text for name, text in TEXTS.items()}
    assert list(found) == [f"!{name}" for name in NAMES]
    assert reasons == {}


@pytest.mark.parametrize("form", FORMS)
def test_archives_come_by_standard_input_too(tmp_path: Path, form: str) -> None:
    found, reasons = read("-", FORMS[form](tmp_path))
    assert found == {f"!{name}": text for name, text in TEXTS.items()}
    assert reasons == {}


def test_archives_lie_in_one_another(tmp_path: Path) -> None:
    one = {"a.txt": WIRE.encode()}
    inner = {
        "x.zip": zip_of(one),
        "x.7z": sevenzip_of(one, tmp_path),
        "x.tar.gz": gzip.compress(tar_of(one)),
        "x.csv": table([WIRE]),
        "x.txt.gz": gzip.compress(WIRE.encode()),
    }
    for name, data in (
        ("outer.zip", zip_of(inner)),
        ("outer.tar", tar_of(inner)),
        ("outer.7z", sevenzip_of(inner, tmp_path)),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        found, reasons = read(path)
        assert list(found) == [
            "!x.zip!a.txt",
            "!x.7z!a.txt",
            "!x.tar.gz!a.txt",
            "!x.csv#row-1",
            "!x.txt.gz",
        ]
        assert reasons == {}


def test_archives_too_deep_in_one_another_are_refused(tmp_path: Path) -> None:
    data = zip_of({"a.txt": WIRE.encode()})
    for _ in range(9):
        data = zip_of({"in.zip": data, "beside.txt": WIRE.encode()})
    path = tmp_path / "t.zip"
    path.write_bytes(data)
    found, reasons = read(path)
    assert len(found) == 5
    assert ["too deep" in reason for reason in reasons.values()] == [True, True]


def test_names_in_archives_harm_nobody(tmp_path: Path) -> None:
    members = {
        "good.txt": WIRE.encode(),
        "../up.txt": WIRE.encode(),
        "/etc/root.txt": WIRE.encode(),
        "C:\\x.txt": WIRE.encode(),
        "re\x1b[2Jd.txt": WIRE.encode(),
        "__MACOSX/._good.txt": b"rubbish",
        ".DS_Store": b"rubbish",
    }
    path = tmp_path / "t.tar"
    data = io.BytesIO(tar_of(members))
    with tarfile.open(fileobj=data, mode="a") as archive:
        link = tarfile.TarInfo("link.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        device = tarfile.TarInfo("null")
        device.type = tarfile.CHRTYPE
        archive.addfile(device)
    path.write_bytes(data.getvalue())
    found, reasons = read(path)
    assert list(found) == ["!good.txt", "!re%1B[2Jd.txt"]
    assert list(reasons) == ["!../up.txt", "!/etc/root.txt", "!C:\\x.txt", "!link.txt", "!null"]
    assert [each.name for each in tmp_path.iterdir()] == ["t.tar"]


@pytest.mark.parametrize("form", ["gz", "bz2", "xz", "7z", "zip"])
def test_bombs_are_refused_and_the_rest_is_read(tmp_path: Path, form: str) -> None:
    bomb = b"A" * 36_000_000
    made = {
        "gz": lambda: gzip.compress(bomb, 9),
        "bz2": lambda: bz2.compress(bomb, 9),
        "xz": lambda: lzma.compress(bomb),
        "7z": lambda: sevenzip_of({"bomb.txt": bomb}, tmp_path),
        "zip": lambda: zip_of({"bomb.txt": bomb}),
    }
    (tmp_path / f"bomb.{form}").write_bytes(made[form]())
    (tmp_path / "good.txt").write_text(WIRE)
    found, reasons = read(tmp_path)
    assert list(found) == ["/good.txt"]
    assert ["zip bomb" in reason for reason in reasons.values()] == [True]


@pytest.mark.parametrize("form", FORMS)
def test_a_cut_archive_gives_what_stands_before_the_cut_or_says_why_not(
    tmp_path: Path, form: str
) -> None:
    data = FORMS[form](tmp_path)
    path = tmp_path / form
    for part in (0.2, 0.6, 0.99):
        path.write_bytes(data[: int(len(data) * part)])
        found, reasons = read(path)
        assert reasons or len(found) == len(TEXTS)
        assert found.items() <= {f"!{name}": text for name, text in TEXTS.items()}.items()
    if "tar" in form and form not in ("t.tar.bz2", "t.tar.zst"):
        assert found


def test_damage_in_a_tar_costs_only_what_it_hits(tmp_path: Path) -> None:
    data = bytearray(tar_of(encoded()))
    at = data.index(b"1975/0007.txt")
    data[at + 140 : at + 160] = b"x" * 20
    path = tmp_path / "t.tar"
    path.write_bytes(data)
    found, reasons = read(path)
    assert [name for name in NAMES if f"!{name}" not in found] == ["1975/0007.txt"]
    assert list(reasons) == ["!1975/0006.txt"]
    assert "damaged" in reasons["!1975/0006.txt"]


def test_a_tar_cut_between_members_is_told(tmp_path: Path) -> None:
    data = tar_of(encoded())
    path = tmp_path / "t.tar"
    path.write_bytes(data[: data.index(b"2007/0000.txt")])
    found, reasons = read(path)
    assert len(found) == 20
    assert "cut short" in reasons[""]


def test_bytes_changed_anywhere_end_nothing_but_the_file_they_are_in(tmp_path: Path) -> None:
    made = {form: make(tmp_path) for form, make in FORMS.items()}
    made["t.csv"] = table(list(TEXTS.values()))
    made["nested.7z"] = sevenzip_of({"a.zip": made["t.zip"], "b.csv": made["t.csv"]}, tmp_path, 2)
    (tmp_path / "z.txt").write_text(WIRE)
    rng = random.Random(int(os.environ.get("REFTEL_SEED", "3")))
    for _ in range(int(os.environ.get("REFTEL_SPOILT_FILES", "400"))):
        form = rng.choice(list(made))
        data = bytearray(made[form])
        for _ in range(rng.choice([1, 2, 8])):
            at = rng.randrange(len(data) + 1)
            data[at : at + rng.choice([0, 1, 400])] = rng.randbytes(rng.choice([0, 1, 30]))
        (tmp_path / "spoilt").write_bytes(data)
        items = list(walk([str(tmp_path)]))
        assert items[-1] == Incoming(str(tmp_path / "z.txt"), WIRE)


def test_damage_in_a_block_of_a_7z_leaves_the_other_blocks(tmp_path: Path) -> None:
    rng = random.Random(1)
    members = {
        name: (text + "".join(rng.choices("ABCDEFGH \n", k=3000))).encode()
        for name, text in TEXTS.items()
    }
    data = bytearray(sevenzip_of(members, tmp_path, blocks=4))
    data[len(data) // 10] ^= 0xFF
    path = tmp_path / "t.7z"
    path.write_bytes(data)
    found, reasons = read(path)
    whole = {f"!{name}": data.decode() for name, data in members.items()}
    assert found.items() <= whole.items()
    assert found.keys() | reasons.keys() == whole.keys()
    assert found.keys().isdisjoint(reasons)
    assert len(found) >= 30
    assert reasons


def test_an_encrypted_7z_says_so(tmp_path: Path) -> None:
    path = tmp_path / "t.7z"
    with py7zr.SevenZipFile(path, "w", password="secret") as archive:
        archive.writestr(WIRE, "a.txt")
    found, reasons = read(path)
    assert found == {}
    assert ["encrypted" in reason for reason in reasons.values()] == [True]


# The table.


def table(telegrams: list[str], *, escape: bool = False, header: bool = False) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(
        buffer,
        quoting=csv.QUOTE_ALL,
        doublequote=not escape,
        escapechar="\\" if escape else None,
        lineterminator="\n",
    )
    if header:
        writer.writerow(["id", "date", "mrn", "origin", "classification", "refs", "head", "text"])
    for number, text in enumerate(telegrams, 1):
        head, _, body = text.partition("\nUNCLAS ")
        fields = ["12/28/2006 18:48", "07BERN123", "Embassy Bern", "UNCLASSIFIED", "07ROME88|06X1"]
        writer.writerow([number, *fields, head, f"UNCLAS {body}"])
    return buffer.getvalue().encode()


@pytest.mark.parametrize("header", [False, True])
@pytest.mark.parametrize("escape", [False, True])
def test_a_table_gives_its_rows_as_they_are(tmp_path: Path, escape: bool, header: bool) -> None:
    said = WIRE.replace("The lamp was lit.", 'He said "lit", \\ and\n"12","not a row"\n\nCAFÉ "".')
    telegrams = [WIRE, said, said.replace("DOE\n", '"DOE"\n'), WIRE]
    path = tmp_path / "cables.csv"
    path.write_bytes(table(telegrams, escape=escape, header=header))
    found, reasons = read(path)
    assert list(found.values()) == telegrams
    assert next(iter(found)) == f"#row-{1 + header}"
    assert reasons == {}


def test_a_damaged_row_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    rows = [table([WIRE]).replace(b'"1"', b'"%d"' % n, 1) for n in range(1, 6)]
    rows[1] = rows[1].replace(b'"Embassy Bern"', b'"Embassy Bern')
    rows[2] = rows[2][:-3] + b"\n"
    rows[3] = rows[3].replace(b',"UNCLASSIFIED"', b"")
    path = tmp_path / "cables.csv"
    path.write_bytes(b"".join(rows))
    found, reasons = read(path)
    assert list(found) == ["#row-1", "#row-5"]
    assert list(reasons) == ["#row-2", "#row-3", "#row-4"]
    assert "line 32" in reasons["#row-2"]
    assert "not closed" in reasons["#row-3"]
    assert "eight columns" in reasons["#row-4"]


def test_memory_stays_flat_over_a_long_table(tmp_path: Path) -> None:
    size = int(os.environ.get("REFTEL_LONG_TABLE_MB", "24")) * 1_000_000
    rows = table([WIRE + "A WORD. " * 500] * 100)
    path = tmp_path / "cables.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(size // len(rows) + 1):
            file.write(rows)
    tracemalloc.start()
    count = sum(1 for _ in inputs([str(path)]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 100 * (size // len(rows) + 1)
    assert peak < 4_000_000


# Mail and records.


def mail(number: int) -> bytes:
    return (
        f"From: bern@post.example\nTo: rome@post.example\nSubject: x\nMessage-ID: <{number}@x>\n"
        f"Date: Wed, 14 Mar 2007 09:15:00 +0000\nContent-Type: text/plain; charset=utf-8\n\n{WIRE}"
    ).encode()


def test_a_mail_folder_gives_each_mail(tmp_path: Path) -> None:
    path = tmp_path / "desk.mbox"
    start = b"From bern@post.example Wed Mar 14 09:15:00 2007\n"
    quoted = mail(2).replace(b"DOE\n", b">From the harbour\n>>From afar\nDOE\n")
    path.write_bytes(start + mail(1) + b"\n" + start + quoted + b"\n" + start + mail(3))
    found, reasons = read(path)
    assert list(found) == ["#mail-1", "#mail-2", "#mail-3"]
    assert reasons == {}
    assert "\nFrom the harbour\n>From afar\n" in found["#mail-2"]
    assert reftel.read(found["#mail-3"]).mrn == reftel.read(WIRE).mrn


def test_a_maildir_is_read_with_its_subfolders_and_without_what_is_being_delivered(
    tmp_path: Path,
) -> None:
    for folder in ("cur", "new", "tmp", ".Sent/cur", ".Sent/new", ".Sent/tmp", ".hidden"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "1173863700.M1P1.host:2,S").write_bytes(mail(1))
    found, _ = read(tmp_path)
    assert [Path(name).parent.as_posix() for name in found] == [
        "/.Sent/cur",
        "/.Sent/new",
        "/cur",
        "/new",
    ]


def test_records_with_their_texts_come_back_to_the_letter(tmp_path: Path) -> None:
    telegrams = list(TEXTS.values())
    for at, text in enumerate(telegrams):
        (tmp_path / f"{at:02d}.txt").write_text(text + " \n\n")
    for form in ("jsonl", "json"):
        result = CliRunner().invoke(cli, ["read", "--format", form, "--text", str(tmp_path)])
        path = tmp_path.parent / f"{tmp_path.name}.{form}"
        path.write_text(result.stdout)
        found, reasons = read(path)
        assert list(found.values()) == [text + " \n\n" for text in telegrams]
        assert reasons == {}
        assert list(found)[2] == ("#line-3" if form == "jsonl" else "#record-3")


def test_records_without_texts_are_written_anew_or_refused(tmp_path: Path) -> None:
    record = to_builtins(reftel.read(WIRE), source="x.txt")
    broken = {**record, "subject": "NNNN"}
    path = tmp_path / "t.jsonl"
    lines = [json.dumps(record), json.dumps(broken), '{"reftel": 1, ', "prose", '{"reftel": 1}']
    path.write_text("\n".join(lines))
    found, reasons = read(path)
    assert list(found) == ["#line-1"]
    assert reftel.read(found["#line-1"]).body[1].text == reftel.read(WIRE).body[1].text
    assert reasons["#line-1"].startswith("filed with a doubt")
    assert "--text" in reasons["#line-2"]
    assert "broken JSON" in reasons["#line-3"]
    assert "no record" in reasons["#line-4"]
    assert "#line-5" in reasons


# Resumption.


def collection(folder: Path) -> Path:
    """A folder with an archive of each kind, a table, loose files and a file that cannot be read."""
    source = folder / "in"
    source.mkdir()
    for form, make in FORMS.items():
        (source / form).write_bytes(make(folder))
    (source / "cables.csv").write_bytes(
        table([*TEXTS.values()]) + b'"99","1/2/2003 10:00","broken\n'
    )
    (source / "loose.txt").write_text(WIRE)
    (source / "nested.zip").write_bytes(
        zip_of({"a.csv": table([WIRE] * 3), "b.txt": WIRE.encode()})
    )
    (source / "broken.7z").write_bytes(b"7z\xbc\xaf\x27\x1c and nothing")
    return source


def test_the_way_through_a_collection_is_always_the_same(tmp_path: Path) -> None:
    source = collection(tmp_path)
    first = list(inputs([str(source)]))
    assert first == list(inputs([str(source)]))
    assert [item.done for item in first] == sorted(item.done for item in first)
    assert first[-1].done == total_bytes([str(source)])
    for name in {item.file.path for item in first if item.file}:
        mine = [item for item in first if item.file and item.file.path == name]
        assert [item.ordinal for item in mine] == list(range(1, len(mine) + 1))
        assert [item.last for item in mine] == [False] * (len(mine) - 1) + [True]
    assert [each for item in first for each in texts(item)] == list(walk([str(source)]))


def test_stopped_anywhere_it_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    source = collection(tmp_path)
    everything = list(inputs([str(source)]))
    rng = random.Random(2)
    for _ in range(15):
        had: dict[SourceFile | None, int] = {None: 0}
        got: list[Input] = []
        while True:
            stop = rng.randrange(1, 200)
            passed = dict(had)
            walking = inputs([str(source)], had=lambda file, passed=passed: passed.get(file, 0))
            taken = list(islice(walking, stop))
            got += taken
            for item in taken:
                had[item.file] = ALL if item.last else item.ordinal
            if len(taken) < stop:
                break
        assert [i.path for i in got] == [i.path for i in everything]
        assert [i.data for i in got] == [i.data for i in everything]


def test_a_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(WIRE)
    (had,) = inputs([str(path)])
    assert list(inputs([str(path)], had=lambda file: ALL if file == had.file else 0)) == []
    path.write_text(WIRE + "MORE\n")
    assert len(list(inputs([str(path)], had=lambda file: ALL if file == had.file else 0))) == 1


def test_nothing_is_read_of_an_input_that_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "t.zip"
    data = bytearray(zip_of(encoded()))
    data[100:110] = b"x" * 10
    path.write_bytes(data)
    assert any(isinstance(each, Problem) for each in walk([str(path)]))
    (last,) = inputs([str(path)], had=lambda file: len(NAMES) - 1)
    assert [each.path for each in texts(last) if isinstance(each, Incoming)] == [
        f"{path}!{NAMES[-1]}"
    ]
