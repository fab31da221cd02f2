"""Random damage as telegrams meet it: lost, doubled and swapped lines and characters, cuts, noise."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Damage = Callable[[str, Random], str]


def lose_characters(text: str, random: Random) -> str:
    return "".join(c for c in text if random.random() > 0.01)


def change_characters(text: str, random: Random) -> str:
    noise = "\x00\t\r\n\u2028¶8&,)(#*AZ09\ufffd\u202e "
    return "".join(random.choice(noise) if random.random() < 0.01 else c for c in text)


def lose_lines(text: str, random: Random) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if random.random() > 0.05)


def double_lines(text: str, random: Random) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line * (2 if random.random() < 0.05 else 1) for line in lines)


def swap_lines(text: str, random: Random) -> str:
    lines = text.splitlines(keepends=True)
    for _ in range(len(lines) // 20 + 1):
        a, b = random.randrange(len(lines)), random.randrange(len(lines))
        lines[a], lines[b] = lines[b], lines[a]
    return "".join(lines)


def cut_front(text: str, random: Random) -> str:
    return text[random.randrange(len(text)) :]


def cut_end(text: str, random: Random) -> str:
    return text[: random.randrange(1, len(text))]


def lose_line_ends(text: str, random: Random) -> str:
    return "".join(" " if c == "\n" and random.random() < 0.1 else c for c in text)


def dos_line_ends(text: str, random: Random) -> str:
    return text.replace("\n", random.choice(["\r\n", "\r\r\n", "\r"]))


def lower_case(text: str, random: Random) -> str:
    del random
    return text.lower()


KINDS: tuple[Damage, ...] = (
    lose_characters,
    change_characters,
    lose_lines,
    double_lines,
    swap_lines,
    cut_front,
    cut_end,
    lose_line_ends,
    dos_line_ends,
    lower_case,
)
