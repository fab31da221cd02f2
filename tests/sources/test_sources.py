"""What is let in, and what is refused with which reason."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from pathlib import Path

import pytest

from reftel.sources import Incoming, Problem, walk
from reftel.sources.stream import LIMIT_BYTES
from tests.telegrams import WIRE, corpus_folder


def read(*paths: Path | str, stdin: bytes = b"") -> tuple[dict[str, str], dict[str, str]]:
    """Texts and reasons by path."""
    texts, reasons = {}, {}
    for item in walk([str(path) for path in paths], stdin=io.BytesIO(stdin)):
        if isinstance(item, Incoming):
            texts[item.path] = item.text
        else:
            assert isinstance(item, Problem)
            reasons[item.path] = item.reason
    return texts, reasons


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_every_unicode_encoding_gives_the_same_text(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "t.txt"
    file.write_bytes(WIRE.encode(encoding))
    assert read(file) == ({str(file): WIRE}, {})


def test_windows_1252_is_read_with_a_doubt(tmp_path: Path) -> None:
    file = tmp_path / "t.txt"
    file.write_bytes("THE “LAMP” — \x81 CAFÉ".encode("cp1252", "replace").replace(b"?", b"\x81"))
    texts, reasons = read(file)
    assert texts[str(file)].startswith("THE “LAMP” —")
    assert "Windows-1252" in reasons[str(file)]


def test_broken_utf_8_loses_only_the_bad_bytes(tmp_path: Path) -> None:
    file = tmp_path / "t.txt"
    file.write_bytes("ÀÉÎ good ".encode() + b"\xff" + " ÕÜ end".encode())
    texts, reasons = read(file)
    assert texts[str(file)] == "ÀÉÎ good \ufffd ÕÜ end"
    assert "byte" in reasons[str(file)]


def test_stray_nul_bytes_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "t.txt"
    file.write_bytes(WIRE.replace("LAMP", "LA\0MP").encode())
    assert "LA\0MP" in read(file)[0][str(file)]


def test_each_bad_input_has_a_reason_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text(WIRE)
    (tmp_path / "empty.txt").write_text("\n \n")
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "dangling.txt").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.txt")
    with (tmp_path / "large.txt").open("wb") as large:
        large.truncate(LIMIT_BYTES + 1)
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 nothing")
    texts, reasons = read(tmp_path)
    assert list(texts) == [str(tmp_path / "good.txt")]
    words = {
        "empty.txt": "empty",
        "binary.txt": "binary",
        "dangling.txt": "no such file",
        "pipe.txt": "not a regular file",
        "large.txt": "too large",
        "broken.pdf": "PDF",
        "broken.zip": "zip",
    }
    assert {Path(path).name for path in reasons} == words.keys()
    for name, word in words.items():
        assert word in reasons[str(tmp_path / name)]


def test_a_file_without_permission_has_its_reason(tmp_path: Path) -> None:
    file = tmp_path / "t.txt"
    file.write_text(WIRE)
    file.chmod(0)
    me = os.geteuid()
    try:
        if me == 0:
            # Root may read everything, so look at it as nobody.
            os.seteuid(65534)
        reasons = read(file)[1]
    finally:
        os.seteuid(me)
    assert "permission" in reasons[str(file)]


def test_a_zip_gives_its_members_and_refuses_what_would_harm(tmp_path: Path) -> None:
    path = tmp_path / "t.zip"
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as nested:
        nested.writestr("x.txt", WIRE)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/good.txt", WIRE)
        archive.writestr("../escape.txt", WIRE)
        archive.writestr("/absolute.txt", WIRE)
        archive.writestr("bomb.txt", b"A" * 40_000_000)
        archive.writestr("small-bomb.txt", b"A" * 8_000_000)
        archive.writestr("nested.zip", inner.getvalue())
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    texts, reasons = read(path)
    assert texts == {f"{path}!folder/good.txt": WIRE, f"{path}!nested.zip!x.txt": WIRE}
    assert "leaves the archive" in reasons[f"{path}!../escape.txt"]
    assert "leaves the archive" in reasons[f"{path}!/absolute.txt"]
    assert "zip bomb" in reasons[f"{path}!bomb.txt"]
    assert "zip bomb" in reasons[f"{path}!small-bomb.txt"]
    assert "symbolic link" in reasons[f"{path}!link.txt"]


def test_a_zip_that_was_cut_short_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cut.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("t.txt", "x" * 1000)
    path.write_bytes(path.read_bytes()[:500])
    _, reasons = read(path)
    assert "the directory at its end is missing, as if it were cut short" in reasons[str(path)]


def test_a_zip_that_lies_about_a_size_is_no_way_in(tmp_path: Path) -> None:
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.txt", b"A" * 40_000_000)
    data = path.read_bytes()
    path.write_bytes(data.replace((40_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    texts, reasons = read(path)
    assert not texts
    assert reasons


def test_standard_input_is_a_dash() -> None:
    assert read("-", stdin=WIRE.encode()) == ({"-": WIRE}, {})
    assert "empty" in read("-")[1]["-"]


def test_the_archives_pdf_reads_as_their_text_does() -> None:
    import reftel

    folder = corpus_folder()
    for path, text in read(folder / "aad-pdf")[0].items():
        plain = (folder / "aad" / f"{Path(path).stem}.txt").read_text(encoding="utf-8")
        pdf, txt = reftel.read(text), reftel.read(plain)
        for name in ("mrn", "dtg", "action", "info", "subject", "tags", "signature", "attributes"):
            assert getattr(pdf, name) == getattr(txt, name), (path, name)
        assert [b.text for b in pdf.body] == [b.text for b in txt.body], path
