"""A telegram with the kind of each line beside it, in colour."""

from __future__ import annotations

from collections.abc import Iterator

from reftel.read.anatomy import Run, anatomy
from reftel.telegram import Telegram
from reftel.terminal.style import Style, joined, visible

_KIND_COLUMNS = 21


def render_anatomy(telegram: Telegram, *, width: int = 100, color: bool = False) -> str:
    """Every line with its number and the kind of element it is; each kind is explained where it first
    stands, and what the line says is spelled out below it."""
    style = Style(width, color)
    lines: list[str] = []
    met: set[str] = set()
    for run in anatomy(telegram):
        lines += _run_lines(run, style, explain=run.kind not in met)
        met.add(run.kind)
    return joined([*lines, "", *_close(telegram, style)])


def _run_lines(run: Run, style: Style, *, explain: bool) -> Iterator[str]:
    if run.kind == "blank":
        yield style.paint(f"{run.lines[0][0]:>5}", "dim")
        return
    for at, (number, text) in enumerate(run.lines):
        name = (
            run.kind if at == 0 else "│".rjust(len(run.kind) // 2 + 1) if len(run.lines) > 1 else ""
        )
        kind = style.paint(name.ljust(_KIND_COLUMNS), run.group)
        room = max(30, style.width - _KIND_COLUMNS - 7)
        shown = visible(text).expandtabs()
        for piece, part in enumerate(_cut(shown, room)):
            gutter = style.paint(f"{number:>5}" if piece == 0 else " " * 5, "dim")
            margin = kind if piece == 0 else " " * _KIND_COLUMNS
            yield f"{gutter}  {margin}{style.paint(part, f'{run.group}-text')}"
    indent = " " * (7 + _KIND_COLUMNS)
    notes = [run.meaning] if explain else []
    if run.note:
        notes.append(visible(run.note))
    for note in notes:
        for line in style.wrap(f"↳ {note}", indent, f"{indent}  "):
            yield style.paint(line, "dim")
    for repair in run.repairs:
        now = repair.now or "nothing"
        text = f"{indent}✎ {visible(repair.was)!r} is read as {now!r}: {repair.why}"
        yield style.paint(text, "repair")
    for doubt in run.doubts:
        yield style.paint(f"{indent}? {visible(doubt.message)} ({doubt.code})", "doubt")


def _cut(text: str, room: int) -> list[str]:
    return [text[at : at + room] for at in range(0, len(text), room)] or [""]


def _close(telegram: Telegram, style: Style) -> Iterator[str]:
    coverage = telegram.coverage
    share = 100 * coverage.unknown / max(1, coverage.characters)
    elements, repairs = len(telegram.elements), len(telegram.repairs)
    yield style.paint(
        f"{coverage.characters:,} characters in {elements} elements, {share:.2f} % not understood; "
        f"{repairs} repair{'s' * (repairs != 1)}, "
        f"{len(telegram.diagnostics)} doubt{'s' * (len(telegram.diagnostics) != 1)}",
        "bold",
    )
    for doubt in telegram.diagnostics:
        if doubt.span is None:
            yield style.paint(f"? {visible(doubt.message)} ({doubt.code})", "doubt")
