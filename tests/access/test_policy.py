"""The access file: who reads what by it, and what is said of its mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from reftel.access import Label, parse_policy
from reftel.tables.settings import ConfigError

GOOD = """\
[everybody]
clearance = "UNCLASSIFIED"

[[group]]
name = "political"
clearance = "SECRET"
captions = ["NODIS"]

[[group]]
name = "audit"
auditor = true

[[reader]]
name = "mueller"
also = ["mueller@example.org"]
clearance = "CONFIDENTIAL"
cards = "TOP SECRET"
groups = ["audit"]

[proxy]
header = "X-Forwarded-User"
trusted = ["127.0.0.1", "10.1.0.0/16"]
groups = "X-Forwarded-Groups"
"""


def test_a_reader_has_what_the_file_and_the_groups_grant(tmp_path: Path) -> None:
    policy = parse_policy(GOOD, tmp_path)
    mueller = policy.reader("mueller@example.org")
    assert mueller.name == "mueller"
    assert mueller.auditor
    assert mueller.may_read(Label("CONFIDENTIAL"))
    assert not mueller.may_read(Label("SECRET"))
    assert mueller.may_know_of(Label("TOP SECRET"))
    assert not mueller.may_know_of(Label("TOP SECRET", ("NODIS",)))
    assert not mueller.may_read(Label("CONFIDENTIAL", ("NODIS",)))
    assert policy.reader("mueller", ["political"]).may_read(Label("SECRET", ("NODIS",)))


def test_somebody_unknown_reads_what_everybody_reads(tmp_path: Path) -> None:
    policy = parse_policy(GOOD, tmp_path)
    unknown = policy.reader("nobody", ["no such group"])
    assert unknown.name == "nobody"
    assert unknown.may_read(Label("UNCLASSIFIED"))
    assert not unknown.may_read(Label("LIMITED OFFICIAL USE"))
    assert policy.named("nobody") is None
    assert not parse_policy("", tmp_path).everybody.may_read(Label("UNCLASSIFIED"))


def test_a_header_is_believed_from_named_addresses_only(tmp_path: Path) -> None:
    proxy = parse_policy(GOOD, tmp_path).access.proxy
    assert proxy is not None
    assert all(proxy.trusts(each) for each in ("127.0.0.1", "10.1.2.3", "::ffff:10.1.2.3"))
    assert not any(proxy.trusts(each) for each in ("10.2.0.1", "::1", "testclient", ""))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[[group]]", "[[groop]]", "line 4: unknown table [groop]; did you mean 'group'?"),
        ('"SECRET"', '"SECRTE"', "line 6: [[group]] political: clearance: 'SECRTE' is no classification"),
        ('["NODIS"]', '["NODIZ"]', "line 7: [[group]] political: captions: 'NODIZ' is no caption that restricts; did you mean 'NODIS'?"),
        ('["NODIS"]', '["SIPDIS"]', "line 7: [[group]] political: captions: 'SIPDIS' restricts nobody"),
        ('["NODIS"]', '"NODIS"', "line 7: [[group]] 1 (political): captions: a list in square brackets is"),
        ('["audit"]', '["audits"]', "line 18: [[reader]] mueller: groups: there is no group 'audits'; did you mean"),
        ('"mueller@example.org"', '"everybody"', "line 13: [[reader]] mueller: 'everybody': a name is given"),
        ('"10.1.0.0/16"', '"0.0.0.0/0"', "line 22: [proxy]: trusted: '0.0.0.0/0' is everybody"),
        ('"10.1.0.0/16"', '"proxy"', "line 22: [proxy]: trusted: 'proxy' is no address"),
        ("[proxy]", "[openid]\nissuer = 'http://login.example.org'\nclient = 'reftel'\n[proxy]", "line 21: [openid]: issuer: 'http://login.example.org' is no address that begins with https://"),
        ("[proxy]", "[audit]\nkeep_days = 0\n[proxy]", "line 21: [audit]: keep_days: it is a number"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_what_to_write(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        parse_policy(GOOD.replace(old, new, 1), tmp_path)
    assert any(problem.startswith(said) for problem in caught.value.problems), caught.value.problems
