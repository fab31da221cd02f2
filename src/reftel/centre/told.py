"""The journal's entries as sentences, ages and moments as words, for the people who look at them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from reftel.centre.journalfile import Entry

_SAYS = {
    "accepted": "taken on {from_circuit}{as_hop}",
    "acknowledged": "seen by {who}",
    "asked-again": "asked for {of} again ({signal})",
    "broken-off": "broke off on {circuit} as {hop}: {why}",
    "cancelled": "cancelled by {circuit}: what is not yet sent stays here",
    "channel-wrong": "{hop} came on {circuit}, whose channel is {expected}",
    "circuit-down": "{circuit} is down: {why}",
    "circuit-up": "{circuit} is up",
    "closed-by-hand": "{who} no longer waits for {name}: {why}",
    "closing-put-off": "{circuit} wants to close; {waiting} messages still wait for it",
    "continuity-closed": "{number} has come after all",
    "continuity-open": "{number} to us is missing",
    "corrected": "mended by {who} and passed on as message {by}",
    "corrected-copy": "a corrected copy goes to {to}",
    "correction-of": "mended by {who} from message {of}",
    "damaged": "damaged in the journal, not sent over {circuit}: {why}",
    "delivered": "put before {to}",
    "discarded": "discarded by {who}: {why}",
    "duplicate": "a duplicate of message {of}: not passed on",
    "filed": "filed in the archive",
    "garbled": "garbled: {why}",
    "held": "held by {who}: {why}",
    "journal-outrun": "{circuit} has stored up to {stored}, and this journal only sent up to {last}",
    "journal-writes-again": "the journal can be written again, after: {why}",
    "logged-in": "{who} came in",
    "loop": "came round again: it is message {of}",
    "mail-report": "a mail server reports of {recipient}: {action} ({status})",
    "mended-by-repeat": "mended by the repeat, goes on to {to}",
    "may-close": "{circuit} agrees to close",
    "misrouted": "was misrouted; goes to {to}",
    "not-delivered": "not delivered: {why}",
    "not-filed": "not filed: {why}",
    "not-sent": "not sent over {circuit}: {why}",
    "not-understood": "cannot be understood: {why}",
    "number-absent": "came on {circuit} without a channel number",
    "number-asked": "asked the originator for {number}",
    "number-closed": "{hop}, which was missing on {circuit}, has come",
    "number-first": "{hop} is the first number on {circuit}",
    "number-gap": "{hop} came on {circuit} after {last}: numbers between are missing",
    "number-in-course": "{hop} is asked for; it is still on its way",
    "number-inside": "{number} stands inside the message that came as {hop}",
    "number-late": "{hop} came late on {circuit}",
    "number-noted": "{hop} is asked for; it went again already",
    "number-only": "{hop} came with a number and no message",
    "number-open": "{hop} did not come on {circuit}",
    "number-repeat": "{hop} came on {circuit} a second time",
    "number-restart": "the count begins anew on {circuit} with {hop}",
    "number-unused": "{hop} is asked for; nothing was sent under it",
    "part-asked": "{who} asked {of} for a part of it: {parts}",
    "part-came": "the part that was asked for: {text}",
    "part-given": "{to} asked for a part of it, and has it",
    "peer-journal": "{circuit} speaks out of another journal than before",
    "read": "read by {who} for {office}",
    "receipt-asked": "{circuit} is asked for its receipt of {hop}",
    "receipted": "{circuit} says that it has {hop}",
    "refused": "refused from {circuit}: {why}",
    "released": "released by {who}",
    "released-from-hold": "let go by {who}",
    "removed": "{what} removed from the journal, being kept long enough{by_whom}",
    "repeat-came": "the repeat that was asked for has come",
    "rerouted": "goes another way than {circuit}",
    "route-lent": "{circuit} takes traffic for {to}",
    "routed-by-hand": "sent on by {who} to {to}",
    "section-again": "section {section} came again",
    "section-waits": "section {section} waits for the others",
    "sections-missing": "delivered without sections {missing}",
    "sending": "numbered {hop}, goes over {circuit}",
    "sent": "is safe at the other end of {circuit} ({hop})",
    "sent-again": "sent again{by_who}",
    "service-made": "service message made here{what_for}",
    "service-understood": "service message understood: {what}",
    "subject-to-correction": "relayed subject to correction",
    "superseded": "message {by} takes its place",
    "to-operator": "put before the operator: {why}",
    "tested": "{circuit} reads our test with quality {quality} of 5",
    "trace-asked": "{of} asks where it went",
    "traced": "traced by {who}, by way of {to}",
    "transmission-cancelled": "{hop} was given up by the sender in its course",
}


def told(entry: Entry) -> str:
    """What happened, in one sentence; an entry of another make is told by its kind."""
    values: dict[str, Any] = {key: _plain(value) for key, value in entry.detail.items()}
    values |= {"circuit": (entry.circuit or "here").lstrip("#"), "hop": entry.hop or "a message"}
    values["who"] = entry.who or "the centre"
    values["from_circuit"] = f"from {entry.circuit}" if entry.circuit else "from our own people"
    values["as_hop"] = f" as {entry.hop}" if entry.hop else ""
    values["by_who"] = f" by {entry.who}" if entry.who else f": {entry.circuit} asked for it"
    values["by_whom"] = f"; {entry.who} asked for it" if entry.who else ""
    text, to = entry.detail.get("text"), entry.detail.get("to")
    values["what_for"] = f": {text}" if text else f" for {to}"
    sentence = _SAYS.get(entry.kind)
    try:
        return sentence.format(**values) if sentence else entry.kind.replace("-", " ")
    except KeyError:
        return entry.kind.replace("-", " ")


def more(entry: Entry) -> list[str]:
    """What the sentence leaves out and a person may want: ways, refusals, marks."""
    detail, said = entry.detail, []
    for circuit, stations in (detail.get("ways") or {}).items():
        said.append(f"over {circuit} to {stations}")
    if detail.get("here"):
        said.append(f"for us: {detail['here']}")
    said += [f"{where}: {why}" for where, why in (detail.get("refused") or {}).items()]
    if detail.get("pilot"):
        said.append(f"marked {detail['pilot']}")
    if detail.get("remark"):
        said.append(str(detail["remark"]))
    if entry.kind == "filed" and detail.get("of"):
        said.append(f"as message {detail['of']}")
    if entry.kind == "delivered" and detail.get("missing"):
        said.append(f"without sections {_plain(detail['missing'])}")
    if entry.kind == "mail-report" and detail.get("diagnostic"):
        said.append(str(detail["diagnostic"]))
    if entry.kind == "service-understood" and detail.get("text"):
        said.append(str(detail["text"]))
    return said


def came_from(circuit: str) -> str:
    """Where a message of the journal came from."""
    return {"#desk": "our own people", "#service": "the centre itself"}.get(circuit, circuit)


def span(seconds: float) -> str:
    """An age to read: `4 s`, `12 min`, `3 h`, `2 d`."""
    for limit, unit, word in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {word}"
    return f"{seconds / 86400:.0f} d"


def days(number: float) -> str:
    """How long something is kept: `30 days`, `10 years`, `for ever`."""
    if not number:
        return "for ever"
    if number % 365 == 0:
        return f"{number // 365:.0f} year{'s' if number != 365 else ''}"
    return f"{number:g} day{'s' if number != 1 else ''}"


def clock(at: float) -> str:
    """A moment to read, in UTC: `2026-11-27 17:35:33Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return str(value)
