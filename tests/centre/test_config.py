"""The configuration: what it says of mistakes, and that the documentation knows each of its keys."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import msgspec
import pytest
from tests.telegrams import ROOT

from reftel.centre import ConfigError, load_config, parse_config
from reftel.centre.config import _TABLES as TABLES
from reftel.centre.config import Tls

GOOD = """\
[station]
name = "MINFOR PORTA"
routing_indicator = "QZAAMF"

[[circuit]]
name = "north"
station = "QZBBNV"
listen = "127.0.0.1:7101"
send = "AAB"
receive = "BBA"

[[route]]
to = "QZBB"
circuits = ["north"]
"""


def problems(tmp_path: Path, *changes: tuple[str, str]) -> list[str]:
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(ConfigError) as caught:
        parse_config(text, tmp_path)
    return caught.value.problems


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("send =", "sent =", "line 9: [[circuit]] 1 (north): unknown key 'sent'; did you mean 'send'?"),
        ('"AAB"', "7", "line 9: [[circuit]] 1 (north): send: a text in quotation marks is wanted, and"),
        ('"AAB"', '"BBA"', "line 5: [[circuit]] north: send and receive are two channels"),
        ('"AAB"', '"AB"', "line 9: [[circuit]] north: send: give a channel designator of three"),
        ("[[route]]", "[[rout]]", "line 12: unknown table [rout]; did you mean 'route'?"),
        ("[[route]]", "[route]", "[route] stands once; write [[route]] for each"),
        ('["north"]', '["nord"]', "line 12: [[route]] QZBB: there is no circuit 'nord'; did you mean"),
        ("127.0.0.1:", "0.0.0.0:", "line 8: [[circuit]] north: listen: 0.0.0.0 is not loopback"),
        ('name = "north"', "", "line 5: [[circuit]] 1: it has no name; add one"),
        ("[station]", "[http]\n[station]\nnane = 1", "line 3: [station] (MINFOR PORTA): unknown key"),
        ("= [", "= (", "not TOML"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_with_its_line_its_key_and_what_to_write(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert any(each.startswith(said) for each in problems(tmp_path, (old, new))), said


SECOND = """\
[[circuit]]
name = "south"
station = "QZCCSM"
listen = "127.0.0.1:7101"
send = "AAC"
receive = "CCA"
"""
TLS = """\
[circuit.tls]
certificate = "a.pem"
key = "a.key"
authority = "authority.pem"
peer = "south.example"
"""


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (SECOND + "link = false\n", "line 15: [[circuit]] south: listen: 127.0.0.1:7101 is the place of north"
         " too, and south has no link that says who calls"),
        (SECOND + TLS, "line 15: [[circuit]] south: listen: 127.0.0.1:7101 is the place of north too, which"
         " shows another certificate; give each place one"),
        ('[http]\nlisten = "127.0.0.1:7101"\n', "[http]: listen: 127.0.0.1:7101 is the place of circuit north"),
    ],
)  # fmt: skip
def test_at_one_place_only_those_are_called_that_can_be_told_apart(
    tmp_path: Path, second: str, said: str
) -> None:
    for name in ("a.pem", "a.key", "authority.pem"):
        (tmp_path / name).touch()
    [found] = problems(tmp_path, ("[[route]]", second + "[[route]]"))
    assert said in found
    assert parse_config(GOOD.replace("[[route]]", SECOND + "[[route]]"), tmp_path)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[mail]\nserver = "192.0.2.1:25"', "[mail]: starttls: the server is not on this machine; write"),
        ('[mail]\nlisten = "0.0.0.0:25"', "[mail]: listen: it is not on loopback; give certificate and key"),
        ('[mail]\nserver = "127.0.0.1:25"\nuser = "x"', "[mail]: user and password_file go together"),
        ("[keep]\nmessages_days = 400", "[keep]: entries_days: it may not be shorter than messages_days"),
        ("[keep]\nentries_days = 0\n", "[keep]: deeds_days: it may not be shorter than entries_days"),
        ("[keep]\nservice_days = 0.5", "[keep]: service_days: at least one day, or 0 for ever"),
    ],
)  # fmt: skip
def test_what_would_go_in_clear_or_be_kept_too_short_is_refused(
    tmp_path: Path, more: str, said: str
) -> None:
    found = problems(tmp_path, ("[[route]]", more + "\n[[route]]"))
    assert any(said in each for each in found), found
    assert parse_config(
        GOOD + "[keep]\nmessages_days = 0\nentries_days = 0\ndeeds_days = 0\n", tmp_path
    )


def test_every_mistake_is_said_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, ("send =", "sent ="), ('to = "QZBB"', "to = 5"))
    assert len(found) == 2


def test_who_may_log_in_is_checked(tmp_path: Path) -> None:
    more = (
        '\n[[operator]]\nname = "moe"\nsecret = "lamp"\n'
        '[[reader]]\nname = "moe"\nsecret = "scrypt:AAAAAAAAAAAAAAAAAAAAAA==:AA=="\noffices = ["TRADE"]\n'
        '[http]\nlisten = "0.0.0.0:8700"\n'
    )
    said = "\n".join(problems(tmp_path, ('["north"]\n', '["north"]\n' + more)))
    assert "[[operator]] moe: secret is none; make one with: reftel centre secret" in said
    assert "[[reader]] moe: a name is given once" in said
    assert "[[reader]] moe: there is no [[profile]] of 'TRADE'" in said
    assert "[http]: passwords would go in clear" in said


def test_the_documentation_knows_every_key_of_every_table_and_no_other() -> None:
    page = (ROOT / "docs" / "centre.md").read_text(encoding="utf-8")
    for name, kind in {**TABLES, "circuit.tls": Tls}.items():
        section = re.search(rf"^### `\[+{re.escape(name)}\]+`.*?(?=^##|\Z)", page, re.M | re.S)
        assert section, f"docs/centre.md has no section on [{name}]"
        keys = re.findall(r"^\| `(\w+)` \|", section[0], re.M)
        assert sorted(keys) == sorted(kind.__struct_fields__), name


def test_the_documentation_gives_the_defaults_that_hold() -> None:
    page = (ROOT / "docs" / "centre.md").read_text(encoding="utf-8")
    for name in ("limits", "objectives"):
        section = re.search(rf"^### `\[{name}\]`.*?(?=^##|\Z)", page, re.M | re.S)
        assert section
        given = dict(re.findall(r"^\| `(\w+)` \| ([0-9._]+) \|", section[0], re.M))
        real = {f.name: f.default for f in msgspec.structs.fields(TABLES[name])}
        assert {key: float(value) for key, value in given.items()} == real


def test_the_examples_are_configurations_that_can_be_used(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "centre", tmp_path / "centre")
    stations = {load_config(path).station.name for path in (tmp_path / "centre").glob("*h.toml")}
    stations.add(load_config(tmp_path / "centre" / "ministry.toml").station.name)
    assert stations == {"MINFOR PORTA", "EMB NORDHAVEN", "EMB SUDMARK"}


def test_every_configuration_in_the_documentation_can_be_used(tmp_path: Path) -> None:
    """Blocks of TOML that begin with a station are whole; their files are made here, empty."""
    page = (ROOT / "docs" / "centre.md").read_text(encoding="utf-8")
    whole = [each for each in re.findall(r"```toml\n(.*?)```", page, re.S) if "[station]" in each]
    assert whole
    for text in whole:
        for path in re.findall(r'= "([^"\n]+\.(?:pem|key|password))"', text):
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("")
        (tmp_path / "directory.toml").write_text(
            (ROOT / "examples" / "centre" / "directory.toml").read_text()
        )
        parse_config(text, tmp_path)
