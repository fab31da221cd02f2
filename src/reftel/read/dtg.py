"""Date-time groups and the Julian time of filing, as ISO 8601 UTC."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime
from functools import lru_cache
from typing import Final

from reftel.read.damaged_labels import is_near
from reftel.telegram import written_year

MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTH_NUMBERS: Final = {month: f"{number:02d}" for number, month in enumerate(MONTHS, 1)}
PRECEDENCES: Final = {
    "Z": "FLASH",
    "O": "IMMEDIATE",
    "P": "PRIORITY",
    "R": "ROUTINE",
    "Y": "EMERGENCY",
}
"""The word for each prosign; Y is met in JANAP 128 traffic only (wire-format.md 3.1)."""

# fl5 = prec [SP prec] SP ddhhmm "Z" SP mon SP yy *(SP opsig)     wire-format.md 1.5, content 3.6
# As copied: blanks before the Z and inside the digits of 1973 copies, no Z, the month in full,
# a letter glued behind the year. Read so, never written so.
DTG_LINE: Final = re.compile(
    r"\s*(?:(?P<first>[ZOPRY]|0(?= (?:[OPR] )?[0-9]{6}))(?:(?P=first)| *(?P<second>[ZOPR]))? *)?"
    r"(?P<day>[0-3OIl] ?[0-9OIl])(?P<time>(?: ?[0-9OIl]){4}) ?(?:Z|[2X](?= [A-Z]))? *"
    r"(?P<month>J ?A ?N|F ?E ?B|M ?A ?R|A ?P ?R|M ?A ?Y|J ?U ?N|J ?U ?L|A ?U ?G|S ?E ?P|O ?C ?T"
    r"|N ?O ?V|D ?E ?C)"
    r"(?:[A-Z]{0,6}[ .,]+|(?=[0-9]))(?P<year>(?:19|20)?[0-9O] ?[0-9O])(?![0-9])(?P<rest>.*)\Z",
    re.IGNORECASE,
)
# As by far the most are written: the same groups, several times as fast.
_USUAL_LINE: Final = re.compile(
    r"(?P<first>[ZOPR]) (?:(?P<second>[ZOPR]) )?(?P<day>[0-3][0-9])(?P<time>[0-9]{4})Z "
    rf"(?P<month>{'|'.join(MONTHS)}) (?P<year>[0-9]{{2}})(?P<rest>(?: .*)?)\Z"
)
# The same with a month that is no month's name, or without a year: what it says is settled elsewhere.
GARBLED_DTG_LINE: Final = re.compile(
    r"\s*(?P<first>[ZOPRY])(?: (?P<second>[ZOPR]))? +(?P<day>[0-3][0-9])(?P<time>[0-9]{4}) ?Z"
    r"(?: +(?P<month>[A-Z]{2,9}))?(?: +(?P<year>(?:19|20)?[0-9]{2}))?\s*(?P<rest>)\Z"
)
# Any other that has month and year: right above FM only.
WRECKED_DTG_LINE: Final = re.compile(
    r"\s*(?P<first>[A-Z]{0,3}(?: [A-Z]{1,2})?) *(?P<digits>[A-Z]?[0-9][0-9A-Z]{3,6}[0-9][A-Z]{0,2}) *"
    r"(?P<month>[A-Z]{2,4}) *(?P<year>[0-9]{2})\s*\Z"
)
_DIGITS: Final = str.maketrans(
    {"O": "0", "o": "0", "I": "1", "l": "1", "L": "1", "i": "1", " ": None}
)


DTG_FIRST: Final = frozenset("ZOPRYzopry0123")
"""The characters that a date-time group can open with."""
_SECOND: Final = frozenset(" ZOPRzoprIil0123456789")


def opens_dtg(text: str) -> bool:
    """Whether a line can open with a date-time group, by its first characters."""
    text = text.lstrip()
    return text[:1] in DTG_FIRST and text[1:2] in _SECOND


@lru_cache(maxsize=64)
def match_dtg(text: str) -> re.Match[str] | None:
    """The match of a line that can open with a date-time group; several steps ask about the same line."""
    return _USUAL_LINE.match(text) or DTG_LINE.match(text)


def mend_digits(text: str) -> str:
    """Digits with the letters that were read for them put right: `O` for 0, `I` or `l` for 1."""
    return text if text.isdigit() else text.translate(_DIGITS)


OPERATING_SIGNAL: Final = re.compile(r"\b([ZQ][A-Z]{2}[0-9]?)\b")


def time_of(day: str, hhmm: str, month: str, year: str) -> str | None:
    """ISO time of a date-time group's parts as written, letters for digits and blanks included; `None`
    when there is no such time."""
    days, clock, digits = mend_digits(day), mend_digits(hhmm), mend_digits(year)
    number = _MONTH_NUMBERS.get(month.replace(" ", "")[:3].upper())
    if number is None:
        return None
    full = written_year(digits)
    _, length = monthrange(full, int(number))
    exists = 0 < int(days) <= length and clock[:2] < "24" and clock[2:] < "60"
    if not exists or not 1900 <= full <= 2099:
        return None
    return f"{full}-{number}-{days}T{clock[:2]}:{clock[2:]}:00Z"


def near_months(word: str) -> list[str]:
    """The months whose names a word misses by one letter: `JIN` is January or June, `NV` November."""
    name = word[:3].upper()
    if len(name) < len(MONTHS[0]):
        return [month for month in MONTHS if is_near(name, month)]
    return [m for m in MONTHS if sum(a != b for a, b in zip(m, name, strict=False)) <= 1]


def filing_time(julian: str, year: int) -> str | None:
    """ISO time of a Julian time of filing (`1550842`: day of the year, hours and minutes)."""
    day, hours, minutes = int(julian[:3]), int(julian[3:5]), int(julian[5:7])
    if not (1 <= day <= 366 and hours < 24 and minutes < 60):
        return None
    filed = date.fromordinal(date(year, 1, 1).toordinal() + day - 1)
    return f"{filed.isoformat()}T{julian[3:5]}:{julian[5:7]}:00Z"


def day_of_year(iso_time: str) -> int:
    """The day of the year of an ISO time, 1 for the 1st of January."""
    day = date.fromisoformat(iso_time[:10])
    return day.toordinal() - date(day.year, 1, 1).toordinal() + 1


def iso(moment: datetime) -> str:
    return f"{moment.isoformat()[:19]}Z"
