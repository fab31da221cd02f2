"""The message centre for a terminal: its state, its queues, a message's way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from reftel.terminal.style import Style, joined, visible

_SHORT = {"EMERGENCY": "Y", "FLASH": "Z", "IMMEDIATE": "O", "PRIORITY": "P", "ROUTINE": "R"}


def render_status(now: Mapping[str, Any], *, width: int = 80, color: bool = False) -> str:
    """Circuits with their queues and numbers, what lies with the operator, alerts."""
    style = Style(width, color)
    at = _clock(now["at"])
    lines = [
        style.paint(f"{now['station']} ({now['routing_indicator']})", "bold")
        + style.paint(f"  {at}  {now['messages']} messages", "dim"),
        "",
    ]
    rows = [("circuit", "to", "", "Z", "O", "P", "R", "oldest", "on way", "in", "out")]
    for circuit in now["circuits"]:
        waiting = {_SHORT[each["precedence"]]: each for each in circuit["waiting"]}
        oldest = max((each["oldest_s"] for each in circuit["waiting"]), default=None)
        counts = [str(waiting[x]["count"]) if x in waiting else "-" for x in "ZOPR"]
        rows.append(
            (
                circuit["name"],
                circuit["station"] or circuit["kind"],
                "up" if circuit["up"] else "DOWN",
                *counts,
                _span(oldest) if oldest is not None else "-",
                str(circuit["on_the_way"]),
                circuit["last_in"] or "-",
                circuit["last_out"] or "-",
            )
        )
    lines += _table(rows, style, right={3, 4, 5, 6, 7, 8})
    lines += [
        "",
        f"being delivered {now['here']}   operator {now['operator']}   held {now['held']}"
        f"   awaited {len(now['awaited'])}",
    ]
    if now["alerts"]:
        lines.append("")
    for alert in now["alerts"]:
        sign = style.paint("!!", "doubt-text") if alert["grave"] else style.paint(" !", "doubt")
        first, *rest = style.wrap(visible(alert["what"]), "   ")
        lines += [f"{sign} {first.strip()}", *rest]
    return joined(lines)


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
            row["precedence"] * 2,
            row["circuit"],
            _span(row["age_s"]),
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
    """A message's whole way: how it came, what happened, what is still to be done."""
    style = Style(width, color)
    came = way["circuit"].lstrip("#")
    head = f"message {way['message']}"
    if way["name"]:
        head += f"  {way['name']}"
    under = f" as {way['hop']}" if way["hop"] else ""
    lines = [
        style.paint(head, "bold"),
        style.paint(f"{_clock(way['at'])}  from {came}{under}", "dim"),
        "",
    ]
    for entry in way["entries"]:
        words = " ".join(
            str(each) for each in (entry["circuit"], entry["hop"], entry["who"]) if each
        )
        detail = ", ".join(
            f"{key} {_said(value)}" for key, value in entry["detail"].items() if value
        )
        first = f"{_clock(entry['at'])}  {entry['kind']:<20} "
        lines += style.wrap(visible(f"{words} {detail}".strip()), first, " " * 44)
    for duty in way["open"]:
        where = duty["circuit"].lstrip("#")
        note = f": {duty['note']}" if duty["note"] else ""
        lines.append(style.paint(f"still waits for {where}{visible(note)}", "doubt"))
    lines += ["", *(f"  {line}" for line in visible(way["text"]).rstrip().split("\n"))]
    return joined(lines)


def render_reading(
    rows: Sequence[Mapping[str, Any]], *, width: int = 80, color: bool = False
) -> str:
    """A reading queue."""
    if not rows:
        return "nothing to read\n"
    shown = [("message", "delivered", "serial", "why")]
    shown += [
        (str(row["message"]), _clock(row["at"]), row["name"] or "-", visible(row["why"]))
        for row in rows
    ]
    return joined(_table(shown, Style(width, color), right={0}))


def _table(rows: Sequence[Sequence[str]], style: Style, right: Iterable[int] = ()) -> list[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    to_right = set(right)
    lines = []
    for number, row in enumerate(rows):
        cells = [
            cell.rjust(width) if at in to_right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        line = "  ".join(cells).rstrip()
        if number == 0:
            line = style.paint(line, "dim")
        elif "DOWN" in row:
            line = line.replace("DOWN", style.paint("DOWN", "doubt-text"))
        lines.append(line)
    return lines


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {each}" for key, each in value.items())
    if isinstance(value, list):
        return " ".join(str(each) for each in value)
    return str(value)


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _span(seconds: float) -> str:
    for limit, unit, word in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {word}"
    return f"{seconds / 86400:.0f} d"
