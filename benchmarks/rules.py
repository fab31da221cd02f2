"""Which drafting rules sent telegrams break: `python benchmarks/rules.py FOLDER [--profile NAME]`.

Prints for each rule how many telegrams of the folder break it, and the share: a rule that many
accepted telegrams break is misread or too strict.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click

import reftel
from reftel.check import PROFILES, RULES, check

EXAMPLES = Path(__file__).parent.parent / "examples"


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path), default=EXAMPLES)
@click.option("--profile", type=click.Choice(PROFILES), default=PROFILES[0], show_default=True)
def main(folder: Path, profile: Any) -> None:
    """Count the rules that the telegrams of a folder break."""
    broken: Counter[tuple[str, str]] = Counter()
    telegrams = 0
    for path in sorted(folder.rglob("*.txt")):
        try:
            telegram = reftel.read(path.read_text(encoding="utf-8"))
        except reftel.NotATelegram:
            continue
        telegrams += 1
        broken.update({(f.rule, f.severity) for f in check(telegram, profile=profile)})
    click.echo(f"{telegrams} telegrams, profile {profile}")
    for (number, severity), count in sorted(broken.items()):
        share = count / telegrams
        click.echo(f"{number}  {severity:<8} {RULES[number].name:<20} {count:>5}  {share:6.1%}")


if __name__ == "__main__":
    main()
