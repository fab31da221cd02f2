"""Heading and addressees: R01 to R10."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reftel import tables
from reftel.check.finding import STATE, Case, Found, name_key, rule

_POST = re.compile(
    r"(?:AMEMBASSY|AMCONSUL|AMCONSULATE|USMISSION|USINT|USOFFICE|USLO|AMEMB|EMBASSY)\b"
)


@rule("R01", "originator", "error", "5 FAH-2 H-232")
def originator(case: Case) -> Iterator[Found]:
    """There is exactly one originator, and it is a known post or office name."""
    t = case.telegram
    group = any(each.name.startswith("AIG ") for each in t.action)
    if t.originator is None:
        if (case.draft or t.action or t.info) and case.message and not group:
            yield Found(
                "the telegram has no originator",
                "no FM line",
                "FM and the post or office that sends",
                "name the originator: From: AMEMBASSY BERN",
                case.span("date-time-group", "action-addressee"),
            )
        return
    if problem := _unknown(case, t.originator.name):
        near, sure = problem
        yield Found(
            f"{t.originator.name} is no post or office that the tables or the directory know",
            t.originator.name,
            near or "a plain language address",
            f"write {near}" if near else "correct the name, or add it to the directory",
            case.place(t.originator.name, "originator"),
            None if sure else "warning",
        )


def _unknown(case: Case, name: str) -> tuple[str, bool] | None:
    """The nearest name, and whether this one is surely wrong, where a name is not known.

    Tables of agencies and commands are never complete, so of those only a near miss is an error; a
    post is known or it is none.
    """
    if case.directory.named(name) or tables.address(name):
        return None
    if case.profile == "acp127":
        # A network of its own has names of its own, which only its directory knows.
        if not case.directory.entries:
            return None
        return ("", True)
    post = _POST.match(name)
    if tables.post_by_name(name, case.year) and (post or name.startswith("SECSTATE")):
        return None
    near = tables.near_addresses(name, 1)
    if post or name.startswith("SECSTATE"):
        return (near[0] if near else "", True)
    return None if not near else (near[0], False)


@rule("R02", "action-addressee", "error", "5 FAH-2 H-233")
def action_addressee(case: Case) -> Iterator[Found]:
    """There is at least one action addressee, unless the message only relays another for information."""
    t = case.telegram
    if t.action or not case.message or (not case.draft and not (t.originator and t.info)):
        return
    yield Found(
        "no action addressee: nobody must act on the telegram",
        "INFO without TO" if t.info else "no addressee",
        "TO and at least one addressee",
        "name who must act: To: SECSTATE WASHDC",
        case.span("info-addressee", "originator", "label"),
    )


@rule("R03", "action-before-info", "error", "5 FAH-2 H-233")
def action_before_info(case: Case) -> Iterator[Found]:
    """Action addressees come before information addressees."""
    seen_info = False
    for element in case.telegram.elements:
        if element.kind == "info-addressee":
            seen_info = True
        elif element.kind == "originator":
            seen_info = False
        elif element.kind == "action-addressee" and seen_info and not case.draft:
            yield Found(
                "an action addressee stands behind information addressees",
                case.telegram.source[element.start : element.end].strip(),
                "TO before INFO",
                "put the TO lines above the INFO lines",
                case.span("action-addressee"),
            )
            return


@rule("R04", "addressee-known", "error", "5 FAH-2 H-231")
def addressee_known(case: Case) -> Iterator[Found]:
    """Each addressee is a known plain language address; unknown ones name the nearest match."""
    for addressee in case.addressees:
        if addressee.routing_indicator and not case.draft:
            # Its centre knew whom it serves.
            continue
        if addressee.name.startswith("AIG ") or (problem := _unknown(case, addressee.name)) is None:
            continue
        near, sure = problem
        yield Found(
            f"{addressee.name} is no addressee that the tables or the directory know",
            addressee.name,
            near or "a plain language address",
            f"write {near}" if near else "correct the name, or add it to the directory",
            case.of(addressee),
            None if sure else "warning",
        )


@rule("R05", "addressee-once", "error", "own; measured")
def addressee_once(case: Case) -> Iterator[Found]:
    """No addressee appears twice, in TO and INFO together."""
    seen: set[str] = set()
    for addressee in case.addressees:
        key = name_key(addressee.name)
        if key in seen:
            yield Found(
                f"{addressee.name} is addressed twice",
                addressee.name,
                "each addressee once",
                "leave out the second one",
                case.of(addressee),
            )
        seen.add(key)


@rule("R06", "collective-holds", "warning", "own", needs="directory")
def collective_holds(case: Case) -> Iterator[Found]:
    """An addressee that a listed collective already contains is a duplicate."""
    for collective in case.addressees:
        entry = case.directory.named(collective.name)
        if entry is None or entry.kind != "collective":
            continue
        members = {name_key(member.name) for member in case.directory.members(collective.name)}
        for addressee in case.addressees:
            if name_key(addressee.name) in members:
                yield Found(
                    f"{collective.name} holds {addressee.name} already",
                    addressee.name,
                    f"{collective.name} alone",
                    f"leave out {addressee.name}",
                    case.of(addressee),
                )


@rule("R07", "exempted-member", "error", "5 FAH-2 H-233; handbook rule for XMT")
def exempted_member(case: Case) -> Iterator[Found]:
    """Posts named after XMT belong to the collective before them, and are not addressed otherwise."""
    addressed = {name_key(each.name) for each in case.addressees}
    collectives = [
        each
        for each in case.addressees
        if "COLLECTIVE" in each.name
        or each.name.startswith(("AIG", "ALL ", "AL"))
        or "POSTS" in each.name
        or tables.is_collective(each.name)
        or ((entry := case.directory.named(each.name)) and entry.kind == "collective")
    ]
    members = {name_key(m.name) for c in collectives for m in case.directory.members(c.name)}
    for exempt in case.telegram.exempt:
        if name_key(exempt.name) in addressed:
            expected, remedy = "no TO or INFO to an exempted post", "leave out one of the two"
        elif not collectives:
            expected, remedy = "a collective before XMT", "address a collective, or leave XMT out"
        elif members and name_key(exempt.name) not in members:
            expected, remedy = "a member of the collective", f"leave out XMT {exempt.name}"
        else:
            continue
        yield Found(
            f"{exempt.name} is exempted, but {_why(remedy)}",
            exempt.name,
            expected,
            remedy,
            case.of(exempt),
        )


def _why(remedy: str) -> str:
    if remedy.startswith("leave out one"):
        return "is addressed as well"
    return "no collective is addressed" if "address a" in remedy else "is no member"


@rule("R08", "own-addressee", "warning", "own")
def own_addressee(case: Case) -> Iterator[Found]:
    """The originator is not among its own addressees, alone or in a collective without XMT."""
    t = case.telegram
    if t.originator is None:
        return
    own = name_key(t.originator.name)
    exempted = {name_key(each.name) for each in t.exempt}
    for addressee in case.addressees:
        members = {name_key(m.name) for m in case.directory.members(addressee.name)}
        if name_key(addressee.name) == own or (own in members and own not in exempted):
            alone = name_key(addressee.name) == own
            yield Found(
                f"{t.originator.name} sends the telegram to itself",
                addressee.name,
                "others only" if alone else f"XMT {t.originator.name}",
                "leave it out" if alone else f"exempt it: XMT {t.originator.name}",
                case.of(addressee),
            )


_CLEARING_BUREAU = {"ALAFD": "AF", "ALEDP": "EUR", "ALNEA": "NEA", "ALWHA": "WHA", "ALEAP": "EAP"}


@rule("R09", "collective-cleared", "warning", "5 FAH-1 H-241.1-2", STATE)
def collective_cleared(case: Case) -> Iterator[Found]:
    """Collective addresses that require action carry the clearances their regional bureaus require.

    Looked at where the copy says who cleared it.
    """
    t = case.telegram
    if not (t.clearances or t.drafted_by):
        return
    for addressee in t.action:
        bureau = _CLEARING_BUREAU.get(addressee.name.split()[0])
        if bureau and not any(each.strip().startswith(bureau) for each in t.clearances):
            yield Found(
                f"{addressee.name} has no clearance of {bureau}",
                ", ".join(t.clearances) or "no clearance",
                f"{bureau}/EX",
                f"clear it with {bureau}/EX",
                case.of(addressee),
            )


@rule("R10", "attention-addressed", "warning", "5 FAH-2 H-252", STATE)
def attention_addressed(case: Case) -> Iterator[Found]:
    """An attention line or pass line names an office of an addressee.

    A line that asks an addressee to pass the telegram on names others by design, so only who is to
    pass it, or whose offices are named, must be an addressee.
    """
    names = {name_key(each.name) for each in case.addressees}
    posts = {tables.canonical_post(each.name, case.year) for each in case.addressees}
    for attention in case.telegram.attention if names else ():
        station = (attention.station or "").strip().upper()
        if not station or station in ("DEPT", "DEPARTMENT", "STATE", "SECSTATE"):
            known = not station or "STATE" in posts
        else:
            plain = name_key(station)
            post = tables.canonical_post(station, case.year)
            known = any(plain in name for name in names) or (post is not None and post in posts)
            collective = any("COLLECTIVE" in name or name.startswith("AL") for name in names)
            known = known or collective or (tables.address(station) is None and post is None)
        if not known:
            yield Found(
                f"{station} is named for attention, but is no addressee",
                station,
                "an addressee's office",
                f"address {station}, or leave the line out",
                case.place(station, "passing"),
            )
