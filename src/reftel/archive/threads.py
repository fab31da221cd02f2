"""The thread of a telegram: what it refers to, what refers to it, and what belongs to it by other signs;
each link with how sure it is and why."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import msgspec

from reftel import tables
from reftel.archive.ghosts import Sure, before_citing, iso
from reftel.archive.graph import Edge, Held, Key
from reftel.archive.likely import likely_links
from reftel.archive.model import Document, Number
from reftel.archive.relations import NAMED, POINTED, REFERENCE, station_name
from reftel.archive.view import View
from reftel.telegram import Mrn, Telegram

Kind = Literal["reference", "text", "separate", "reftel", "shared", "subject"]

DEPTH, LIMIT = 3, 60
_HUB = 40
# Of what is cited more often than so, the first that cites it is not looked for.
_OFTEN = 1000
_PATH_VISITS = 30_000


class Node(msgspec.Struct, frozen=True):
    """A telegram of a thread. A ghost has no digest, and `after` and `before` in place of `sent`; one that
    is `withdrawn`, what its card says; `documents` is how many telegrams have the number; `steps` how far
    it is from the start. Of one that cannot be read, `damaged` says why and what to do."""

    key: str
    mrn: str | None
    digest: str | None
    sent: str | None
    originator: str | None
    to: tuple[str, ...]
    subject: str | None
    classification: str | None
    documents: int
    steps: int
    after: str | None = None
    before: str | None = None
    withdrawn: bool = False
    damaged: str | None = None


class Link(msgspec.Struct, frozen=True):
    """`source` and `target` are keys of nodes; the later telegram points at the earlier one. `does`
    says what it does: `answers`, `follows up`, `refers to`, `goes with`."""

    source: str
    target: str
    kind: Kind
    does: str
    sure: Sure
    why: str


class Thread(msgspec.Struct, frozen=True):
    """Telegrams in order of time and the links between them; `cut` says where it goes on."""

    start: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    cut: tuple[str, ...]


def thread(view: View, start: Mrn | Document, *, depth: int = DEPTH, limit: int = LIMIT) -> Thread:
    """The thread of a number or document: what lies within `depth` steps, `limit` telegrams at most."""
    key = _key_of(start)
    steps: dict[Key, int] = {key: 0}
    cut: list[str] = []
    frontier: list[Key] = [key]
    for step in range(1, depth + 1):
        new = _next(view, frontier, steps, key, cut)
        room = limit - len(steps)
        if len(new) > room:
            cut.append(f"left out at step {step}, for which a higher limit asks: {len(new) - room}")
            new = new[:room]
        steps.update(dict.fromkeys(new, step))
        frontier = new
        if not frontier or len(steps) >= limit:
            break
    else:
        further = _next(view, frontier, steps, key, [])
        if further:
            cut.append(f"telegrams that lie a step further: {len(further)}")
    return _assembled(view, key, steps, cut)


def _key_of(start: Mrn | Document) -> Key:
    if isinstance(start, Mrn):
        return (start.post, start.year, start.number)
    mrn = start.telegram.mrn
    return (mrn.post, mrn.year, mrn.number) if mrn else start.digest


def _next(
    view: View, frontier: list[Key], steps: dict[Key, int], start: Key, cut: list[str]
) -> list[Key]:
    """The telegrams one step from these that are not in the thread yet: first what is cited, then what
    cites, the oldest first."""
    graph = view.graph
    cited = sorted({edge.target for edge in graph.cites(frontier)} - steps.keys())
    times = graph.times_cited(frontier)
    shared = sorted(number for number, count in times.items() if count > _HUB and number != start)
    cut += [
        f"{key_text(number)} is cited {times[number]} times, too often to follow"
        for number in shared
    ]
    citing = graph.cited_by(set(frontier) - set(shared))
    order = {
        edge.source: (sent is None, sent or 0, str(edge.source)) for edge, sent in citing.items()
    }
    sources = sorted(order.keys() - steps.keys(), key=lambda key: order[key])
    return list(dict.fromkeys([*cited, *sources]))


def _assembled(view: View, start: Key, steps: dict[Key, int], cut: list[str]) -> Thread:
    graph = view.graph
    held = graph.held(steps)
    read = {key: view.numbered(telegrams[0].document) for key, telegrams in held.items()}
    edges = sorted(
        (edge for edge in graph.cites(steps) if edge.target in steps),
        key=lambda edge: (str(edge.source), edge.target),
    )
    links = [_explicit(edge, held, read) for edge in edges]
    joined = {frozenset((link.source, link.target)) for link in links}
    links += _sharing(edges, held, joined)
    if start in read:
        for key, link_ in likely_links(view, read[start]):
            name = key_text(key)
            if frozenset((key_text(start), name)) in joined:
                continue
            joined.add(frozenset((key_text(start), name)))
            links.append(
                Link(key_text(start), name, link_.kind, link_.does, link_.sure, link_.why)
                if link_.earlier
                else Link(name, key_text(start), link_.kind, link_.does, link_.sure, link_.why)
            )
            if key not in steps:
                steps[key] = 1
                more = graph.held([key])
                held.update(more)
                read[key] = view.numbered(more[key][0].document)
    nodes = [
        _node(view, key, step, held.get(key, []), read.get(key)) for key, step in steps.items()
    ]
    nodes.sort(key=lambda node: (node.sent or node.before or "9", node.digest or "", node.key))
    return Thread(key_text(start), tuple(nodes), tuple(links), tuple(cut))


def key_text(key: Key) -> str:
    """A key as people read it: a number in short, or the digest of a telegram without one."""
    return key if isinstance(key, str) else Mrn.of(key[1], key[0], key[2]).short


def _node(view: View, key: Key, step: int, held: list[Held], document: Document | None) -> Node:
    text = key_text(key)
    if document is None:
        assert not isinstance(key, str)
        if cards := view.cards(Mrn.of(key[1], key[0], key[2])):
            card = cards[0]
            return Node(
                key=text,
                mrn=text,
                digest=None,
                sent=card.dtg,
                originator=card.originator,
                to=card.to,
                subject=None,
                classification=card.classification,
                documents=len(cards),
                steps=step,
                withdrawn=True,
            )
        interval = view.gaps.interval(key)
        if view.graph.times_cited([key]).get(key, 0) <= _OFTEN:
            interval, _ = before_citing(interval, view.graph.citing_documents(key))
        return Node(
            text,
            text,
            None,
            None,
            None,
            (),
            None,
            None,
            0,
            step,
            iso(interval.after),
            iso(interval.before),
        )
    t = document.telegram
    return Node(
        key=text,
        mrn=None if isinstance(key, str) else text,
        digest=document.digest,
        sent=t.dtg,
        originator=t.originator.name if t.originator else None,
        to=tuple(each.name for each in t.action),
        subject=t.subject,
        classification=t.classification,
        documents=len(held),
        steps=step,
        damaged=document.damaged,
    )


def _explicit(edge: Edge, held: dict[Key, list[Held]], read: dict[Key, Document]) -> Link:
    source = read[edge.source].telegram
    target = read[edge.target].telegram if edge.target in read else None
    where = [
        words
        for bit, words in (
            (REFERENCE, "its REF line cites it"),
            (POINTED, "its text points at it"),
            (NAMED, "its text names the number"),
        )
        if edge.how & bit
    ]
    why, sure = " and ".join(where), "certain"
    if target is not None and target.sent and source.sent and target.sent > source.sent:
        why, sure = f"{why}, but it was sent later: the number is probably misread", "possible"
    elif len(held.get(edge.target, ())) > 1:
        why, sure = f"{why}; {len(held[edge.target])} telegrams have the number", "likely"
    kind: Kind = "reference" if edge.how & REFERENCE else "text"
    does = what_it_does(source, edge.target, target)
    return Link(key_text(edge.source), key_text(edge.target), kind, does, sure, why)  # type: ignore[arg-type]


def what_it_does(source: Telegram, number: Key, target: Telegram | None) -> str:
    """What a telegram does to the one that it cites: it `answers` what came from one of its addressees,
    `follows up` what its own post sent, and else `refers to` it."""
    if target is not None and target.originator is not None:
        came_from = station_name(target.originator.name)
    else:
        came_from = "" if isinstance(number, str) else number[0]
    own = station_name(source.originator.name) if source.originator else ""
    if came_from and came_from == own:
        return "follows up"
    if came_from in {station_name(each.name) for each in source.action}:
        return "answers"
    return "refers to"


def _sharing(
    edges: list[Edge],
    held: dict[Key, list[Held]],
    joined: set[frozenset[str]],
) -> list[Link]:
    """Telegrams of the thread that cite two or more of the same numbers, and not each other."""
    cites: dict[Key, set[Number]] = {}
    for edge in edges:
        cites.setdefault(edge.source, set()).add(edge.target)
    sources = sorted(cites, key=lambda key: (held[key][0].sent or 0, str(key)))
    found: list[Link] = []
    for at, later in enumerate(sources):
        for earlier in sources[:at]:
            common = sorted(cites[later] & cites[earlier])
            pair = frozenset((key_text(later), key_text(earlier)))
            if len(common) < 2 or pair in joined:
                continue
            joined.add(pair)
            numbers = ", ".join(map(key_text, common[:3]))
            why = f"both cite {numbers}{' and others' if len(common) > 3 else ''}"
            found.append(
                Link(key_text(later), key_text(earlier), "shared", "goes with", "likely", why)
            )
    return found


class Path(msgspec.Struct, frozen=True):
    """The telegrams from one to another, each a reference from its neighbour, or none found; `visited` is
    how many were looked at, `whole` whether that was all there are to look at."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    visited: int
    whole: bool


def path(view: View, one: Mrn, other: Mrn, *, visits: int = _PATH_VISITS) -> Path:
    """The shortest path of references, in whichever direction they go, from one number to another. No
    more references are looked at than `visits`: where they are more, those of what is cited most are
    left out."""
    ends: tuple[Key, Key] = (
        (one.post, one.year, one.number),
        (other.post, other.year, other.number),
    )
    graph = view.graph
    from_: tuple[dict[Key, Key | None], dict[Key, Key | None]] = ({ends[0]: None}, {ends[1]: None})
    # What lies next on each side, and how many references there are to look at.
    fronts: list[dict[Key, int]] = [{end: 1} for end in ends]
    meeting: Key | None = ends[0] if ends[0] == ends[1] else None
    whole = True
    while meeting is None and all(fronts):
        # A circular that half the world cites is met from both sides before it is gone through.
        costs = [sum(front.values()) for front in fronts]
        side = 0 if costs[0] <= costs[1] else 1
        front = _within(fronts[side], visits)
        whole = whole and len(front) == len(fronts[side])
        visits -= sum(front.values())
        seen, others = from_[side], from_[1 - side]
        edges: list[tuple[Key, Key]] = [(e.source, e.target) for e in graph.cites(front)]
        edges += [(e.target, e.source) for e in graph.cited_by(front)]
        new: list[Key] = []
        for known, found in sorted(edges, key=str):
            if found not in seen:
                seen[found] = known
                new.append(found)
                if found in others and meeting is None:
                    meeting = found
        times = graph.times_cited(new) if meeting is None else {}
        fronts[side] = {key: 1 + (0 if isinstance(key, str) else times.get(key, 0)) for key in new}
    visited = len(from_[0]) + len(from_[1])
    if meeting is None:
        return Path((), (), visited, whole)
    keys: list[Key] = [meeting]
    while (before := from_[0][keys[0]]) is not None:
        keys.insert(0, before)
    while (after := from_[1][keys[-1]]) is not None:
        keys.append(after)
    thread_ = _assembled_path(view, keys)
    return Path(thread_.nodes, thread_.links, visited, True)


def _within(front: dict[Key, int], visits: int) -> dict[Key, int]:
    """The front without what is cited most, where all of it would be too much to look at."""
    if sum(front.values()) <= visits:
        return front
    chosen: dict[Key, int] = {}
    for key, cost in sorted(front.items(), key=lambda each: (each[1], str(each[0]))):
        visits -= cost
        if visits < 0:
            break
        chosen[key] = cost
    return chosen


def _assembled_path(view: View, keys: list[Key]) -> Thread:
    held = view.graph.held(keys)
    read = {key: view.numbered(telegrams[0].document) for key, telegrams in held.items()}
    edges = {frozenset((e.source, e.target)): e for e in view.graph.cites(keys)}
    nodes = tuple(
        _node(view, key, step, held.get(key, []), read.get(key)) for step, key in enumerate(keys)
    )
    links = tuple(_explicit(edges[frozenset(pair)], held, read) for pair in pairwise(keys))
    return Thread(key_text(keys[0]), nodes, links, ())


class MostCited(msgspec.Struct, frozen=True):
    """A number and how many telegrams cite it; the rest is `None` where it is not held or cannot be
    read."""

    mrn: str
    citing: int
    sent: str | None
    originator: str | None
    subject: str | None


def most_cited(
    view: View,
    *,
    post: str | None = None,
    year: int | None = None,
    query: str = "",
    limit: int = 20,
) -> tuple[MostCited, ...]:
    """The telegrams that most others cite, of a post, of a year, or among those that a query finds
    (ghosts are found by none)."""
    size = limit if not query else 10 * limit
    while True:
        ranked = view.graph.most_cited(size, post=post, year=year)
        if query:
            within = _that_match(view, query, [number for number, _ in ranked])
            chosen = [each for each in ranked if each[0] in within]
        else:
            chosen = ranked
        if len(chosen) >= limit or len(ranked) < size:
            return _told_of(view, chosen[:limit])
        size *= 10


def _told_of(view: View, ranked: list[tuple[Number, int]]) -> tuple[MostCited, ...]:
    held = view.graph.held([number for number, _ in ranked])
    found: list[MostCited] = []
    for number, count in ranked:
        t = view.numbered(held[number][0].document).telegram if held.get(number) else None
        sender = tables.addressee_name(t.originator.name) if t and t.originator else None
        found.append(
            MostCited(
                key_text(number), count, t.dtg if t else None, sender, t.subject if t else None
            )
        )
    return tuple(found)


def _that_match(view: View, query: str, numbers: list[Number]) -> set[Number]:
    """Which of these numbers a query finds."""
    found: set[Number] = set()
    for at in range(0, len(numbers), 50):
        some = {key_text(number): number for number in numbers[at : at + 50]}
        asked = f"({query}) ({' OR '.join(f'mrn:{text}' for text in some)})"
        for document in view.related(asked, "newest", 500):
            mrn = document.telegram.mrn
            if mrn is not None and mrn.short in some:
                found.add(some[mrn.short])
    return found
