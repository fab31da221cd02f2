"""The E.O. line: R29 to R38."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from reftel.check.finding import MODERN, RANKS, STATE, Case, Found, rule
from reftel.tables.orders import ORDERS, order_in_force
from reftel.telegram import ExecutiveOrder

_SHORT_YEAR = re.compile(r"(?<![0-9/])[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}(?![0-9/])")
_DATE_LIKE = re.compile(r"(?<![0-9])(?:[0-9]{1,4}[/-][0-9]{1,2}[/-][0-9]{1,4})(?![0-9])")
_DOWNGRADE = re.compile(
    r"\bDNG:? *(?P<level>CO(?:NFIDENTIAL)?|SE(?:CRET)?|TS|UN?CLAS\w*|C|S|U)\b[ :,]*"
    r"(?P<date>[0-9]{1,2}/[0-9]{1,2}/[0-9]{4})?"
)
_LEVELS = {"C": "CONFIDENTIAL", "S": "SECRET", "T": "TOP SECRET", "U": "UNCLASSIFIED"}
_NO_EVENT = re.compile(
    r"NO LONGER|WHEN (?:NOT )?NEEDED|INDEFINITE|NEVER|TBD|UNKNOWN|PERMANENT|AS APPROPRIATE", re.I
)
_GRACE_DAYS = 31
_OADR_UNTIL, _X_UNTIL, _XGDS_UNTIL, _GDS_UNTIL = (
    "1995-10-14",
    "2003-09-22",
    "1978-12-31",
    "1982-08-31",
)


def _order(case: Case) -> ExecutiveOrder | None:
    return case.telegram.executive_order


def _line(case: Case) -> str:
    order = _order(case)
    return f"E.O. {order.order}: {order.text}" if order else "no E.O. line"


def _years(case: Case, on: str) -> float | None:
    """Years from the telegram to an ISO date."""
    if case.date is None:
        return None
    return (date.fromisoformat(on) - date.fromisoformat(case.date)).days / 365.2425


@rule("R29", "order-in-force", "error", "H74; FAH-1 H-212", STATE)
def order_of_its_time(case: Case) -> Iterator[Found]:
    """The E.O. line is present, with the order in force on the DTG.

    In the month in which an order changes both are met, and neither is wrong.
    """
    t, order = case.telegram, _order(case)
    if case.date is None or not case.message or case.further:
        return
    expected = order_in_force(case.date)
    if order is None:
        if case.whole and case.year and case.year >= 1973 and (case.draft or t.tags or t.subject):
            classified = case.classified and case.draft
            yield Found(
                "there is no E.O. line",
                "no E.O. line",
                f"E.O. {expected}: {'DECL: and a date' if case.classified else 'N/A'}",
                "add Declassify: 10 years" if classified else f"add E.O. {expected}",
                case.span("classification-line", "tags", "subject"),
            )
        return
    if order.order and order.order != expected and not _changing(case.date, order.order):
        yield Found(
            f"E.O. {order.order} was not in force on {case.date}",
            f"E.O. {order.order}",
            f"E.O. {expected}",
            f"write E.O. {expected}",
            case.place(order.order, "executive-order"),
        )


def _changing(on: str, order: str) -> bool:
    """Whether an order ended or began within a month of a date."""
    starts = [since for number, since, _ in ORDERS]
    at = next((n for n, (number, _, _) in enumerate(ORDERS) if number == order), None)
    if at is None:
        return False
    edges = [starts[at], *starts[at + 1 : at + 2]]
    today = date.fromisoformat(on)
    return any(abs((date.fromisoformat(edge) - today).days) <= _GRACE_DAYS for edge in edges)


@rule("R30", "open-without-date", "error", "H74; measured", STATE)
def open_without_date(case: Case) -> Iterator[Found]:
    """Unclassified and SBU messages have N/A and no declassification date."""
    order = _order(case)
    if order is None or case.rank >= RANKS["CONFIDENTIAL"] or case.telegram.classification is None:
        return
    if (order.declassify_on and not order.by_rule) or order.exemptions or order.event:
        yield Found(
            "a telegram that is not classified is declassified",
            _line(case),
            "N/A",
            "write N/A, or classify the telegram",
            case.span("executive-order"),
        )


@rule("R31", "classified-until", "error", "E.O. 12958 1.5; E.O. 13526 1.5", STATE)
def classified_until(case: Case) -> Iterator[Found]:
    """Classified messages have a date, an event or an exemption code, not N/A."""
    order = _order(case)
    if order is None or not case.classified:
        return
    schedule = re.search(r"GDS|XGDS|RDS|XDS|OADR|ADS", order.text)
    if not (order.declassify_on or order.exemptions or order.event or schedule) or (
        order.by_rule and (not order.exemptions and not schedule and "MR" not in order.text.split())
    ):
        yield Found(
            f"a {case.telegram.classification} telegram does not say until when",
            _line(case),
            "a date, an event or an exemption",
            "add a date: DECL: 05/14/2023",
            case.span("executive-order"),
        )


@rule("R32", "declassified-after", "error", "own; measured", STATE)
def declassified_after(case: Case) -> Iterator[Found]:
    """The declassification date is after the DTG."""
    order = _order(case)
    if order and order.declassify_on and case.date and order.declassify_on <= case.date:
        yield Found(
            f"declassified on {order.declassify_on}, sent on {case.date}",
            order.declassify_on,
            f"after {case.date}",
            "correct the date",
            case.span("executive-order"),
        )


@rule("R33", "ten-years", "warning", "E.O. 12958 1.6; E.O. 13526 1.5; E.O. 12065 1-4", STATE)
def ten_years(case: Case) -> Iterator[Found]:
    """The declassification date is at most 10 years after the DTG unless a reason up to 25 years is
    given (12958, 13526); 12065: 6 years GDS, 20 years RDS or XDS.

    Most telegrams that go beyond ten years were accepted, so this warns; what no order allows is R34.
    """
    order = _order(case)
    if order is None or not order.declassify_on or order.by_rule or order.exemptions:
        return
    span = _years(case, order.declassify_on)
    if span is None:
        return
    limit = 10 if order.order in ("12958", "13526") else 20 if order.order == "12065" else None
    highest = 25 if limit == 10 else 20
    if limit and limit + 0.01 < span <= highest + 0.01 and limit != highest:
        yield Found(
            f"closed for {span:.0f} years without a reason for more than {limit}",
            order.declassify_on,
            f"at most {limit} years",
            "give an earlier date, or the reason",
            case.span("executive-order"),
        )
    elif order.order == "12065" and span > 20.01:
        yield Found(
            f"closed for {span:.0f} years; E.O. 12065 allows 20",
            order.declassify_on,
            "at most 20 years",
            "give an earlier date",
            case.span("executive-order"),
            "error",
        )


@rule("R34", "order-limit", "error", "E.O. 12958 3.4; E.O. 13526 3.3; measured", MODERN)
def order_limit(case: Case) -> Iterator[Found]:
    """No declassification date is more than 25 years after the DTG, except 25X, 50X codes or events."""
    order = _order(case)
    if order is None or not order.declassify_on or order.by_rule:
        return
    span = _years(case, order.declassify_on)
    exempt = any(code.startswith(("25X", "50X")) for code in order.exemptions)
    if span is not None and span > 25.05 and not exempt:
        yield Found(
            f"closed for {span:.0f} years; the order allows 25",
            order.declassify_on,
            "at most 25 years",
            "give an earlier date, or the exemption: 25X1",
            case.span("executive-order"),
        )


@rule("R35", "code-of-its-time", "error", "E.O. 12958, 12356, 11652", STATE)
def code_of_its_time(case: Case) -> Iterator[Found]:
    """X1-X8 are not used after 22 Sep 2003; OADR not after Oct 1995; XGDS not after Nov 1978, GDS not
    after E.O. 12065 ended in 1982.

    The handbook's list says GDS ended in 1978, but E.O. 12065 kept the word, and telegrams use it.
    """
    order = _order(case)
    if order is None or case.date is None:
        return
    text = order.text.upper()
    for code, until, shown in (
        (r"\bX[1-8]\b", _X_UNTIL, "22 Sep 2003"),
        (r"\bOADR\b", _OADR_UNTIL, "Oct 1995"),
        (r"\bXGDS", _XGDS_UNTIL, "Nov 1978"),
        (r"\bA?GDS\b", _GDS_UNTIL, "Aug 1982"),
    ):
        match = re.search(code, text)
        if match and case.date > until:
            yield Found(
                f"{match[0]} was not used after {shown}",
                match[0],
                "a date, or an exemption of the order in force",
                "write a date: DECL: 05/14/2023",
                case.place(match[0], "executive-order"),
            )


@rule("R36", "date-form", "error", "CM; measured", MODERN)
def date_form(case: Case) -> Iterator[Found]:
    """A date is written MM/DD/YYYY (or YYYY/MM/DD) and is a real date; a draft never uses two-digit
    years.

    Sent telegrams do, and are read without doubt, so there it warns.
    """
    order = _order(case)
    if order is None:
        return
    dated = _DATE_LIKE.search(order.text)
    if dated and not order.declassify_on:
        yield Found(
            f"{dated[0]} is no date",
            dated[0],
            "MM/DD/YYYY",
            "write 05/14/2023",
            case.place(dated[0], "executive-order"),
        )
    elif short := _SHORT_YEAR.search(order.text):
        yield Found(
            "a year of two digits",
            short[0],
            "MM/DD/YYYY",
            "write the year in full",
            case.place(short[0], "executive-order"),
            None if case.draft else "warning",
        )


@rule("R37", "downgrade", "error", "CM", STATE)
def downgrade(case: Case) -> Iterator[Found]:
    """A downgrade (DNG) names a lower level than the banner, and a date before the declassification
    date."""
    order = _order(case)
    match = _DOWNGRADE.search(order.text.upper()) if order else None
    if order is None or match is None:
        return
    level = _LEVELS[match["level"][0]]
    if RANKS[level] >= case.rank and case.telegram.classification:
        yield Found(
            f"downgraded to {level}, which is not lower than {case.telegram.classification}",
            match[0],
            f"a level below {case.telegram.classification}",
            "name a lower level, or leave DNG out",
            case.place(match[0], "executive-order"),
        )
    if match["date"] and order.declassify_on and not order.by_rule:
        month, day, year = match["date"].split("/")
        if f"{year}-{int(month):02d}-{int(day):02d}" >= order.declassify_on:
            yield Found(
                "downgraded on or after the day of declassification",
                match["date"],
                f"before {order.declassify_on}",
                "name an earlier date",
                case.place(match["date"], "executive-order"),
            )


@rule("R38", "event", "warning", "E.O. 12958 1.6; E.O. 13526 1.5", MODERN)
def event(case: Case) -> Iterator[Found]:
    """An event as declassification instruction can be recognized as having happened."""
    order = _order(case)
    if order and order.event and _NO_EVENT.search(order.event):
        yield Found(
            "nobody can tell when this has happened",
            order.event,
            "an event that can be recognized",
            "name one: UPON PUBLICATION OF THE COMMUNIQUE, or a date",
            case.place(order.event, "executive-order"),
        )
