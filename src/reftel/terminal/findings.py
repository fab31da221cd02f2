"""Findings for a terminal: the place, the line with a mark under it, what is expected, what to do."""

from __future__ import annotations

from reftel.check import Finding
from reftel.terminal.style import Style, joined, visible


def render_findings(
    path: str, source: str, findings: tuple[Finding, ...], *, width: int, color: bool
) -> str:
    """The findings about one text, in order; an empty string when there are none."""
    style = Style(width, color)
    lines = [line.rstrip("\r") for line in source.split("\n")]
    shown: list[str] = []
    for finding in findings:
        place = path + (f":{finding.line}:{finding.column}" if finding.line else "")
        level = style.paint(
            finding.severity, "doubt-text" if finding.severity == "error" else "mark"
        )
        rule = style.paint(f"{finding.rule} {finding.name}", "bold")
        shown.append(f"{style.paint(place, 'dim')}: {level} {rule}: {visible(finding.message)}")
        if finding.line and finding.column and finding.span:
            shown += _excerpt(lines[finding.line - 1], finding, style)
        shown += style.wrap(f"expected {visible(finding.expected)}", "    ")
        shown += style.wrap(visible(f"to do: {finding.remedy}"), "    ")
        shown += [style.paint(f"    {finding.source}", "dim"), ""]
    return joined(shown) if shown else ""


def _excerpt(line: str, finding: Finding, style: Style) -> list[str]:
    """The line with the place underlined, cut to the width around the place."""
    assert finding.span is not None
    assert finding.line is not None
    assert finding.column is not None
    room = style.text_width - 8
    start = finding.column - 1
    length = max(1, min(finding.span.end - finding.span.start, len(line.rstrip()) - start))
    first = 0 if start + min(length, 30) <= room else max(0, start - room // 3)
    shown = visible(line.expandtabs(1)[first : first + room])
    under = " " * (start - first) + "^" * max(1, min(length, room - (start - first)))
    number = f"{finding.line:>5} "
    bar = style.paint("| ", "dim")
    return [
        f"{style.paint(number, 'dim')}{bar}{shown}",
        f"      {bar}{style.paint(under, 'doubt-text' if finding.severity == 'error' else 'mark')}",
    ]
