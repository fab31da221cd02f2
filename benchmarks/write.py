"""How fast telegrams are checked and written on one core: `python benchmarks/write.py [FOLDER]`.

Prints telegrams a second for checking, writing (with the reading back that it promises) and making
mail, and the ratio of each to reading the same telegrams in the same run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import click

import reftel
from reftel.tables.directory import Directory, Entry
from reftel.telegram import Telegram
from reftel.write.mail import MailError, to_mail

EXAMPLES = Path(__file__).parent.parent / "examples"
_ROUNDS = 5


def _best(work: Callable[[], None]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def _directory(telegrams: list[Telegram]) -> Directory:
    names: dict[str, str] = {}
    for t in telegrams:
        for each in (*t.action, *t.info, *((t.originator,) if t.originator else ())):
            names.setdefault("".join(each.name.upper().split()), each.name)
    return Directory(
        Entry("station", name, mailbox=f"s{at}@post.example")
        for at, name in enumerate(names.values())
    )


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path), default=EXAMPLES)
def main(folder: Path) -> None:
    """Time checking, writing and mailing the telegrams of a folder."""
    texts: list[str] = []
    telegrams: list[Telegram] = []
    for path in sorted(folder.rglob("*.txt")):
        text = path.read_text(encoding="utf-8")
        try:
            telegram = reftel.read(text)
            reftel.write(telegram)
        except (reftel.NotATelegram, reftel.CannotWriteError):
            continue
        texts.append(text)
        telegrams.append(telegram)
    directory = _directory(telegrams)

    def mail() -> None:
        for telegram in telegrams:
            try:
                to_mail(telegram, directory)
            except MailError:
                continue

    reading = _best(lambda: [reftel.read(text) for text in texts] and None)
    click.echo(f"{len(texts)} telegrams, {sum(map(len, texts)) / len(texts):,.0f} characters each")
    for what, seconds in (
        ("read", reading),
        ("check", _best(lambda: [reftel.check(t) for t in telegrams] and None)),
        ("write", _best(lambda: [reftel.write(t) for t in telegrams] and None)),
        ("mail", _best(mail)),
    ):
        rate = len(texts) / seconds
        click.echo(f"{what:<6} {rate:>8,.0f} telegrams/s   {seconds / reading:5.2f} times reading")


if __name__ == "__main__":
    main()
