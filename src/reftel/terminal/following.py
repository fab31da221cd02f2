"""Threads and missing telegrams for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from reftel import tables
from reftel.archive.beside import Beside, Part
from reftel.archive.follow import missing_rows
from reftel.archive.gaps import Completeness
from reftel.archive.ghosts import Ghost, Missing, iso
from reftel.archive.threads import Link, MostCited, Node, Path, Thread
from reftel.terminal.style import Style, joined, visible

_BAR = 24
# So many posts to which nothing of a gap went are named.
_NAMED = 3


def render_thread(found: Thread, *, width: int = 80, color: bool = False) -> str:
    """The telegrams of a thread in order of time, each with what it answers; ghosts in their places."""
    style = Style(width, color)
    lines: list[str] = []
    for node in found.nodes:
        start = node.key == found.start
        lines += _telegram(node, "◆" if start else "●" if node.digest else "○", style)
        lines += _links((each for each in found.links if each.source == node.key), style)
        lines.append("│" if node is not found.nodes[-1] else "")
    held = sum(node.digest is not None for node in found.nodes)
    ghosts = len(found.nodes) - held
    lines.append(style.paint(f"{held} held, {ghosts} not held (○)", "dim"))
    lines += [style.paint(f"It is cut: {each}.", "dim") for each in found.cut]
    return joined(lines)


def render_path(found: Path, *, width: int = 80, color: bool = False) -> str:
    style = Style(width, color)
    if not found.nodes:
        more = "" if found.whole else "; there may be one beyond what was looked at"
        return f"No references lead from one to the other ({found.visited} looked at{more})\n"
    lines: list[str] = []
    for at, node in enumerate(found.nodes):
        lines += _telegram(node, "●" if node.digest else "○", style)
        if at < len(found.links):
            link = found.links[at]
            words = f"{link.source} {link.does} {link.target}: {link.why}"
            lines += [*style.wrap(words, "│   "), "│"]
    steps = len(found.links)
    return joined([*lines, "", style.paint(f"{steps} step{'s' if steps != 1 else ''}", "dim")])


def _telegram(node: Node, mark: str, style: Style) -> Iterator[str]:
    number = style.paint(node.mrn or node.key[:12], "bold")
    if node.digest is None and not node.withdrawn:
        when = f"between {day(node.after)} and {day(node.before)}"
        yield f"{mark} {style.paint(when, 'dim')}  {number}  not held"
        return
    sender = tables.addressee_name(node.originator) if node.originator else "?"
    to = tables.addressee_name(node.to[0]) if node.to else ""
    more = f" and {len(node.to) - 1} more" if len(node.to) > 1 else ""
    several = f"  ({node.documents} telegrams have this number)" if node.documents > 1 else ""
    parties = visible(f"{sender} to {to}{more}" if to else sender)
    if node.withdrawn:
        level = f"withdrawn ({node.classification or 'UNCLASSIFIED'})"
        yield f"{mark} {day(node.sent)}  {number}  {parties}  {level}"
        return
    yield f"{mark} {day(node.sent)}  {number}  {parties}{several}"
    yield from style.wrap(visible(node.damaged or node.subject or "(no subject)"), "│   ")


def _links(links: Iterable[Link], style: Style) -> Iterator[str]:
    for link in links:
        sure = "" if link.sure == "certain" else f"{link.sure}: "
        target = link.target if len(link.target) < 64 else link.target[:12]
        words = f"{link.does} {target} ({sure}{link.why})"
        for line in style.wrap(words, "│   ↳ ", "│     "):
            yield style.paint(line, "dim") if link.sure == "possible" else line


def day(time: str | None) -> str:
    """A date for people: `4 Jun 1979`."""
    return datetime.fromisoformat(time).strftime("%-d %b %Y") if time else "no date"


def render_most_cited(found: tuple[MostCited, ...], *, width: int = 80, color: bool = False) -> str:
    style = Style(width, color)
    lines: list[str] = []
    for each in found:
        where = f"{day(each.sent)}  {visible(each.originator or '')}" if each.sent else "not held"
        lines.append(f"{each.citing:>6}  {style.paint(each.mrn, 'bold')}  {where}")
        if each.subject:
            lines += style.wrap(visible(each.subject), "        ")
    return joined(lines)


def bar(share: float) -> str:
    full = round(share * _BAR)
    return "█" * full + "░" * (_BAR - full)


def render_completeness(rows: tuple[Completeness, ...], *, color: bool = False) -> str:
    """A line for each post and year: how many are held of how many, and a bar."""
    style = Style(80, color)
    size = max((len(each.post) for each in rows), default=4)
    lines = [style.paint(f"{'post':<{size}}  year     held  highest  missing", "dim")]
    lines += [
        f"{each.post:<{size}}  {each.year}  {each.held:>7,}  {each.highest:>7,}  {each.missing:>7,}"
        f"  {bar(each.share)} {each.share:>5.1%}"
        for each in rows
    ]
    return joined(lines)


def render_missing(found: Missing, *, color: bool = False) -> str:
    """What is missing of a post and year: completeness, gaps in order, gaps in continuity numbers."""
    style = Style(80, color)
    lines = [render_completeness((found.completeness,), color=color).rstrip(), ""]
    for row in missing_rows(found):
        lines += _gap(row, style)
    if found.lost:
        lines += ["", style.paint("Held without a text", "bold")]
    lines += [f"  {number}: {visible(why)}" for number, why in found.lost]
    if found.continuity:
        lines += ["", style.paint("Continuity numbers that no telegram held here has", "bold")]
    for each in found.continuity:
        numbers = f"{each.first:04d}" if each.count == 1 else f"{each.first:04d} to {each.last:04d}"
        lines.append(
            f"  to {tables.post_title(each.addressee) if each.addressee.isalpha() else each.addressee}:"
            f" {numbers}, {_sent(iso(each.after), iso(each.before))}"
        )
    return joined(lines)


def _gap(row: dict[str, Any], style: Style) -> Iterator[str]:
    name = row["first"] if row["count"] == 1 else f"{row['first']} to {row['last']}"
    count = "" if row["count"] == 1 else f" ({row['count']:,})"
    sent = _sent(row["after"], row["before"]) if row["after"] else "above the highest number held"
    yield f"{style.paint(name, 'bold')}{count}  {sent}"
    for number, citing in row["cited"].items():
        times = "once" if citing == 1 else f"{citing} times"
        yield f"    {number + ' ' if row['count'] > 1 else ''}cited {times}"
    if row["withdrawn"]:
        yield f"    withdrawn: {', '.join(row['withdrawn'])}"
    went: dict[str, list[str]] = {}
    for told in row["addressees"]:
        some = "it" if told["of"] == 1 else f"{told['count']} of {told['of']}"
        which = some if told["count"] else "none"
        went.setdefault(which, []).append(tables.post_title(told["addressee"]))
    for which, titles in sorted(went.items(), key=lambda each: each[0] == "none"):
        # To most posts nothing of what is missing went: they are many, and said one by one for a single
        # telegram.
        many = which == "none" and len(titles) > _NAMED
        to = f"{len(titles)} posts" if many else ", ".join(titles)
        yield from style.wrap(f"{which} went to {to}, by the continuity numbers", "    ")


def _sent(after: str, before: str) -> str:
    return f"sent between {day(after)} and {day(before)}"


def render_ghost(found: Ghost, *, width: int = 80, color: bool = False) -> str:
    """All that is known of a telegram that is not held."""
    style = Style(width, color)
    lines = [f"{style.paint(found.mrn, 'bold')}  ({found.long})  not held", ""]

    def show(name: str, *texts: str) -> None:
        for at, text in enumerate(texts):
            head = f"{style.paint(f'{name:<14}', 'dim')}" if not at else " " * 14
            first, *rest = style.wrap(visible(text), " " * 14)
            lines.extend([head + first[14:], *rest])

    show("Sent between", f"{day(found.after)}  ({found.after_by or 'the year begins'})")
    cites = ", which cites it" if any(c.mrn == found.before_by for c in found.cited_by) else ""
    show("and", f"{day(found.before)}  ({found.before_by or 'the year ends'}{cites})")
    show("Probably", *(f"{each.why} ({each.sure})" for each in found.reasons))
    show(
        "Meant, maybe",
        *(f"{m.mrn} {m.subject or ''}: {m.why} ({m.sure})" for m in found.meant),
    )
    show(
        "TAGS", *([f"{', '.join(found.tags)} (those that cite it have them)"] if found.tags else [])
    )
    show("Addressees", *found.addressees)
    show("Ask for it", found.request)
    if found.cited_by:
        lines += ["", style.paint(f"Cited by {found.citing}", "bold")]
    for each in found.cited_by:
        said = f"{each.enumerator}. {each.text}" if each.enumerator else each.text
        lines.append(f"  {day(each.sent)}  {each.mrn or each.digest[:12]}  as “{visible(said)}”")
        if each.subject:
            lines += style.wrap(visible(each.subject), "      ")
    if found.citing > len(found.cited_by):
        lines.append(f"  and {found.citing - len(found.cited_by)} more")
    return joined(lines)


def render_beside(
    found: Beside, names: tuple[str, str], *, width: int = 80, color: bool = False
) -> str:
    """Two documents: each passage that differs, of both, what differs within it marked; and what one shows
    that the other withheld."""
    style = Style(width, color)
    lines = [style.paint(f"- {names[0]}", "doubt-text"), style.paint(f"+ {names[1]}", "text"), ""]
    for name, one, other in found.heading:
        lines += [style.paint(name, "bold"), *style.wrap(visible(one), "- ")]
        lines += style.wrap(visible(other), "+ ")
    same = 0
    for row in found.passages:
        if row.same:
            same += 1
            continue
        lines += [*_passed_over(same, style), ""]
        same = 0
        lines += style.wrap(_marked(row.left, "-"), "- ")
        lines += style.wrap(_marked(row.right, "+"), "+ ")
    lines += _passed_over(same, style)
    for each in found.withheld:
        name = names[0] if each.shown_by == "left" else names[1]
        under = f", withheld under {', '.join(each.exemptions)}" if each.exemptions else ""
        lines += ["", style.paint(f"{name} shows what the other withheld{under}:", "bold")]
        lines += style.wrap(visible(each.text), "  ")
    return joined(lines)


def _passed_over(count: int, style: Style) -> list[str]:
    passages = "passage is" if count == 1 else "passages are"
    return [style.paint(f"  {count} {passages} the same", "dim")] if count else []


def _marked(parts: tuple[Part, ...], sign: str) -> str:
    """The words of a passage; those that the other has not, or not so, between `[-` and `-]`."""
    said = "".join(
        part.text if part.kind == "same" else f"[{sign}{part.text}{sign}]" for part in parts
    )
    return visible(" ".join(said.split()))
