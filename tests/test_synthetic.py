"""The synthetic telegrams of the benchmarks are what they are said to be."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path
from statistics import mean, quantiles

import pytest
from benchmarks.synthetic.world import MEAN_BYTES, SHARES, World
from benchmarks.telegrams import main
from click.testing import CliRunner

import reftel
from reftel.sources import Incoming, walk
from reftel.telegram import Mrn, Telegram
from reftel.write import split

COUNT = 64_000
STEP = 53


@pytest.fixture(scope="module")
def world() -> World:
    return World(7, COUNT)


@pytest.fixture(scope="module")
def sample(world: World) -> dict[int, str]:
    return {number: world.telegram(number) for number in range(0, COUNT, STEP)}


@pytest.fixture(scope="module")
def readable(world: World, sample: dict[int, str]) -> dict[int, Telegram]:
    """Those that are not damaged, as read."""
    return {n: reftel.read(text) for n, text in sample.items() if world.damage(n) is None}


def test_a_telegram_is_the_same_whoever_makes_it(world: World, sample: dict[int, str]) -> None:
    again = World(7, COUNT)
    for number in list(sample)[::-60]:
        assert again.telegram(number) == sample[number]
        assert again.name(number) == world.name(number)
    assert World(8, COUNT).telegram(1) != world.telegram(1)
    with pytest.raises(IndexError, match="0 to 63999"):
        world.telegram(COUNT)


def test_they_read_without_a_doubt_but_where_damage_was_put(
    world: World, readable: dict[int, Telegram]
) -> None:
    for number, telegram in readable.items():
        assert {each.code for each in telegram.diagnostics} <= {"section-missing"}, number
        assert telegram.coverage.unknown == 0, number
        assert (
            telegram.mrn and telegram.dtg and telegram.subject and telegram.tags and telegram.body
        )
        if telegram.release is None:
            numbers = [b.number for b in telegram.paragraphs]
            first = numbers[0] if world.is_copy(number) and telegram.section else 1
            assert first is not None
            assert numbers == list(range(first, first + len(numbers))), number


def test_wire_forms_are_laid_out_as_the_writer_does(
    sample: dict[int, str], readable: dict[int, Telegram]
) -> None:
    whole = {n: t for n, t in readable.items() if t.dialect == "acp127" and t.release is None}
    assert len(whole) > 300
    assert {t.wire.form for t in whole.values() if t.wire} == {"acp127", "state"}
    for number, telegram in list(whole.items())[::4]:
        laid_out = "".join(split(telegram)) if telegram.section else reftel.write(telegram)
        assert laid_out == sample[number], number
    assert any(len(telegram.sections_present) > 2 for telegram in whole.values())


def test_shares_and_sizes_are_as_stated(
    world: World, sample: dict[int, str], readable: dict[int, Telegram]
) -> None:
    count = len(readable)
    forms = Counter(
        "ACP 127"
        if t.wire and t.wire.form == "acp127"
        else "released 1973-79"
        if t.mrn and t.mrn.year < 1980
        else "State's form"
        for t in readable.values()
    )
    shares = {form: n / count for form, n in forms.items()}
    shares["damaged"] = 1 - count / len(sample)
    shares["further copies"] = mean(world.is_copy(n) for n in range(COUNT))
    shares["cites a telegram"] = mean(bool(t.references) for t in readable.values())
    shares["unclassified"] = mean(t.classification == "UNCLASSIFIED" for t in readable.values())
    for name, share in shares.items():
        assert share == pytest.approx(SHARES[name], abs=0.04), name
    sizes = [len(text.encode()) for text in sample.values()]
    assert mean(sizes) == pytest.approx(MEAN_BYTES, rel=0.1)
    lowest, *_, highest = quantiles(sizes, n=20)
    assert lowest < 1500
    assert highest > 9000


def test_damage_takes_nothing_from_most_and_is_put_where_it_is_said(
    world: World, sample: dict[int, str]
) -> None:
    hit = Counter(damage for n in sample if (damage := world.damage(n)))
    assert hit.keys() == {"letters", "cut", "blanks", "marks"}
    for number, text in sample.items():
        if world.damage(number) == "cut":
            assert not text.rstrip().endswith("NNNN")


def test_it_knows_which_numbers_are_there(world: World) -> None:
    named = (re.match(r"(\d{4})/\1([A-Z]+)(\d+)", world.name(n)) for n in range(COUNT))
    numbers = Counter((int(m[1]), m[2], int(m[3])) for m in named if m)
    assert sum(numbers.values()) == COUNT
    highest: dict[tuple[int, str], int] = {}
    for year, post, serial in numbers:
        highest[year, post] = max(serial, highest.get((year, post), 0))
    missing = 0
    for (year, post), last in highest.items():
        for serial in range(1, last + 1):
            assert world.holds(year, post, serial) == ((year, post, serial) in numbers)
            missing += (year, post, serial) not in numbers
    share = SHARES["numbers that are not there"]
    assert missing / (missing + len(numbers)) == pytest.approx(share, abs=0.003)
    assert not world.holds(1973, "STATE", 99_999)


def test_dates_and_continuity_numbers_run_on_with_the_serial_numbers() -> None:
    small = World(3, 900)
    before: Telegram | None = None
    steps = 0
    for number in range(small.count):
        if small.is_copy(number) or small.damage(number):
            continue
        telegram = reftel.read(small.telegram(number))
        one, two = (before and before.mrn), telegram.mrn
        if before and one and two and (one.year, one.post) == (two.year, two.post):
            assert before.dtg and telegram.dtg
            assert before.dtg <= telegram.dtg
            first, second = before.action[0], telegram.action[0]
            if first.name == second.name == "SECSTATE WASHDC" and first.mcn and second.mcn:
                steps += 1
                apart = (int(second.mcn) - int(first.mcn)) % 10_000
                assert apart == two.number - one.number
        before = telegram
    assert steps > 40


def test_most_of_what_they_cite_is_there(world: World, readable: dict[int, Telegram]) -> None:
    cited = [
        mrn
        for telegram in readable.values()
        for reference in telegram.references
        if reference.mrn and (mrn := Mrn.parse(reference.mrn))
    ]
    assert len(cited) > 600
    there = [world.holds(mrn.year, mrn.post, mrn.number) for mrn in cited]
    assert 0.85 < mean(there) < 0.98


def test_every_form_holds_the_same_telegrams(tmp_path: Path) -> None:
    small = World(5, 96)
    expected = sorted(small.telegram(n) for n in range(96))
    for form in ("text", "csv", "zip", "7z", "jsonl"):
        out = tmp_path / f"t.{form}"
        done = CliRunner().invoke(main, [str(out), "--count", "96", "--seed", "5", "--form", form])
        assert "96 telegrams" in done.output
        items = list(walk([str(out)]))
        texts = [item.text for item in items if isinstance(item, Incoming)]
        if form == "jsonl":
            assert len(texts) > 90
            assert set(texts) <= set(expected)
        else:
            assert len(items) == len(texts)
            assert sorted(texts) == expected
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.reader(file, doublequote=False, escapechar="\\"))
    assert {len(row) for row in rows} == {8}
    assert [row[0] for row in rows] == [str(n) for n in range(1, 97)]
