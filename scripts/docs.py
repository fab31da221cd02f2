"""Makes the pages that are made from the source: glossary, record, elements, commands.

`python scripts/docs.py` writes them; `--check` only says which are stale, and exits 1 if any is.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import msgspec

from reftel import tables, telegram
from reftel.check import RULES
from reftel.cli import cli
from reftel.read.diagnostics import CODES
from reftel.read.elements import KINDS
from reftel.read.repairs import KINDS as REPAIRS

DOCS = Path(__file__).parent.parent / "docs"

_RECORDS: tuple[type[msgspec.Struct], ...] = (
    telegram.Telegram,
    telegram.Mrn,
    telegram.Transmission,
    telegram.Wire,
    telegram.Procedure,
    telegram.Station,
    telegram.Addressee,
    telegram.Readdressal,
    telegram.Section,
    telegram.Attention,
    telegram.ExecutiveOrder,
    telegram.Tag,
    telegram.Reference,
    telegram.Citation,
    telegram.ClassifiedBy,
    telegram.Block,
    telegram.Distribution,
    telegram.Release,
    telegram.Repair,
    telegram.Diagnostic,
    telegram.Coverage,
    telegram.Span,
)
_NOT_IN_JSON = ("source", "elements")


def glossary() -> str:
    lines = ["# Glossary", "", "Made from the code tables by `make docs`.", ""]
    for entry in sorted(tables.entries("terms"), key=lambda entry: entry.code.lower()):
        lines += [f"**{entry.code}**: {entry.name}", ""]
    for kind, title in (("captions", "Captions"), ("precedences", "Precedences")):
        lines += [f"## {title}", "", "| code | meaning |", "| --- | --- |"]
        seen = set()
        for entry in tables.entries(kind):
            if entry.code not in seen:
                seen.add(entry.code)
                lines.append(f"| {entry.code} | {_cell(entry.name)} |")
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def record() -> str:
    lines = [
        "# The record",
        "",
        "Made from `telegram.py` by `make docs`. `reftel read --format json` gives these fields;"
        " `reftel.read` gives the same as a `Telegram`, which also has `source` (the exact text) and"
        " `elements` (its partition, see [elements](elements.md)). In JSON, `reftel` is the version"
        " of the record and `source` the path of the file; a span is `[start, end]` in characters.",
        "",
    ]
    for kind in _RECORDS:
        lines += [
            f"## {kind.__name__}",
            "",
            _first_paragraphs(kind.__doc__),
            "",
            "| field | type |",
            "| --- | --- |",
        ]
        for name, annotation in kind.__annotations__.items():
            if kind is telegram.Telegram and name in _NOT_IN_JSON:
                continue
            lines.append(f"| `{name}` | `{_cell(str(annotation))}` |")
        lines.append("")
    return "\n".join(lines)


def _first_paragraphs(text: str | None) -> str:
    return " ".join((text or "").split())


def elements() -> str:
    lines = [
        "# Elements",
        "",
        "Made from the reader by `make docs`. Every character of a telegram stands in exactly one"
        " element.",
        "",
        "| kind | what it is |",
        "| --- | --- |",
        *(f"| `{kind}` | {_cell(meaning)} |" for kind, meaning in KINDS.items()),
        "",
    ]
    return "\n".join(lines)


def diagnostics() -> str:
    lines = [
        "# Diagnostics and repairs",
        "",
        "Made from the reader by `make docs`. A diagnostic is a doubt with its place; a repair replaces"
        " damaged text in the clean reading and never in the source. Both are in the record"
        " ([record](record.md)) and on a telegram's page.",
        "",
        "## Diagnostics",
        "",
        "| code | what it says |",
        "| --- | --- |",
        *(f"| `{code}` | {_cell(meaning)} |" for code, meaning in CODES.items()),
        "",
        "## Repairs",
        "",
        "`why` of a repair is one of these. `benchmarks/repairs.py` damages clean telegrams by a model of"
        " each kind and prints how many repairs were right and how much damage was mended.",
        "",
        "| why | what happened |",
        "| --- | --- |",
        *(f"| {why} | {_cell(meaning)} |" for why, meaning in REPAIRS.items()),
        "",
    ]
    return "\n".join(lines)


def commands() -> str:
    lines = ["# Commands", "", "Made from the command line's help by `make docs`.", ""]
    context = click.Context(cli, info_name="reftel")
    for name, command in sorted(cli.commands.items()):
        lines += _command(name, command, context, "##")
    return "\n".join(lines)


def _command(name: str, command: click.Command, parent: click.Context, level: str) -> list[str]:
    """The help of a command, and below it that of its own commands."""
    inner = click.Context(
        command, info_name=name, parent=parent, terminal_width=90, max_content_width=90
    )
    lines = [f"{level} {inner.command_path}", "", "```", command.get_help(inner), "```", ""]
    if isinstance(command, click.Group):
        for each, below in sorted(command.commands.items()):
            lines += _command(each, below, inner, level + "#")
    return lines


PAGES = {
    "glossary.md": glossary,
    "record.md": record,
    "elements.md": elements,
    "commands.md": commands,
    "diagnostics.md": diagnostics,
    "telegram.schema.json": lambda: json.dumps(telegram.record_schema(), indent=2) + "\n",
}


def rules() -> str:
    """The drafting rules, each with what it asks for and why it is as it is."""
    lines = [
        "# Drafting rules",
        "",
        "Made from `reftel.check` by `make docs`. `reftel check` reports by number and name; an error keeps a"
        " draft from being written, a warning asks the drafter. Some rules are milder on telegrams already"
        " sent: [what was measured](rules-measured.md).",
        "",
    ]
    for number, rule in sorted(RULES.items()):
        held = ", ".join(rule.profiles)
        lines += [f"## {number} {rule.name}", "", rule.sentence, ""]
        paragraphs = (rule.look.__doc__ or "").split("\n\n")[1:]
        lines += [line for text in paragraphs for line in (" ".join(text.split()), "")]
        needs = f" Needs: {rule.needs}." if rule.needs else ""
        lines += [f"*{rule.severity}; {rule.source}; holds in {held}.*{needs}", ""]
    return "\n".join(lines)


PAGES["rules.md"] = rules


def main() -> int:
    stale = []
    for name, make in PAGES.items():
        text = make()
        path = DOCS / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    for name in stale:
        verb = "is stale; run make docs" if "--check" in sys.argv else "written"
        print(f"docs/{name} {verb}", file=sys.stderr)
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
