"""A world of telegrams: which there are, who sent them to whom and when, and what they cite.

A world of a seed and a count has always the same telegrams, and each can be made alone: several
processes make a million together, and none is stored to make the next. What they are like:

- Three forms: 1973-79 as the National Archives released them (office list, page lines, stamps, for a
  part the archival attributes), 1980-2010 in State's form with and without procedure lines, and ACP
  127's own form.
- Posts number their telegrams from 1 each year; one number in 32 is not there. Continuity numbers
  run on. The telegrams come by year, post and number.
- They cite earlier telegrams of their own and other posts, most of which are there.
- One in 32 is a further copy of another, released less fully or under other marks; of a long one of
  1973-79 the two are its sections. A long one in State's form holds its sections one behind the other.
- Words are invented, 40,000 of them, by Zipf's law; some phrases recur.
- Some are damaged as real ones are; `World.damage` says which and how.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple

import msgspec
from benchmarks.synthetic.language import Language
from benchmarks.synthetic.layout import Post, damaged, released_copy, wire_copy, withheld

from reftel import tables
from reftel.telegram import (
    Addressee,
    Block,
    ClassifiedBy,
    ExecutiveOrder,
    Mrn,
    Reference,
    Section,
    Span,
    Station,
    Tag,
    Telegram,
    WireForm,
)

SHARES = {
    "released 1973-79": 0.50,
    "State's form": 0.40,
    "ACP 127": 0.10,
    "damaged": 0.06,
    "numbers that are not there": 1 / 32,
    "further copies": 1 / 32,
    "cites a telegram": 0.60,
    "unclassified": 0.44,
}
MEAN_BYTES = 4000

_BLOCK = 32
# A telegram of 1973-79 with more paragraphs than so is in sections.
_LONG = 6
_POSTS = 120
_NOWHERE = Span(0, 0)
_TAGS = """PREL PGOV ECON ETRD PINR EFIN KDEM PHUM EAID PTER MARR EINV SNAR EAGR ENRG EWWT CVIS ASEC
MASS SOCI TBIO KCRM AORC ELAB EIND CASC BEXP EAIR PBTS SENV OEXC AMGT""".split()
_TAGS_1970S = """PFOR PINT EFIN ETRD EAID OVIP PGOV EAGR CVIS CASC BEXP ENRG MASS PINS AFIN MARR EMIN
EAIR PORG SNAR ELAB EWWT SCUL APER UNGA PBOR EFIS TPHY OEXC SREF CPRS EINV""".split()
_TITLES = ("AMBASSADOR", "CHARGE", "POLITICAL COUNSELOR", "DCM", "ECONOMIC COUNSELOR")
_CLASSIFICATION = re.compile(
    r"^(UNCLAS(?:SIFIED)?|LIMITED OFFICIAL USE|C O N F I D E N T I A L|S E C R E T)(?= [A-Z])",
    re.MULTILINE,
)
_REFERENCE = re.compile(r"^(?:REF:|    ) +(?:[A-E]\. )?(.+)$", re.MULTILINE)


class _Number(NamedTuple):
    """A telegram's place: year, post, serial, and how many serials the post uses that year."""

    year: int
    post: int
    serial: int
    of: int


class World:
    """The telegrams 0 to `count` - 1 of a seed."""

    def __init__(self, seed: int, count: int) -> None:
        self.seed, self.count = seed, count
        rng = Random(seed)
        self._posts = _posts(rng)
        self._shorts = {each.mrn: each.short for each in self._posts}
        self._partners = [self._written_to(post) for post in range(_POSTS)]
        self._slots = -(-count // _BLOCK) * _BLOCK
        self._years, self._starts, self._ends = self._shared_out()
        self._at = {
            (year, self._posts[post].mrn): at for at, (year, post) in enumerate(self._years)
        }
        self._language = Language(rng)

    # Which telegram is which.

    def _shared_out(self) -> tuple[list[tuple[int, int]], list[int], list[int]]:
        """The years and posts in order, and where the slots of each begin and end."""
        early = {1973: 5, 1974: 8, 1975: 9, 1976: 9, 1977: 10, 1978: 11, 1979: 12}
        weights = {year: SHARES["released 1973-79"] * share / 64 for year, share in early.items()}
        late = {year: 1 + 3 * max(0, year - 1999) for year in range(1980, 2011)}
        rest = 1 - SHARES["released 1973-79"]
        weights |= {year: rest * share / sum(late.values()) for year, share in late.items()}
        ranks = [1 / (rank + 8) for rank in range(1, _POSTS)]
        shares = [0.12, *(0.88 * each / sum(ranks) for each in ranks)]
        years = [(year, post) for year in weights for post in range(_POSTS)]
        sums = list(itertools.accumulate(weights[year] * shares[post] for year, post in years))
        ends = [round(self._slots * each / sums[-1]) for each in sums]
        return years, [0, *ends[:-1]], ends

    def _gap(self, block: int) -> int:
        return (block * 2654435761 + self.seed * 40503 >> 7) % _BLOCK

    def _slot(self, number: int) -> tuple[int, bool]:
        """The slot of a telegram, and whether it is a further copy of the one there."""
        block, at = divmod(number, _BLOCK)
        is_copy = at == _BLOCK - 1
        if is_copy:
            at = (block * 97 + self.seed) % (_BLOCK - 1)
        return block * _BLOCK + at + (at >= self._gap(block)), is_copy

    def _place(self, slot: int) -> _Number:
        at = bisect_right(self._ends, slot)
        year, post = self._years[at]
        return _Number(year, post, slot - self._starts[at] + 1, self._ends[at] - self._starts[at])

    def holds(self, year: int, post: str, serial: int) -> bool:
        """Whether a number is one of the telegrams'; else somebody may cite it all the same."""
        at = self._at.get((year, post))
        if at is None or not 1 <= serial <= self._ends[at] - self._starts[at]:
            return False
        block, inside = divmod(self._starts[at] + serial - 1, _BLOCK)
        gap = self._gap(block)
        number = block * _BLOCK + inside - (inside > gap)
        return inside != gap and number < self.count

    def _rng(self, slot: int) -> Random:
        return Random((self.seed << 44) ^ (slot << 1) ^ 1)

    def damage(self, number: int) -> str | None:
        """How telegram `number` was damaged, if it was."""
        slot, is_copy = self._slot(number)
        rng = Random((self.seed << 44) ^ (slot << 2) ^ (3 if is_copy else 2) ^ (1 << 43))
        if rng.random() >= SHARES["damaged"]:
            return None
        kinds = (
            ("letters", "cut", "blanks")
            if self._place(slot).year < 1980
            else ("letters", "cut", "marks")
        )
        return rng.choice(kinds)

    def _has_copy(self, slot: int) -> bool:
        last = slot // _BLOCK * _BLOCK + _BLOCK - 1
        return last < self.count and self._slot(last)[0] == slot

    def is_copy(self, number: int) -> bool:
        """Whether it is a further copy of another telegram, or its second section."""
        return self._slot(number)[1]

    # Making one.

    def telegram(self, number: int) -> str:
        """The text of telegram `number`."""
        if not 0 <= number < self.count:
            raise IndexError(f"this world has telegrams 0 to {self.count - 1}, not {number}")
        slot, is_copy = self._slot(number)
        place = self._place(slot)
        rng = self._rng(slot)
        sender = self._posts[place.post]
        record = self._record(rng, place)
        form: WireForm = "state"
        if place.year >= 1980 and rng.random() < SHARES["ACP 127"] / (
            1 - SHARES["released 1973-79"]
        ):
            form = "acp127"
        blocks = self._body(rng, record, place, form)
        if place.year < 1980 and len(blocks) > _LONG and self._has_copy(slot):
            half = len(blocks) // 2
            blocks = blocks[half:] if is_copy else blocks[:half]
            record = msgspec.structs.replace(record, section=Section(1 + is_copy, 2))
        if place.year < 1980:
            text = released_copy(rng, record, blocks, sender, self._language, is_copy)
        else:
            text = wire_copy(rng, record, blocks, sender, form, is_copy)
            if is_copy and form == "state" and record.classification in ("CONFIDENTIAL", "SECRET"):
                text = withheld(rng, text)
        if damage := self.damage(number):
            text = damaged(Random(number ^ self.seed << 8), text, damage)
        return text

    def _record(self, rng: Random, place: _Number) -> Telegram:
        post = self._posts[place.post]
        seconds = int((place.serial - 1 + rng.random()) / place.of * 365 * 86400)
        sent = datetime(place.year, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds - seconds % 60)
        level = _level(rng, place.year)
        precedence = rng.choices(
            ("ROUTINE", "PRIORITY", "IMMEDIATE", "FLASH"), (50, 30, 19.5, 0.5)
        )[0]
        action, info = self._addressees(rng, place, precedence)
        lower = info and precedence != "ROUTINE" and all(each.precedence is None for each in info)
        era = _TAGS_1970S if place.year < 1980 else _TAGS
        ranks = [1 / (rank + 1) for rank in range(len(era))]
        subjects = dict.fromkeys(rng.choices(era, ranks, k=rng.randint(1, 4)))
        tags = [Tag(code, "subject") for code in subjects]
        if post.country:
            tags.append(Tag(post.country, "geographic"))
        return Telegram(
            source="",
            mrn=Mrn.of(place.year, post.mrn, place.serial),
            precedence=precedence,
            info_precedence="ROUTINE" if lower else None,
            dtg=sent.isoformat().replace("+00:00", "Z"),
            originator=Station(post.name, None),
            action=action,
            info=info,
            classification=level,
            captions=_captions(rng, place.year, level),
            executive_order=self._order(rng, sent, level),
            tags=tuple(tags),
            subject=self._subject(rng),
            references=self._references(rng, place),
            classified_by=self._classifier(rng, place.year, level),
            signature=self._language.surname(rng),
        )

    def _addressees(
        self, rng: Random, place: _Number, precedence: str
    ) -> tuple[tuple[Addressee, ...], tuple[Addressee, ...]]:
        """Whom it goes to. How often a post writes to another is fixed, and so are the numbers that
        run on between the two."""
        word = None if precedence == "ROUTINE" else precedence
        lower = rng.choice((word, None))
        with_routing = place.year >= 1980

        def one(post: int, number: int | None, word: str | None) -> Addressee:
            routing = self._posts[post].routing if with_routing else None
            mcn = f"{number % 10_000:04d}" if number is not None else None
            return Addressee(self._posts[post].name, routing, word, mcn)

        found: list[Addressee] = []
        for each, rate, base in self._partners[place.post]:
            now = int(base + place.serial * rate)
            if now > int(base + (place.serial - 1) * rate):
                first = place.post == 0 and not found
                found.append(one(each, now, word if first else lower))
        if place.post == 0:
            found = found or [one(1, None, word)]
            return (found[0],), tuple(found[1:])
        return (one(0, place.post * 71 + place.serial, word),), tuple(found)

    def _written_to(self, post: int) -> list[tuple[int, float, float]]:
        """To which posts one writes, how many of its telegrams go there, and the number begun with."""
        rng = Random(self.seed * 7919 + post)
        others = rng.sample([each for each in range(1, _POSTS) if each != post], 16 if post else 40)
        return [
            (each, 0.5 / (1 + at * 0.35), rng.random() * 9000) for at, each in enumerate(others)
        ]

    def _references(self, rng: Random, place: _Number) -> tuple[Reference, ...]:
        # The first of a year and those whose choice falls on nothing cite none: hence the 1.02.
        if place.serial < 3 or rng.random() >= SHARES["cites a telegram"] * 1.02:
            return ()
        wanted = rng.choices((1, 2, 3, 5), (60, 24, 12, 4))[0]
        cited: list[Mrn] = []
        for _ in range(wanted):
            post, year, kind = place.post, place.year, rng.random()
            serial = max(1, place.serial - 1 - int(rng.expovariate(1 / 25)))
            if kind > 0.6:
                post = 0 if kind > 0.75 and place.post else rng.randrange(_POSTS)
                at = bisect_right(self._years, (year, post)) - 1
                share = place.serial / place.of * rng.uniform(0.9, 1)
                serial = int((self._ends[at] - self._starts[at]) * share)
            if kind > 0.95 and year not in (1973, 1980):
                year, serial = year - 1, rng.randrange(1, 30_000)
            if serial >= 1:
                cited.append(Mrn.of(year, self._posts[post].mrn, serial))
        found: list[Reference] = []
        cited = list(dict.fromkeys(cited))
        for at, mrn in enumerate(cited):
            letter = chr(ord("A") + at) if len(cited) > 1 else None
            text = f"{self._shorts[mrn.post]} {mrn.number}"
            if mrn.year != place.year:
                text = f"{mrn.year % 100:02d} {text}"
            found.append(Reference(letter, "telegram", mrn.short, text))
        return tuple(found)

    def _order(self, rng: Random, sent: datetime, level: str) -> ExecutiveOrder:
        year = sent.year
        order = (
            "11652"
            if year < 1979
            else "12065"
            if year < 1983
            else "12356"
            if year < 1996
            else "12958"
        )
        if level not in ("CONFIDENTIAL", "SECRET"):
            return ExecutiveOrder(order, "N/A")
        if order == "11652":
            return ExecutiveOrder(order, rng.choices(("GDS", "XGDS-2", "XGDS-1"), (90, 7, 3))[0])
        years = rng.choices((10, 6, 20), (80, 10, 10))[0] if order != "12065" else 6
        opens = sent.replace(year=year + years, day=min(sent.day, 28))
        if order == "12065":
            who = self._language.surname(rng)
            text = f"GDS {opens.month}/{opens.day}/{opens.year % 100:02d} ({who}, J.) OR-{rng.choice('MPE')}"
        elif order == "12356":
            text = "DECL: OADR"
        else:
            text = f"DECL: {opens:%m/%d/%Y}"
        return ExecutiveOrder(order, text)

    def _classifier(self, rng: Random, year: int, level: str) -> ClassifiedBy | None:
        if year < 1996 or level not in ("CONFIDENTIAL", "SECRET"):
            return None
        section = "1.4" if year > 2003 else "1.5"
        reasons = tuple(f"{section}({each})" for each in rng.choice(("bd", "b", "d")))
        name = self._language.surname(rng)
        return ClassifiedBy(name, rng.choice(_TITLES), reasons)

    def _subject(self, rng: Random) -> str:
        words = self._language.words(rng, rng.randint(2, 4))
        return " ".join([*words, rng.choice(self._language.phrases[:120])]).upper()

    # Its text.

    def _body(self, rng: Random, record: Telegram, place: _Number, form: WireForm) -> list[Block]:
        """Paragraphs of 30 to 200 words, the first a summary where there are several."""
        upper = place.year < 1996 or form == "acp127"
        left = max(12, min(9000, int(rng.lognormvariate(5.62, 0.92))))
        mark = place.year >= 1996 and record.classification != "UNCLASSIFIED" and form == "state"
        letter = {"CONFIDENTIAL": "C", "SECRET": "S"}.get(record.classification or "", "U")
        blocks: list[Block] = []
        number = 0
        while left > 0:
            words = min(left, rng.randint(30, 200))
            if left - words < 12:
                words = left
            left -= words
            number += 1
            picked = self._language.prose(rng, words)
            if record.references and words > 40 and rng.random() < 0.5:
                letter = rng.choice(record.references).enumerator
                picked[10] += f" (ref {letter})" if letter else " (reftel)"
            text = " ".join(picked)
            label = None
            if number == 1 and left > 150:
                text, label = f"Summary: {text} End summary.", "SUMMARY"
            elif not left and number > 2 and rng.random() < 0.4:
                text, label = f"Comment: {text} End comment.", "COMMENT"
            elif (
                number > 2
                and left
                and rng.random() < 0.12
                and form == "state"
                and place.year >= 1996
            ):
                heading = rng.choice(self._language.phrases).title()
                blocks.append(Block("heading", None, None, None, heading, _NOWHERE))
            marking = letter if mark else None
            blocks.append(
                Block(
                    "paragraph", number, marking, label, text.upper() if upper else text, _NOWHERE
                )
            )
        return blocks

    def name(self, number: int) -> str:
        """A file's name for telegram `number`, as the Archives and the copies of the 2000s have it."""
        slot, is_copy = self._slot(number)
        place = self._place(slot)
        width = 6 if place.year >= 1980 or place.post == 0 else 5
        mrn = f"{place.year}{self._posts[place.post].mrn}{place.serial:0{width}d}"
        return f"{place.year}/{mrn}{'-copy' if is_copy else ''}.txt"

    def row(self, number: int) -> list[str]:
        """Telegram `number` as the table of eight columns has it."""
        text = self.telegram(number)
        place = self._place(self._slot(number)[0])
        post = self._posts[place.post]
        line = _CLASSIFICATION.search(text)
        at = line.start() if line else 0
        sent = datetime(place.year, 1, 1, tzinfo=UTC) + timedelta(
            days=364 * place.serial / place.of
        )
        refs = "|".join(each.replace(" ", "") for each in _REFERENCE.findall(text))
        return [
            str(number + 1),
            f"{sent.month}/{sent.day}/{sent.year} {sent:%H:%M}",
            f"{place.year % 100:02d}{post.mrn}{place.serial}",
            f"Embassy {post.short.title()}",
            (line[1] if line else "UNCLASSIFIED").strip(),
            refs,
            text[: max(at - 1, 0)],
            text[at:],
        ]


def _posts(rng: Random) -> list[Post]:
    """State, and posts that number under the name in their titles."""
    posts = [Post("SECSTATE WASHDC", "STATE", "STATE", "RUEHC", "")]
    for entry in tables.table("posts"):
        of = entry.columns
        short = of["telegram_name"].partition(" ")[2]
        if (
            of["era"] == "all"
            and of["type"] == "embassy"
            and short.replace(" ", "") == of["mrn_name"]
            and of["routing_indicator"]
        ):
            made = (
                of["telegram_name"],
                short,
                of["mrn_name"],
                of["routing_indicator"],
                of["country"],
            )
            posts.append(Post(*made))
    rest = posts[1:]
    rng.shuffle(rest)
    return [posts[0], *rest[: _POSTS - 1]]


def _level(rng: Random, year: int) -> str:
    levels = ("UNCLASSIFIED", "LIMITED OFFICIAL USE", "CONFIDENTIAL", "SECRET")
    shares = (44, 24, 26, 6) if year < 1996 else (44, 0, 44, 12)
    return rng.choices(levels, shares)[0]


def _captions(rng: Random, year: int, level: str) -> tuple[str, ...]:
    captions: list[str] = []
    if level in ("CONFIDENTIAL", "SECRET") and rng.random() < 0.12:
        captions.append(rng.choices(("EXDIS", "LIMDIS", "NODIS", "STADIS"), (60, 15, 15, 10))[0])
    if year >= 1996:
        if level == "UNCLASSIFIED" and rng.random() < 0.55:
            captions.append("SENSITIVE")
        elif level in ("CONFIDENTIAL", "SECRET") and rng.random() < 0.15:
            captions.append("NOFORN")
        if not captions or captions[0] in ("SENSITIVE", "NOFORN"):
            captions += ["SIPDIS"] * (rng.random() < 0.8)
    return tuple(captions)
