"""How much damage the reader mends, and how often it is right: `python benchmarks/repairs.py [FOLDER]`.

Telegrams that are read without any repair (examples/, or those in FOLDER) are damaged by the model
below, one kind at a time, and read again. For each kind it prints

  damaged    places that were damaged,
  mended     how many of them a repair covers and puts right (recall),
  right      how many of all repairs made put damage right (precision),

Undamaged telegrams must get no repair; those that do are named first.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import reftel

EXAMPLES = Path(__file__).parent.parent / "examples"
SEED = 1974


class Wound(NamedTuple):
    """Characters [start, end) of the damaged text, and what stood there."""

    start: int
    end: int
    was: str


Replace = Callable[[re.Match[str]], str]


class Kind(NamedTuple):
    """A kind of damage: what it befalls, what it makes of it, and what share of places it befalls."""

    pattern: re.Pattern[str]
    replace: Replace
    share: float


def _same(now: str) -> Replace:
    """Replaces by the same text everywhere."""

    def replace(_: re.Match[str]) -> str:
        return now

    return replace


def _mojibake(match: re.Match[str]) -> str:
    curly = {"'": "\u2019", '"': "\u201d"}[match[0]]
    return "".join(
        bytes((byte,)).decode("cp1252", errors="ignore") or chr(byte) for byte in curly.encode()
    )


KINDS: dict[str, Kind] = {
    "apostrophe to comma": Kind(
        re.compile(r"(?<=[A-Za-z]{2})'(?=[sS]\s|[tT]\s|re\s|ve\s|ll\s)"), _same(","), 1.0
    ),
    "apostrophe to question mark": Kind(
        re.compile(r"(?<=[a-z]{2})'(?=s\s|t\s|re\s|ve\s|ll\s)"), _same("?"), 1.0
    ),
    "quotes to & and 8": Kind(
        re.compile(r'(?<=[\s(])"([A-Za-z][^"\n]{2,60}[A-Za-z.,])"(?=[\s.,;)])'),
        lambda m: f"&{m[1]}8",
        1.0,
    ),
    "dash to bracket": Kind(
        re.compile(r"(?<=[a-z]{3}) --(?= (?:but|which|and) )"), _same(")"), 1.0
    ),
    "pilcrow to 1": Kind(re.compile(r"(?m)^(?=[1-9]\. )"), _same("1"), 1.0),
    "word cut at line end": Kind(
        re.compile(r"(?<=[A-Z]{4})(?=(?:MENTS?|TIONS?|ING|ENCES?|ITY|ATED)\b)"), _same("-\n"), 0.5
    ),
    "word spaced out": Kind(
        re.compile(
            r"(?<=[a-z.,] )(?:IMPORTANT|SUMMARY|COMMENT|URGENT|NUMBER)\b|\bSUMMARY\b(?=[:.])"
        ),
        lambda m: " ".join(m[0]),
        1.0,
    ),
    "sentences run together": Kind(
        re.compile(r"(?<=[a-z]{3}\.) (?=[A-Z][a-z]{2,} [a-z])"), _same(""), 0.3
    ),
    "links left over": Kind(
        re.compile(r"(?<=[a-z] )[A-Z][a-z]{3,}(?= [a-z])"), lambda m: f"[{m[0]}](#)", 0.5
    ),
    "entities left over": Kind(re.compile(r"(?<=[a-z])'(?=[a-z])"), _same("&#39;"), 1.0),
    "line marks left over": Kind(re.compile(r"(?<=[a-z,])(?=\n[a-z])"), _same("\\"), 0.3),
    "mojibake": Kind(re.compile(r"(?<=[a-z])'(?=[a-z])"), _mojibake, 1.0),
    "O for 0 in the date": Kind(
        re.compile(r"(?m)(?<=^[ZOPR] )[0-9]{6}(?=Z [A-Z]{3} [0-9]{2})"),
        lambda m: m[0].replace("0", "O"),
        1.0,
    ),
}
"""The model of damage, as telegrams were met with (telegram texts of 1973 to 2010)."""


def damage(text: str, kind: Kind, random: Random) -> tuple[str, list[Wound]]:
    """The text with this kind of damage, and every place that got it: within the body, but for the date."""
    blocks = [block.span for block in reftel.read(text).body]
    parts: list[str] = []
    wounds: list[Wound] = []
    at = length = 0
    for match in kind.pattern.finditer(text):
        if match.start() < at or random.random() > kind.share:
            continue
        now = kind.replace(match)
        inside = any(span.start <= match.start() <= span.end for span in blocks)
        if now == match[0] or not (inside or kind is KINDS["O for 0 in the date"]):
            continue
        parts += [text[at : match.start()], now]
        length += match.start() - at
        wounds.append(Wound(length, length + len(now), match[0]))
        length += len(now)
        at = match.end()
    return "".join([*parts, text[at:]]), wounds


def _repairs(path: Path) -> int:
    try:
        return len(reftel.read(path.read_text(encoding="utf-8")).repairs)
    except reftel.NotATelegram:
        return 0


def clean_telegrams(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.txt")):
        if not _repairs(path):
            yield path.read_text(encoding="utf-8")


def _is_right(damaged: str, wound: Wound, repairs: list[reftel.telegram.Repair]) -> bool:
    """Whether the repairs within a wound put back what stood there (kinds of quotation mark alike)."""
    inside = [r for r in repairs if wound.start - 1 <= r.span.start and r.span.end <= wound.end + 3]
    if not inside:
        return False
    text, at = "", min(wound.start, inside[0].span.start)
    end = max(wound.end, inside[-1].span.end)
    for repair in inside:
        text += damaged[at : repair.span.start] + repair.now
        at = repair.span.end
    text += damaged[at:end]
    meant = damaged[min(wound.start, inside[0].span.start) : wound.start] + wound.was
    return _plain(text) == _plain(meant + damaged[wound.end : end])


def _plain(text: str) -> str:
    return re.sub(
        r"\s+", " ", text.replace("\u2019", "'").replace("\u201d", '"').replace("-\n", "")
    ).strip()


def measure(folder: Path) -> Iterator[tuple[str, int, int, int, int]]:
    """For each kind: its name, wounds, wounds mended, repairs, repairs that are right."""
    telegrams = list(clean_telegrams(folder))
    for name, kind in KINDS.items():
        random = Random(SEED)
        if name == "dash to bracket":
            telegrams = [re.sub(r",(?= (?:but|which|and) )", " --", text) for text in telegrams]
        wounds = mended = made = right = 0
        for text in telegrams:
            damaged, places = damage(text, kind, random)
            if not places:
                continue
            repairs = list(reftel.read(damaged).repairs)
            healed = [place for place in places if _is_right(damaged, place, repairs)]
            wounds += len(places)
            mended += len(healed)
            made += len(repairs)
            right += sum(
                any(w.start - 1 <= r.span.start and r.span.end <= w.end + 3 for w in healed)
                for r in repairs
            )
        yield name, wounds, mended, made, right


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES
    read = sorted(folder.rglob("*.txt"))
    repaired = [path.name for path in read if _repairs(path)]
    print(f"{len(read) - len(repaired)} of {len(read)} telegrams are read without any repair")
    print(f"repaired as they stand: {', '.join(repaired) or 'none'}\n")
    print(f"{'damage':<30}{'damaged':>8}{'mended':>8}{'recall':>8}{'repairs':>9}{'precision':>11}")
    for name, wounds, mended, made, right in measure(folder):
        recall = f"{mended / wounds:.2f}" if wounds else "-"
        precision = f"{right / made:.3f}" if made else "-"
        print(f"{name:<30}{wounds:>8}{mended:>8}{recall:>8}{made:>9}{precision:>11}")


if __name__ == "__main__":
    main()
