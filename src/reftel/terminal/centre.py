"""The message centre for a terminal: its state, its queues, a message's way, what lies to be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reftel.centre.config import Config
from reftel.centre.told import clock, days, span
from reftel.terminal.style import Style, joined, visible

_SHORT = {"EMERGENCY": "Y", "FLASH": "Z", "IMMEDIATE": "O", "PRIORITY": "P", "ROUTINE": "R"}
_PAINT = {"Y": "SECRET", "Z": "SECRET", "O": "doubt-text", "P": "doubt", "R": ""}
_PLACES = {"operator": "a decision", "held": "held", "here": "this station"}
_FEED = re.compile(r"\n{3,}NNNN")


def render_config(config: Config, *, width: int = 80, color: bool = False) -> str:
    """What a configuration sets up."""
    style = Style(width, color)
    station, keep, ours = config.station, config.keep, ", ".join(sorted(config.ours))
    lines = [style.paint(station.name, "bold") + style.paint(f"  answers for {ours}", "dim"), ""]
    rows = [("circuit", "kind", "to", "by", "up to")]
    for each in config.circuit:
        way = (
            (each.connect and f"calls {each.connect}")
            or (each.listen and f"listens on {each.listen}")
            or each.mailbox
            or " and ".join(filter(None, (each.folder_in, each.folder_out)))
            or "the directory's mailboxes"
        )
        secure = ", TLS" if each.tls else ""
        cleared = style.paint(f" {each.cleared} ", each.cleared)
        rows.append((each.name, each.kind, each.station or "-", way + secure, cleared))
    lines += _table(rows, style)
    routes = [("to", "goes over")]
    routes += [(f"{each.to}...", ", else ".join(each.circuits)) for each in config.route]
    lines += ["", *_table(routes, style), ""]
    for word, value in (
        ("offices", ", ".join(dict.fromkeys(each.office for each in config.profile))),
        ("mail in", config.mail.listen),
        ("mail out", _mail_out(config)),
        ("pages", config.http.listen if config.http else None),
        ("operators", ", ".join(each.name for each in config.operator)),
        ("readers", ", ".join(each.name for each in config.reader)),
        (
            "kept",
            f"texts {days(keep.messages_days)}, of service messages {days(keep.service_days)};"
            f" entries {days(keep.entries_days)}, deeds {days(keep.deeds_days)}",
        ),
        ("journal", str(config.data / "journal.db")),
        ("archive", str(config.archive)),
    ):
        lines.append(f"{style.paint(word.ljust(10), 'dim')} {value or '-'}")
    return joined(lines)


def _mail_out(config: Config) -> str | None:
    mail = config.mail
    secure = ", STARTTLS" if mail.starttls else ""
    return (
        f"{mail.server}{secure}{f', as {mail.user}' if mail.user else ''}" if mail.server else None
    )


def render_status(now: Mapping[str, Any], *, width: int = 80, color: bool = False) -> str:
    """Alerts, circuits with their queues and numbers, what lies with the operator."""
    style = Style(width, color)
    lines = [
        style.paint(now["station"], "bold")
        + style.paint(
            f"  {now['routing_indicator']}  {clock(now['at'])}  {now['messages']:,} messages",
            "dim",
        ),
        "",
    ]
    for alert in now["alerts"]:
        sign, paint = ("!!", "doubt-text") if alert["grave"] else (" !", "doubt")
        number = f" (message {alert['message']})" if alert["message"] else ""
        first, *rest = style.wrap(visible(alert["what"]) + number, "   ")
        lines += [style.paint(f"{sign} {first.strip()}", paint)]
        lines += [style.paint(each, paint) for each in rest]
    if not now["alerts"]:
        lines.append(style.paint("nothing needs a person", "text"))
    lines.append("")
    rows = [("circuit", "to", "", "Z", "O", "P", "R", "oldest", "on way", "last in", "last out")]
    for circuit in now["circuits"]:
        waiting = {_SHORT[each["precedence"]]: each["count"] for each in circuit["waiting"]}
        oldest = max((each["oldest_s"] for each in circuit["waiting"]), default=None)
        rows.append(
            (
                circuit["name"],
                circuit["station"] or circuit["kind"],
                style.paint("up", "text") if circuit["up"] else style.paint("DOWN", "doubt-text"),
                *(style.paint(str(waiting.get(x, "-")), _paint(x, waiting)) for x in "ZOPR"),
                span(oldest) if oldest is not None else "-",
                str(circuit["on_the_way"] or "-"),
                circuit["last_in"] or "-",
                circuit["last_out"] or "-",
            )
        )
    lines += _table(rows, style, right={3, 4, 5, 6, 7, 8})
    places = (("being delivered", "here"), ("for a decision", "operator"), ("held", "held"))
    lines += [
        "",
        "   ".join(f"{word} {now[key]}" for word, key in places)
        + f"   awaited {len(now['awaited'])}",
    ]
    if pruned := now["pruned"]:
        said = (
            f"{pruned['texts']:,} texts and {pruned['entries']:,} entries removed from the journal"
        )
        lines.append(style.paint(f"{said} at the last look, {clock(pruned['at'])}", "dim"))
    return joined(lines)


def _paint(letter: str, waiting: Mapping[str, int]) -> str:
    return _PAINT[letter] if letter in waiting else "dim"


def render_queue(rows: Sequence[Mapping[str, Any]], *, width: int = 80, color: bool = False) -> str:
    """What waits, a line each, and below it why."""
    style = Style(width, color)
    if not rows:
        return "nothing waits\n"
    shown = [("duty", "message", "", "for", "age", "stations", "serial")]
    shown += [
        (
            str(row["duty"]),
            str(row["message"]),
            style.paint(row["precedence"] * 2, _PAINT.get(row["precedence"], "")),
            _PLACES.get(row["circuit"], row["circuit"]),
            span(row["age_s"]),
            " ".join(row["stations"]) or "-",
            row["name"] or "-",
        )
        for row in rows
    ]
    table = _table(shown, style, right={0, 1, 4})
    lines = [table[0]]
    for line, row in zip(table[1:], rows, strict=True):
        lines.append(line)
        why = f"on its way as {row['hop']}" if row["hop"] else visible(row["why"])
        lines += [style.paint(each, "dim") for each in style.wrap(why, "        ")]
    return joined(lines)


def render_way(way: Mapping[str, Any], *, width: int = 80, color: bool = False) -> str:
    """A message's whole way: how it came, what happened, what is still to be done, and its text, the feed
    before its end left out."""
    style = Style(width, color)
    under = f" as {way['hop']}" if way["hop"] else ""
    lines = [
        style.paint(way["name"] or f"message {way['message']}", "bold"),
        style.paint(
            f"message {way['message']}, {clock(way['at'])} from {way['from']}{under}", "dim"
        ),
        "",
    ]
    day = ""
    for entry in way["entries"]:
        at = clock(entry["at"])
        if at[:10] != day:
            day = at[:10]
            lines.append(style.paint(day, "dim"))
        first = f"  {at[11:]}  "
        said = style.wrap(visible(entry["said"]), first)
        lines += [style.paint(first, "dim") + said[0][len(first) :], *said[1:]]
        for more in entry["more"]:
            lines += [style.paint(each, "dim") for each in style.wrap(visible(more), " " * 15)]
    for duty in way["open"]:
        where = duty["circuit"].lstrip("#")
        note = f": {duty['note']}" if duty["note"] else ""
        what = f"still waits for {_PLACES.get(where, where)} (duty {duty['id']}){note}"
        lines += [style.paint(each, "doubt") for each in style.wrap(visible(what), "  ")]
    if way["removed"]:
        return joined([*lines, "", *style.wrap(way["removed"], "  ")])
    text = _FEED.sub("\n\nNNNN", visible(way["text"]).rstrip())
    lines += ["", *(style.paint(f"  {line}", "wire") for line in text.split("\n"))]
    return joined(lines)


def render_offices(
    rows: Sequence[Mapping[str, Any]], *, width: int = 80, color: bool = False
) -> str:
    """The reading queues, and how much of them nobody has read."""
    style = Style(width, color)
    shown = [("office", "unread", "oldest")]
    for row in rows:
        unread, oldest = row["unread"], span(row["oldest_s"]) if row["unread"] else "-"
        count = style.paint(str(unread), "bold") if unread else "-"
        shown.append((row["office"], count, oldest))
    return joined(_table(shown, style, right={1, 2}))


def render_reading(
    rows: Sequence[Mapping[str, Any]], *, width: int = 80, color: bool = False
) -> str:
    """A reading queue: what nobody has read first."""
    style = Style(width, color)
    lines: list[str] = []
    for row in rows:
        lines += _telegram(row, style)
        if row.get("remark"):
            lines.append(style.paint(f"        {row['remark']}", "doubt-text"))
        if row.get("reader"):
            lines.append(style.paint(f"        read by {visible(row['reader'])}", "dim"))
    return joined(lines) if lines else "nothing to read\n"


def render_trial(
    trial: Mapping[str, Any], office: str, days: float, *, width: int = 80, color: bool = False
) -> str:
    """What a profile would have found."""
    style = Style(width, color)
    found = len(trial["found"])
    lines = [f"{office} would have found {found} of {trial['looked_at']} in {days:g} days", ""]
    for row in trial["found"]:
        lines += _telegram(row, style)
    return joined(lines)


def _telegram(row: Mapping[str, Any], style: Style) -> list[str]:
    """A telegram in a list: when, from whom, about what, and why it is here."""
    level = row["classification"]
    marks = style.paint(f" {level} ", level) if level else "classification not read"
    word = (row["precedence"] or "").removeprefix("NIACT ")
    urgent = style.paint(word, _PAINT.get(_SHORT.get(word, ""), "")) if word else ""
    number = str(row["message"]).rjust(6)
    head = f"{number}  {clock(row['at'])}  {visible(row['origin'] or '')}  {marks}  {urgent}"
    subject = visible(row["subject"] or "without a subject")
    return [
        head.rstrip(),
        *(style.paint(each, "bold") for each in style.wrap(subject, " " * 8)),
        *(style.paint(each, "dim") for each in style.wrap(visible(row["why"]), " " * 8)),
    ]


_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def _table(rows: Sequence[Sequence[str]], style: Style, right: Iterable[int] = ()) -> list[str]:
    """Columns as wide as their widest cell; a cell may be painted."""
    to_right = set(right)
    wide = [[len(_ESCAPES.sub("", cell)) for cell in row] for row in rows]
    widths = [max(row[at] for row in wide) for at in range(len(rows[0]))]
    lines = []
    for number, row in enumerate(rows):
        cells = []
        for at, cell in enumerate(row):
            blanks = " " * (widths[at] - wide[number][at])
            cells.append(blanks + cell if at in to_right else cell + blanks)
        line = "  ".join(cells).rstrip()
        lines.append(style.paint(line, "dim") if number == 0 else line)
    return lines
