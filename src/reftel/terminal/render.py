"""One telegram for a terminal: banner, heading, markings, text, and what was doubtful."""

from __future__ import annotations

from collections.abc import Iterator

from reftel import tables
from reftel.telegram import Addressee, Block, Telegram
from reftel.terminal.style import Style, joined, visible

_LABEL_COLUMNS = 12


def render(telegram: Telegram, *, width: int = 80, color: bool = False) -> str:
    """The telegram as text, ending with a line end."""
    style = Style(width, color)
    return joined(
        [
            *_banner(telegram, style),
            "",
            *_heading(telegram, style),
            "",
            *_body(telegram, style),
            *_signature(telegram),
            "",
            *_banner(telegram, style),
            *_doubts(telegram, style),
        ]
    )


def _banner(t: Telegram, style: Style) -> list[str]:
    words = " · ".join([t.classification or "CLASSIFICATION NOT READ", *t.captions])
    return [style.banner(words, t.classification)]


def _heading(t: Telegram, style: Style) -> Iterator[str]:
    if t.subject:
        yield from (style.paint(line, "bold") for line in style.wrap(visible(t.subject)))
        yield ""
    yield from _row("Number", t.mrn.short if t.mrn else None, style)
    yield from _row("Sent", _sent(t), style)
    yield from _row("Precedence", _precedence(t), style)
    yield from _row(
        "From", tables.addressee_name(t.originator.name) if t.originator else None, style
    )
    yield from _row("To", _addressees(t.action), style)
    yield from _row("Info", _addressees(t.info), style)
    yield from _row("Exempt", _addressees(t.exempt), style)
    yield from _row("Section", _section(t), style)
    yield from _row("Passing", "; ".join(t.passing), style)
    if order := t.executive_order:
        number = f"{order.order}: " if order.order else ""
        yield from _row("E.O.", f"{number}{order.text}", style)
    yield from _row("TAGS", ", ".join(_tag(t, tag.code) for tag in t.tags), style)
    yield from _references(t, style)
    if by := t.classified_by:
        reasons = f"; reasons {', '.join(by.reasons)}" if by.reasons else ""
        who = ", ".join(part for part in (by.name, by.title) if part)
        yield from _row("Classified", f"{who}{reasons}", style)


def _row(label: str, value: str | None, style: Style) -> list[str]:
    if not value:
        return []
    lines = style.wrap(visible(value), " " * _LABEL_COLUMNS)
    lines[0] = style.paint(label.ljust(_LABEL_COLUMNS), "dim") + lines[0][_LABEL_COLUMNS:]
    return lines


def _sent(t: Telegram) -> str | None:
    return t.sent.strftime("%-d %B %Y, %H:%M UTC") if t.sent else None


def _precedence(t: Telegram) -> str | None:
    if t.precedence and t.info_precedence:
        return f"{t.precedence}, for information {t.info_precedence}"
    return t.precedence


def _addressees(addressees: tuple[Addressee, ...]) -> str:
    return "; ".join(
        tables.addressee_name(a.name) + (f" ({a.precedence})" if a.precedence else "")
        for a in addressees
    )


def _section(t: Telegram) -> str | None:
    if t.section is None or t.section.of is None:
        return None
    held = ", ".join(str(number) for number in t.sections_present)
    return f"{t.section.number} of {t.section.of}; here: {held}"


def _tag(t: Telegram, code: str) -> str:
    entry = tables.tag(code, int(t.dtg[:4]) if t.dtg else None)
    return f"{code} ({entry.name})" if entry and entry.name else code


def _references(t: Telegram, style: Style) -> Iterator[str]:
    for index, reference in enumerate(t.references):
        letter = f"{reference.enumerator}. " if reference.enumerator else ""
        number = f" → {reference.mrn}" if reference.mrn else ""
        label = "References" if index == 0 else ""
        yield from _row(label, f"{letter}{reference.text}{number}", style)


def _body(t: Telegram, style: Style) -> Iterator[str]:
    for block in t.body:
        if block.kind == "heading":
            yield from (
                style.paint(line, "bold", "underline") for line in style.wrap(visible(block.text))
            )
        else:
            yield from _paragraph(block, style)
        yield ""


def _paragraph(block: Block, style: Style) -> Iterator[str]:
    number = f"{block.number}. " if block.number is not None else ""
    marking = f"({block.marking}) " if block.marking else ""
    first = number + marking
    indent = " " * len(number)
    for part in visible(block.text).split("\n"):
        if "   " in part.strip():
            yield (first or indent) + part
        elif part.strip():
            yield from style.wrap(part, first or indent, indent)
        else:
            yield ""
        first = ""


def _signature(t: Telegram) -> list[str]:
    return [visible(t.signature)] if t.signature else []


def _doubts(t: Telegram, style: Style) -> Iterator[str]:
    if not (t.repairs or t.diagnostics):
        return
    yield ""
    for repair in t.repairs:
        change = f"mended: {repair.was!r} is read as {repair.now!r} ({repair.why})"
        yield from (style.paint(line, "dim") for line in style.wrap(visible(change), "  ", "    "))
    for doubt in t.diagnostics:
        yield from (
            style.paint(line, "dim")
            for line in style.wrap(
                visible(f"{doubt.severity}: {doubt.message} [{doubt.code}]"), "  ", "    "
            )
        )
