"""How to cite a telegram: for a footnote, and as the National Archives write it."""

from __future__ import annotations

from reftel import tables
from reftel.telegram import Telegram


def footnote(telegram: Telegram, paragraph: int | None = None) -> str:
    """A note in the manner of the Chicago Manual of Style, to a paragraph if one is given."""
    parts: list[str] = []
    sender = tables.addressee_name(telegram.originator.name) if telegram.originator else None
    if sender and telegram.action:
        parts.append(f"{sender} to {tables.addressee_name(telegram.action[0].name)}")
    elif sender:
        parts.append(sender)
    if telegram.subject:
        parts.append(f"“{telegram.subject}”")
    if telegram.mrn:
        parts.append(f"telegram {telegram.mrn.short}")
    if telegram.sent:
        parts.append(telegram.sent.strftime("%B %-d, %Y, %H%MZ"))
    if telegram.classification:
        parts.append(telegram.classification.capitalize())
    if paragraph is not None:
        parts.append(f"para. {paragraph}")
    return ", ".join(parts).replace("”,", ",”") + "."


def archives_form(telegram: Telegram) -> str | None:
    """The form that the National Archives ask for, for the electronic telegrams of 1973-79."""
    if telegram.mrn is None or not 1973 <= telegram.mrn.year <= 1979:
        return None
    return (
        f"Electronic Telegram {telegram.mrn.long}, {telegram.mrn.year}; Central Foreign Policy Files,"
        " 1973-79; General Records of the Department of State, Record Group 59; National Archives"
    )
