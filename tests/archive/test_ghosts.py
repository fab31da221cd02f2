"""Missing telegrams, tested by hiding telegrams from an archive and seeing them found."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reftel.access import Reader
from reftel.archive import Archive
from reftel.archive.gaps import Point, in_order
from reftel.archive.ghosts import ghost, missing
from reftel.archive.threads import most_cited, thread
from reftel.telegram import Mrn
from reftel.terminal.following import render_ghost, render_missing
from tests.archive.test_archive import incoming


class Sent:
    """A telegram of a generated year: what was sent, whatever of it is held."""

    def __init__(
        self, number: int, at: datetime, mcn: dict[str, int], ref: tuple[int, ...]
    ) -> None:
        self.number, self.at, self.mcn, self.ref = number, at, mcn, ref

    def text(self, post: str = "BERN", **given: str) -> str:
        to, *info = [f"{name} {n:04d}" for name, n in self.mcn.items()]
        lines = [
            f"R {self.at.strftime('%d%H%MZ %b %y').upper()}",
            f"FM AMEMBASSY {post}",
            f"TO {to}",
        ]
        lines += [f"INFO {name}" for name in info]
        lines.append(f"{given.get('level', 'UNCLAS')} {post} {self.number:06d}\n\nE.O. 12065: N/A")
        lines.append(f"TAGS: PREL\nSUBJECT: {given.get('subject', 'LIGHTHOUSE DUES')}\n")
        refs = given.get("refs", "; ".join(f"{post} {n}" for n in self.ref))
        lines.append(f"REF: {refs}\n" if refs else "")
        lines.append(f"1. Telegram {self.number} says that lamp {self.number} burned.\n\nDOE\n")
        return "\n".join(lines)


def year_of(seed: int, count: int) -> list[Sent]:
    """A year of a post: numbers in order of time, continuity numbers for each addressee, references."""
    rng = random.Random(seed)
    at = datetime(1979, 1, 1, 8, tzinfo=UTC)
    series = {"SECSTATE WASHDC": rng.randint(1, 9999), "AMEMBASSY ROME": rng.randint(1, 9999)}
    sent = []
    for number in range(1, count + 1):
        at += timedelta(minutes=rng.randint(1, 3000))
        names = ["SECSTATE WASHDC"] if rng.random() < 0.7 else ["AMEMBASSY ROME"]
        if rng.random() < 0.3:
            names = list(series)
        for name in names:
            series[name] = series[name] % 9999 + 1
        ref = tuple(rng.sample(range(1, number), min(number - 1, rng.randint(0, 2))))
        sent.append(Sent(number, at, {name: series[name] for name in names}, ref))
    return sent


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), data=st.data())
def test_every_hidden_telegram_is_found_between_the_right_times(
    tmp_path_factory: pytest.TempPathFactory, seed: int, data: st.DataObject
) -> None:
    sent = year_of(seed, 40)
    hidden = data.draw(st.sets(st.integers(1, 39), min_size=1, max_size=15))
    with Archive.open(tmp_path_factory.mktemp("ghosts") / "archive") as archive:
        archive.add(incoming(*(each.text() for each in sent if each.number not in hidden)))
        found = missing(archive, "BERN", 1979)
        listed = {n for gap in found.gaps for n in range(gap.first, gap.last + 1)}
        assert listed == hidden
        assert (found.completeness.held, found.completeness.highest) == (40 - len(hidden), 40)
        for each in sent:
            if each.number not in hidden:
                continue
            known = ghost(archive, Mrn.of(1979, "BERN", each.number))
            at = each.at.strftime("%Y-%m-%dT%H:%M:00Z")
            assert known.after <= at <= known.before, (each.number, known)
            citing = {
                f"79BERN{o.number}" for o in sent if each.number in o.ref and o.number not in hidden
            }
            assert {cited.mrn for cited in known.cited_by} == citing
            for said in known.addressees:
                if "went to State" in said and said.startswith("It went"):
                    assert "SECSTATE WASHDC" in each.mcn
                if "not go to State" in said:
                    assert "SECSTATE WASHDC" not in each.mcn
        truly = [each for each in sent if each.number in hidden and "SECSTATE WASHDC" in each.mcn]
        state = [gap for gap in found.continuity if gap.addressee == "STATE"]
        ends = [e.number for e in sent if "SECSTATE WASHDC" in e.mcn and e.number not in hidden]
        inner = [e for e in truly if ends and ends[0] < e.number < ends[-1]]
        assert sum(gap.count for gap in state) == len(inner)
        for each in inner:
            minute = int(each.at.timestamp()) // 60
            assert any(gap.after <= minute <= gap.before for gap in state)


def test_one_misread_date_or_number_among_the_neighbours_does_not_mislead(tmp_path: Path) -> None:
    sent = year_of(1, 30)
    sent[11].at = datetime(1979, 11, 5, tzinfo=UTC)
    sent[17].number = 9017
    with Archive.open(tmp_path / "archive") as archive:
        archive.add(incoming(*(each.text() for each in sent if each.number != 11)))
        known = ghost(archive, Mrn.of(1979, "BERN", 11))
        assert known.after <= sent[10].at.strftime("%Y-%m-%dT%H:%MZ")
        assert (known.after_by, known.before_by) == ("79BERN10", "79BERN13")
        found = missing(archive, "BERN", 1979)
        assert found.completeness.highest == 30
        assert [(gap.first, gap.last) for gap in found.gaps] == [(11, 11), (18, 18)]


def test_where_one_citation_is_out_of_time_no_other_narrows_the_interval(tmp_path: Path) -> None:
    sent = year_of(1, 30)
    between = sent[9].at + (sent[10].at - sent[9].at) / 2
    early = Sent(1, sent[3].at, {"SECSTATE WASHDC": 1}, ())
    misdated = Sent(2, between, {"SECSTATE WASHDC": 2}, ())
    texts = [each.text(refs="") for each in sent if each.number != 11]
    with Archive.open(tmp_path / "archive") as archive:
        archive.add(incoming(*texts, misdated.text("OSLO", refs="BERN 11")))
        narrow = ghost(archive, Mrn.of(1979, "BERN", 11))
        assert (narrow.after_by, narrow.before_by) == ("79BERN10", "79OSLO2")
        assert "79OSLO2, which cites it)" in render_ghost(narrow)
        archive.add(incoming(early.text("OSLO", refs="BERN 11")))
        known = ghost(archive, Mrn.of(1979, "BERN", 11))
        assert (known.after_by, known.before_by) == ("79BERN10", "79BERN12")
        assert "which cites it)" not in render_ghost(known)
        assert known.after <= sent[10].at.strftime("%Y-%m-%dT%H:%MZ") <= known.before
        assert "misread" in {reason.code for reason in known.reasons}


def test_where_nothing_of_a_gap_went_is_said_in_short(tmp_path: Path) -> None:
    posts = [f"AMEMBASSY {name}" for name in ("ROME", "OSLO", "LIMA", "CAIRO", "TUNIS")]
    start = datetime(1979, 3, 1, tzinfo=UTC)
    sent = [
        Sent(n, start + timedelta(hours=n), dict.fromkeys(posts, n if n < 6 else n - 1), ())
        for n in range(1, 12)
    ]
    for each in sent[5:]:
        each.mcn["AMEMBASSY ROME"] = each.number
    with Archive.open(tmp_path / "archive") as archive:
        archive.add(incoming(*(each.text() for each in sent if each.number != 6)))
        told = render_missing(missing(archive, "BERN", 1979))
        assert "it went to Rome, by the continuity numbers" in told
        assert "none went to 4 posts, by the continuity numbers" in told
        known = ghost(archive, Mrn.of(1979, "BERN", 6)).addressees
        assert len(known) == 2
        assert known[0].startswith("It went to Rome: ")
        assert known[1].startswith("It did not go to Cairo, Lima, Oslo, Tunis: ")


@given(st.lists(st.integers(0, 30), max_size=12))
def test_what_stands_in_order_is_the_longest_there_is(times: list[int]) -> None:
    points = [Point(n, sent) for n, sent in enumerate(times)]
    found = in_order(points)
    assert [p.sent for p in found] == sorted(p.sent for p in found)
    assert [p.number for p in found] == sorted({p.number for p in found})
    longest = [0] * len(times)
    for at, sent in enumerate(times):
        longest[at] = 1 + max((longest[b] for b in range(at) if times[b] <= sent), default=0)
    assert len(found) == max(longest, default=0)


def reasons_for(archive: Archive, number: str) -> dict[str, str]:
    mrn = Mrn.parse(number)
    assert mrn is not None
    return {reason.code: reason.sure for reason in ghost(archive, mrn).reasons}


def test_reasons_come_from_what_the_data_say(tmp_path: Path) -> None:
    sent = year_of(2, 6)
    refs = "STATE 100 (NODIS); TOSEC 40; ROME 5 (NOTAL); 72 BERN 9; BERN 90001"
    with Archive.open(tmp_path / "archive") as archive:
        archive.add(incoming(*(each.text(refs=refs) for each in sent)))
        assert reasons_for(archive, "79STATE100")["restricted"] == "likely"
        assert reasons_for(archive, "79TOSEC40")["series"] == "certain"
        assert "notal" in reasons_for(archive, "79ROME5")
        assert reasons_for(archive, "72BERN9")["outside"] == "certain"
        assert reasons_for(archive, "79BERN90001")["misread"] == "likely"


def test_a_misread_citation_is_told_what_it_probably_means(tmp_path: Path) -> None:
    sent = year_of(3, 40)
    texts = [each.text(subject=f"MATTER {each.number} OF RIVER {each.number % 7}") for each in sent]
    texts[12] = sent[12].text(subject="FISHERY LIMITS OFF ICELAND")
    texts[38] = sent[38].text(subject="FISHERY LIMITS OFF ICELAND: REPLY", refs="79 BERN 113")
    with Archive.open(tmp_path / "archive") as archive:
        archive.add(incoming(*texts))
        (meant,) = ghost(archive, Mrn.of(1979, "BERN", 113)).meant
        assert (meant.mrn, meant.sure) == ("79BERN13", "likely")


def test_a_request_names_the_telegram_in_the_archives_form(tmp_path: Path) -> None:
    sent = year_of(4, 9)
    with Archive.open(tmp_path / "archive") as archive:
        archive.add(incoming(*(each.text() for each in sent if each.number != 5)))
        request = ghost(archive, Mrn.of(1979, "BERN", 5)).request
    assert request.startswith(
        "Telegram 5, 1979, 1979BERN00005, Central Foreign Policy Files, 1973-79/Electronic Telegrams"
    )
    assert "January 1979" in request


def test_a_ghost_that_is_a_closed_telegram_looks_like_one_that_was_never_filed(
    tmp_path: Path,
) -> None:
    sent = year_of(5, 40)
    closed = {4, 9, 10, 22, 39, 40}
    texts = {e.number: e.text(level="SECRET" if e.number in closed else "UNCLAS") for e in sent}
    reader = Reader("open", clearance="UNCLASSIFIED")
    with (
        Archive.open(tmp_path / "whole") as whole,
        Archive.open(tmp_path / "part") as part,
    ):
        whole.add(incoming(*texts.values()))
        part.add(incoming(*(text for number, text in texts.items() if number not in closed)))
        seen, wanted = whole.view(reader), part.view(reader)
        assert missing(seen, "BERN", 1979) == missing(wanted, "BERN", 1979)
        assert missing(seen, "BERN", 1979).completeness.held == 40 - len(closed)
        for number in range(1, 43):
            mrn = Mrn.of(1979, "BERN", number)
            assert ghost(seen, mrn) == ghost(wanted, mrn)
            assert thread(seen, mrn) == thread(wanted, mrn)
        assert most_cited(seen) == most_cited(wanted)
        assert list(seen.graph.edges()) == list(wanted.graph.edges())
