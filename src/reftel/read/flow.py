"""Lines joined to running text; rows of tables and items of lists stay lines of their own."""

from __future__ import annotations

import re
from typing import Final

from reftel.read.elements import Piece
from reftel.read.repairs import BLANKS, SOFT_HYPHEN

RULE: Final = re.compile(r"(?=\s*(?:[-=_*~]\s?){3})\s*+(?:[-=_*~]++\s?+)++\s*+\Z")
"""A line of dashes or signs that sets off a heading."""

_RULE_SIGNS: Final = frozenset("-=_*~")
_SENTENCE_ENDS: Final = frozenset(".?!:;\"')]8”")
# A line that opens with one of these can be an item; most lines do not, and are spared the pattern.
_ITEM_SIGNS: Final = frozenset("-*•o(ivxIVX0123456789")
_ITEM: Final = re.compile(
    r"--? ?\S|\*|•|o\s|\(?(?:[A-Za-z]|[ivxIVX]{2,4}|[0-9]{1,3})[.)]\s|\([A-Za-z0-9]{1,4}\)"
)
# What asks for a look line by line: divided words, items, rules, running numbers. Patterns that search
# a text begin with a character of their own: the engine then leaps from one to the next.
_KEPT: Final = re.compile(
    r"\n(?:(?<=-\n)|(?<=- \n)"
    r"|[ \t]*(?:[-*•=_~(0-9]|o\s|[A-Za-z][.)]|[ivxIVX]{2,4}[.)]))"
)
_ROMAN: Final = frozenset("ivxIVX")
# What a line can open with that is an item, a rule or a row, but for a letter before a stop or bracket.
_MAY_OPEN: Final = _ROMAN | frozenset("-*•=_~(0123456789o")
_SPACE: Final = ord(" ")
_HYPHEN: Final = ord("-")
_STOP: Final = ord(".")
_BRACKET: Final = ord(")")
_LAST_VISIBLE: Final = ord("~")
# Columns stand three blanks apart or more.
_COLUMNS: Final = re.compile(r"   (?<=\S   ) *\S")
_ODD_BLANKS: Final = tuple(sorted(BLANKS - {" ", "\n"}))
_ASCII_BLANKS: Final = tuple(sign for sign in _ODD_BLANKS if sign.isascii())
_RUNNING_NUMBER: Final = re.compile(r"([0-9]{1,4})\s+[A-Za-z]")


def is_rule(text: str) -> bool:
    """Whether a line is a rule."""
    plain = text.strip()
    return plain[:1] in _RULE_SIGNS and plain[-1] in _RULE_SIGNS and RULE.match(text) is not None


def ends_sentence(text: str) -> bool:
    """Whether a line may be the last of a sentence."""
    return text.rstrip()[-1:] in _SENTENCE_ENDS


def has_odd_blanks(text: str) -> bool:
    """Whether a text has blanks other than the space and the line end."""
    return any(sign in text for sign in (_ASCII_BLANKS if text.isascii() else _ODD_BLANKS))


def are_plain(pieces: list[Piece]) -> bool:
    """Whether lines are but running text: none behind the first may open an item, a rule or a row that
    begins with a number, none may end in a divided word. By far the most do not."""
    behind = False
    for piece in pieces:
        # Characters are compared by their codes: compiled, that is several times as fast.
        text = piece.text
        end = len(text)
        last = ord(text[end - 1]) if end else 0
        if last == _HYPHEN or (last == _SPACE and end > 1 and ord(text[end - 2]) == _HYPHEN):
            return False
        if behind and end:
            code = ord(text[0])
            if code <= _SPACE or code > _LAST_VISIBLE:
                text = text.lstrip()
            second = ord(text[1]) if len(text) > 1 else 0
            if second in (_STOP, _BRACKET):
                return False
            if piece.first in _MAY_OPEN and _may_open(piece.first, text[1:2]):
                return False
        behind = True
    return True


def _may_open(first: str, second: str) -> bool:
    """Whether a line that begins with two such signs may open an item, a rule or a row: a letter o needs
    a blank behind it, a Roman numeral another one."""
    if first == "o":
        return not second or second.isspace()
    return first not in _ROMAN or second in _ROMAN


def flow(text: str, *, odd_blanks: bool = True, plain: bool = False) -> str:
    """A block's lines as running text, groups that blank lines part kept apart. `odd_blanks` is false for
    a text that is known to have no blanks but spaces; `plain` is true for lines that `are_plain`, with no
    blank one among them."""
    if plain and not odd_blanks and SOFT_HYPHEN not in text:
        joined = text.replace("\n", " ")
        apart = "  " in joined
        if not apart or "   " not in joined:
            joined = (joined.replace("  ", " ") if apart else joined).strip(" ")
            return "" if is_rule(joined) else joined
    groups: list[str] = []
    for group in text.split("\n\n"):
        line = group.replace("\n", " ")
        apart = "  " in line
        wide = apart and "   " in line
        if _KEPT.search(group) or SOFT_HYPHEN in group or (wide and _COLUMNS.search(group)):
            joined = _join(group.split("\n"), odd_blanks=has_odd_blanks(group))
        elif odd_blanks:
            joined = " ".join(group.split())
        else:
            # The same, several times as fast.
            joined = line.replace("  ", " ") if apart else line
            while wide and "  " in joined:
                joined = joined.replace("  ", " ")
            joined = joined.strip(" ")
        if joined and not (joined[0] in _RULE_SIGNS and is_rule(joined)):
            groups.append(joined)
    whole = "\n\n".join(groups)
    return whole.replace(SOFT_HYPHEN, "") if SOFT_HYPHEN in whole else whole


def _join(lines: list[str], *, odd_blanks: bool) -> str:
    rows = _numbered_rows(lines) if len(lines) > 2 else set()
    done: list[str] = []
    words: list[str] = []
    for at, line in enumerate(lines):
        plain = line.strip()
        if not plain or is_rule(plain):
            continue
        apart = "  " in plain
        row = apart and "   " in plain and _COLUMNS.search(plain) is not None
        # A line whose words stand a space apart is taken as one.
        more = plain.split() if apart or odd_blanks else [plain]
        if row or at in rows or _is_item(plain):
            if words:
                done.append(" ".join(words))
            words = more
            if row:
                done.append(line.rstrip())
                words = []
            continue
        if words and (tail := words[-1])[-1:] in ("-", SOFT_HYPHEN) and tail[-2:-1].isalpha():
            words[-1] = (tail[:-1] if tail[-1] == SOFT_HYPHEN else tail) + more[0]
            words += more[1:]
        else:
            words += more
    if words:
        done.append(" ".join(words))
    return "\n".join(done).strip()


def _is_item(plain: str) -> bool:
    """Whether a line opens an item of a list: `-- `, `(1)`, `a.`, `iv)`, a bullet."""
    first = plain[0]
    if first in _ITEM_SIGNS or plain[1:2] in (".", ")"):
        return _ITEM.match(plain) is not None
    return False


def _numbered_rows(lines: list[str]) -> set[int]:
    """Lines of a list or table that open with a running number: three or more, one after another."""
    rows: set[int] = set()
    run: list[int] = []
    last = -1
    for at, line in enumerate([*lines, ""]):
        plain = line.lstrip()
        match = _RUNNING_NUMBER.match(plain) if plain[:1].isdigit() else None
        if match and (not run or int(match[1]) == last + 1):
            run.append(at)
        else:
            if len(run) > 2:
                rows.update(run)
            run = [at] if match else []
        last = int(match[1]) if match else -1
    return rows
