"""Drafts to begin with: an empty one, and a reply to a telegram that is held."""

from __future__ import annotations

import re

from reftel.telegram import Telegram
from reftel.write.lines import fold

_EMPTY = """\
From: {originator}
To: {to}
Info: {info}
Classification: {classification}
{captions}{classified}TAGS: {tags}
Subject: {subject}
{references}Signed: {signed}

# SUMMARY

{mark}Say in two sentences what happened and what you ask for.

# COMMENT

{mark}Say what it means. End comment.
"""
_CLASSIFIED = """\
Classified by: {who}
Reason: 1.4 (b), (d)
Declassify: 10 years
"""
_MARK = {
    "SENSITIVE BUT UNCLASSIFIED": "SBU",
    "CONFIDENTIAL": "C",
    "SECRET": "S",
    "TOP SECRET": "TS",
}


def template(originator: str = "AMEMBASSY BERN") -> str:
    """A draft to fill in, with every line that an unclassified telegram needs."""
    return _EMPTY.format(
        originator=originator,
        to="SECSTATE WASHDC",
        info="",
        classification="UNCLASSIFIED",
        captions="",
        classified="",
        tags="",
        subject="",
        references="",
        signed="",
        mark="",
    )


def reply(telegram: Telegram, originator: str | None = None) -> str:
    """A draft that answers a telegram: to its originator, with its number as the reference and its TAGS,
    information addressees, classification and captions.

    `originator` is who answers, by default the first action addressee. A telegram that refers to others
    has its own references cited behind it, as `B.` and so on.
    """
    sender = originator or (telegram.action[0].name if telegram.action else "")
    to = telegram.originator.name if telegram.originator else ""
    others = [each.name for each in (*telegram.action, *telegram.info)]
    info = [
        name
        for name in dict.fromkeys(others)
        if _letters(name) not in (_letters(sender), _letters(to))
    ]
    level = telegram.classification or "UNCLASSIFIED"
    sensitive = "SENSITIVE" in telegram.captions and level == "UNCLASSIFIED"
    mark = "SBU" if sensitive else _MARK.get(level, "U" if _marked(telegram) else "")
    classified = level in ("CONFIDENTIAL", "SECRET", "TOP SECRET")
    cited = [telegram.mrn.short] if telegram.mrn else []
    cited += [each.mrn for each in telegram.references if each.mrn and each.mrn not in cited]
    subject = telegram.subject or ""
    return _EMPTY.format(
        originator=sender,
        to=to,
        info="\n      ".join(info),
        classification=level,
        captions=f"Captions: {', '.join(telegram.captions)}\n" if telegram.captions else "",
        classified=_CLASSIFIED.format(who="") if classified else "",
        tags=", ".join(
            f"({tag.code})" if tag.kind == "person" else tag.code for tag in telegram.tags
        ),
        subject="\n         ".join(fold(subject, 60)),
        references=_references(cited),
        signed="",
        mark=f"({mark}) " if mark else "",
    )


def _references(cited: list[str]) -> str:
    if not cited:
        return ""
    spaced = [_spaced(each) for each in cited]
    if len(spaced) == 1:
        return f"Ref: {spaced[0]}\n"
    lines = [
        f"{letter}. {text}"
        for letter, text in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", spaced, strict=False)
    ]
    return "Ref: " + "\n     ".join(lines) + "\n"


def _spaced(mrn: str) -> str:
    """`79BERN4120` as people write it: `79 BERN 4120`."""
    return re.sub(r"([0-9]{2})([A-Z]+)([0-9]+)", r"\1 \2 \3", mrn)


def _marked(telegram: Telegram) -> bool:
    return any(block.marking for block in telegram.body)


def _letters(name: str) -> str:
    return re.sub(r"[^A-Z]", "", name.upper())
