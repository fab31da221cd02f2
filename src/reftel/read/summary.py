"""The summary: a labelled paragraph or several, or what stands under such a heading (content 3.17)."""

from __future__ import annotations

import re
from typing import Final

from reftel.read.lettercase import capitals
from reftel.telegram import Block

_END_SUMMARY: Final = re.compile(r"END (?:OF )?SUMMARY(?: AND COMMENT)?")
_SUMMARY: Final = re.compile(r"(?:BEGIN |EXECUTIVE )?SUMM?A?R?Y\b", re.IGNORECASE)
_MARK = r"\((?:U|SBU|LOU|C|S|TS)(?:/+[A-Z]+)?\)"
_LABEL_END: Final = re.compile(rf"\)?\s*(?:{_MARK})?[ .:;)\n-]*(?:{_MARK}\s*)?")


def find_summary(body: list[Block]) -> str | None:
    """The summary's text without its labels: a labelled block, or what stands under such a heading."""
    for index, block in enumerate(body):
        if block.kind == "heading" and _SUMMARY.match(block.text):
            return _summary_from(body, index + 1, 0)
        if block.label and _SUMMARY.match(block.label):
            label = _LABEL_END.match(block.text, block.text.index(block.label) + len(block.label))
            return _summary_from(body, index, label.end() if label else len(block.label))
    return None


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
