"""The summary: a labelled paragraph or several, or what stands under such a heading (content 3.17)."""

from __future__ import annotations

import re
from typing import Final

from reftel.read.lettercase import capitals
from reftel.telegram import Block

_END_SUMMARY: Final = re.compile(r"END\s?(?:OF\s)?SUM{1,3}A?R?Y(?: AND COMMENT)?\b")
_SUMMARY: Final = re.compile(
    r"(?:BEGIN (?:UNCLAS(?:SIFIED)? )?|EXECUTIVE |INTRODUCTION AND )?SUM{1,3}R?A?R?Y\b",
    re.IGNORECASE,
)
_MARK = r"\((?:U|SBU|LOU|C|S|TS)(?:/+[A-Z]+)?\)"
_LABEL_END: Final = re.compile(rf"\)?\s*(?:{_MARK})?[ .:;)\n-]*(?:{_MARK}\s*)?")


_FEW: Final = 3


def find_summary(body: list[Block]) -> str | None:
    """The summary's text without its labels: a labelled block, or what stands under such a heading."""
    for index, block in enumerate(body):
        if block.kind == "heading" and _SUMMARY.match(block.text):
            after = body[index + 1] if index + 1 < len(body) else None
            return _summary_from(body, index + 1, _behind_label(after) if after else 0)
        if skip := _behind_label(block):
            return _summary_from(body, index, skip)
    # Where only its end is said, it begins with the text.
    first = next((at for at, block in enumerate(body) if block.kind == "paragraph"), None)
    if first is not None and any(
        _END_SUMMARY.search(capitals(block.text)) for block in body[first : first + _FEW]
    ):
        return _summary_from(body, first, 0)
    return None


def _behind_label(block: Block) -> int:
    """Where the text begins of a block labelled as a summary; 0 for another one."""
    if not block.label or not _SUMMARY.match(block.label):
        return 0
    end = block.text.index(block.label) + len(block.label)
    label = _LABEL_END.match(block.text, end)
    return label.end() if label else end


def _summary_from(body: list[Block], index: int, skip: int) -> str | None:
    """From block `index` to where the summary ends: `END SUMMARY`, or the end of the block."""
    texts: list[str] = []
    for block in body[index : index + 8]:
        text = block.text[skip:].lstrip(" .:;-\n") if skip else block.text
        skip = 0
        if block.kind == "heading":
            break
        if match := _END_SUMMARY.search(capitals(text)):
            texts.append(text[: match.start()].rstrip(" \n\t("))
            return "\n\n".join(texts).strip() or None
        texts.append(text)
    return texts[0].strip() or None if texts else None
