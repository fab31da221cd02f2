"""Generated archives, and everything that a reader can observe of one.

What there is to observe is found by looking: every public method of a view, every function of the archive
that takes one, every route of the pages. One that nothing here asks fails the test.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

import reftel.archive
from reftel.access import OPEN, Label, Reader, Trail, parse_policy
from reftel.access.trail import FILE
from reftel.archive import Archive, QueryError, View
from reftel.sources import Incoming
from reftel.telegram import Mrn
from reftel.web import app
from reftel.web.readers import Asking, Readers

_POSTS = ("BERN", "OSLO")
_NUMBERS = range(1, 6)
_WORDS = "lamp harbour tide keeper fog zymurgist".split()
QUERIES = (
    "",
    "lamp",
    "zymurgst",
    '"lamp harbour"',
    "keep*",
    "post:BERN tide",
    "-fog",
    "class:S",
    "((",
)
_MRNS = tuple(Mrn.of(2007, post, number) for post in _POSTS for number in _NUMBERS)
_ABSENT = "f" * 64


class Sent(NamedTuple):
    """A telegram as it is filed: its text, and what happens to it by hand later."""

    text: str
    decided: Label | None


class World(NamedTuple):
    """Telegrams in the order of filing, so many at a time; and a day on which what is due falls open."""

    sent: tuple[Sent, ...]
    batch: int
    day: int


@st.composite
def _sent(draw: st.DrawFn) -> Sent:
    post, number = draw(st.sampled_from(_POSTS)), draw(st.sampled_from(_NUMBERS))
    level = draw(st.sampled_from(("UNCLAS", "UNCLAS", "C O N F I D E N T I A L", "S E C R E T")))
    caption = draw(st.sampled_from(("", "", "", "NODIS", "EXDIS", "SENSITIVE")))
    words = draw(st.lists(st.sampled_from(_WORDS), min_size=3, max_size=12))
    refs = draw(st.lists(st.sampled_from(_MRNS), max_size=2, unique=True))
    decl = draw(st.sampled_from(("N/A", "N/A", "DECL: 03/01/2017", "DECL: 03/01/2031")))
    ref = "".join(
        f"{'REF: ' if not at else ''}({chr(65 + at)}) {r.short} " for at, r in enumerate(refs)
    )
    text = (
        f"R {number:02d}0915Z MAR 07\nFM AMEMBASSY {post}\nTO SECSTATE WASHDC\n"
        f"{level} {post} {number:06d}\n\n{caption}\n\nE.O. 12958: {decl}\nTAGS: PREL\n"
        f"SUBJECT: {draw(st.sampled_from(('THE LIGHT', 'THE FOG')))}\n\n{ref}\n\n1. {' '.join(words)}\n\n"
        f"{draw(st.sampled_from(('DOE', 'ROE')))}\n"
    )
    decided = draw(
        st.sampled_from((*[None] * 6, OPEN, Label("SECRET"), Label("CONFIDENTIAL", ("NODIS",))))
    )
    return Sent(text, decided)


worlds = st.builds(
    World,
    st.lists(_sent(), min_size=2, max_size=9, unique_by=lambda each: each.text).map(tuple),
    st.integers(1, 4),
    st.sampled_from((20000101, 20310301)),
)
readers = st.builds(
    Reader,
    st.just("reader"),
    st.sampled_from(("", "UNCLASSIFIED", "SENSITIVE BUT UNCLASSIFIED", "CONFIDENTIAL", "SECRET")),
    st.frozensets(st.sampled_from(("NODIS", "EXDIS"))),
)


def filed(world: World, folder: Path, only: frozenset[int] | None = None) -> Archive:
    """The archive of a world, or of some of its telegrams; filed, decided upon, and some of it opened."""
    archive = Archive.open(folder)
    kept = [at for at in range(len(world.sent)) if only is None or at in only]
    for first in range(0, len(world.sent), world.batch):
        some = [at for at in kept if first <= at < first + world.batch]
        if some:
            archive.add([Incoming(f"{at}.txt", world.sent[at].text) for at in some])
    for at in kept:
        decided = world.sent[at].decided
        if decided is not None:
            digest = digests(archive)[at]
            archive.decide([digest], decided, who="roe", why="review")
    archive.open_due(world.day)
    return archive


def digests(archive: Archive) -> dict[int, str]:
    """Place in the world → digest."""
    rows = (archive._store.by_id(each) for each in archive._store.ids())
    return {int(row.origin.removesuffix(".txt")): row.digest.hex() for row in rows if row}


def open_to(archive: Archive, reader: Reader) -> frozenset[int]:
    """The places of the telegrams that a reader may read."""
    labels = archive._store.labels()
    rows = (archive._store.by_id(each) for each in archive._store.ids())
    return frozenset(
        int(row.origin.removesuffix(".txt"))
        for row in rows
        if row and reader.may_read(labels[row.label])
    )


def _all_digests(world: World) -> tuple[str, ...]:
    from reftel.archive.filing import digest_of

    return (*(digest_of(each.text).hex() for each in world.sent), _ABSENT, "0", "")


# What a view answers

_SKIPPED = {
    # Ids are the store's own; what they lead to is asked through what gives them.
    "View.numbered",
    # Cards are what a reader may know of besides; they are asked in a test of their own.
    "View.card",
    "View.cards",
    "Graph.held",
    "Graph.citing_documents",
    "ArchiveHeld.telegram",
}

SHOW_CARDS = {"View.withdrawn", "ghosts.missing", "threads.path", "threads.thread"}
"""What tells a reader of the cards of telegrams that this reader may know of and not read."""


def _questions(world: World) -> dict[str, Callable[[Any], Iterator[Any]]]:
    """For each thing to ask, the answers to it with many arguments."""
    names = [mrn.short for mrn in _MRNS]
    numbers = [(mrn.post, mrn.year, mrn.number) for mrn in _MRNS]
    known = _all_digests(world)

    def each(ask: Callable[..., Any], *arguments: Any) -> Iterator[Any]:
        for argument in arguments:
            yield _answer(lambda given=argument: ask(given))

    def of_documents(ask: Callable[[Any, Any], Any], view: Any) -> Iterator[Any]:
        for mrn in _MRNS:
            for document in view.cited_as(mrn):
                yield _answer(lambda given=document: ask(view, given))

    from reftel.archive import (
        batch,
        beside,
        follow,
        ghosts,
        graphml,
        likely,
        threads,
    )

    del beside, follow, graphml
    return {
        "View.count": lambda v: each(lambda _: v.count(), 0),
        "View.search": lambda v: (
            _answer(lambda q=q, o=o, at=at: v.search(q, order=o, limit=3, offset=at))
            for q in QUERIES
            for o in (None, "relevance", "newest", "oldest")
            for at in (0, 2)
        ),
        "View.named": lambda v: each(v.named, *names, "lamp"),
        "View.every": lambda v: each(lambda q: list(v.every(q, "oldest")), *QUERIES),
        "View.keys": lambda v: each(lambda q: list(v.keys(q)), *QUERIES),
        "View.hits": lambda v: each(lambda q: list(v.hits(q, list(v.keys(q))[::2])), *QUERIES),
        "View.like": lambda v: each(v.like, *known),
        "View.document": lambda v: each(v.document, *known, *(d[:2] for d in known)),
        "View.cited_as": lambda v: each(v.cited_as, *_MRNS),
        "View.last_number": lambda v: each(lambda post: v.last_number(post, 2007), *_POSTS, "ROME"),
        "View.variants": lambda v: each(v.variants, *known),
        "View.citing": lambda v: each(v.citing, *_MRNS),
        "View.held": lambda v: each(lambda _: sorted(v.held(names)), 0),
        "View.lost": lambda v: each(v.lost, *known),
        "View.related": lambda v: each(
            lambda q: [v.related(q, o, 3) for o in ("relevance", "newest", "oldest")], *QUERIES
        ),
        "View.withdrawn": lambda v: each(lambda post: v.withdrawn(post, 2007), *_POSTS),
        "View.whole": lambda v: each(lambda mrn: v.whole(v.cited_as(mrn)), *_MRNS),
        "Graph.cites": lambda v: each(lambda _: sorted(v.graph.cites(numbers), key=str), 0),
        "Graph.cited_by": lambda v: each(
            lambda _: sorted(v.graph.cited_by(numbers).items(), key=str), 0
        ),
        "Graph.most_cited": lambda v: each(lambda n: v.graph.most_cited(n), 1, 20),
        "Graph.cited_and_not_held": lambda v: each(
            lambda _: sorted(v.graph.cited_and_not_held()), 0
        ),
        "Graph.times_cited": lambda v: each(
            lambda _: sorted(v.graph.times_cited(numbers).items()), 0
        ),
        "Graph.edges": lambda v: each(lambda _: sorted(v.graph.edges(), key=str), 0),
        "Gaps.completeness": lambda v: each(lambda _: v.gaps.completeness(None, None), 0),
        "Gaps.interval": lambda v: each(v.gaps.interval, *numbers),
        "Gaps.gaps": lambda v: each(lambda post: v.gaps.gaps(post, 2007), *_POSTS),
        "Gaps.lost": lambda v: each(lambda post: v.gaps.lost(post, 2007), *_POSTS),
        "Gaps.addressed": lambda v: each(
            lambda post: v.gaps.addressed(post, 2007, v.gaps.gaps(post, 2007)), *_POSTS
        ),
        "Gaps.continuity": lambda v: each(lambda post: v.gaps.continuity(post, 2007), *_POSTS),
        "threads.thread": lambda v: each(lambda mrn: threads.thread(v, mrn), *_MRNS),
        "threads.path": lambda v: each(lambda mrn: threads.path(v, mrn, _MRNS[0]), *_MRNS[1:]),
        "threads.most_cited": lambda v: each(lambda q: threads.most_cited(v, query=q), *QUERIES),
        "ghosts.missing": lambda v: each(lambda post: ghosts.missing(v, post, 2007), *_POSTS),
        "ghosts.ghost": lambda v: each(lambda mrn: ghosts.ghost(v, mrn), *_MRNS),
        "likely.likely_links": lambda v: of_documents(likely.likely_links, v),
        "batch.search_all": lambda v: each(
            lambda o: list(batch.search_all(v, enumerate(QUERIES, 1), o)), "newest", "oldest"
        ),
    }


def _answer(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except QueryError as error:
        return f"{error.message} at {error.position}"


def _to_ask() -> set[str]:
    """All that a view can be asked."""
    found = set()
    kinds: list[type] = [View]
    for name, member in inspect.getmembers(View):
        if isinstance(member, property) and not name.startswith("_"):
            assert member.fget is not None
            kind = inspect.get_annotations(member.fget, eval_str=True).get("return")
            kinds.append(kind)
    for kind in kinds:
        for name, _ in inspect.getmembers(kind, inspect.isfunction):
            if not name.startswith("_"):
                found.add(f"{kind.__name__}.{name}")
    for module in pkgutil.iter_modules(reftel.archive.__path__):
        loaded = importlib.import_module(f"reftel.archive.{module.name}")
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            first = next(iter(inspect.signature(function).parameters.values()), None)
            own = function.__module__ == loaded.__name__ and not name.startswith("_")
            if own and first is not None and str(first.annotation) == "View":
                found.add(f"{module.name}.{name}")
    return found


def answers(view: View, world: World) -> dict[str, str]:
    """All that a view answers, as text."""
    questions = _questions(world)
    unasked = _to_ask() - questions.keys() - _SKIPPED
    assert not unasked, f"ask these in tests/access/worlds.py too: {sorted(unasked)}"
    return {
        name: _timeless(json.dumps([_plain(each) for each in ask(view)], default=str))
        for name, ask in questions.items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(each) for each in value]
    if isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value, str_keys=True)
    return value


def _timeless(text: str) -> str:
    """Without the times of the filing itself and of drafts, which are of the minute that it is, and without
    the boundaries of mail, which are drawn by lot."""
    text = re.sub("={15}[0-9]+==", "BOUNDARY", text)
    text = re.sub(r"\b\d{6}Z [A-Z]{3} (2[6-9]|3\d)\b", "NOW", text)
    times = r"T\d\d:\d\d(:\d\d)?(\.\d+)?(Z|\+00:00)|,? \d\d:\d\d UTC"
    return re.sub(rf"20(2[6-9]|3\d)-\d\d-\d\d({times})", "NOW", text)


# What the pages answer

_QUERY_STRINGS = {
    "/search": [f"?q={q}" for q in (*QUERIES, *(mrn.short for mrn in _MRNS))]
    + ["?q=&page=2&order=oldest"],
    "/search.json": [f"?q={q}" for q in QUERIES],
    "/api/search": [f"?q={q}" for q in QUERIES],
    "/api/export": [f"?q=&form={form}" for form in ("csv", "jsonl", "text", "bibtex", "mbox")],
    "/desk": ["", "?reply=07BERN1", "?reply=07BERN2", "?draft=mine"],
    "/cited": ["", "?q=lamp"],
    "/missing": ["", "?post=BERN&year=2007", "?post=OSLO&year=2007"],
    "/missing.json": ["", "?post=BERN&year=2007"],
    "/api/missing": ["", "?post=BERN"],
    "/api/cited": ["", "?q=lamp"],
}
_DRAFT = "FROM: BERN\nTO: STATE\nSUBJECT: LAMP\nREF: 07 BERN 1, 07 BERN 2, 07 OSLO 3\n\n1. (U) It burned.\n"
_BODIES: dict[str, dict[str, Any]] = {
    "/desk": {"data": {"draft": _DRAFT, "name": "mine", "do": "save"}},
    "/desk/look": {"json": {"draft": _DRAFT}},
    "/saved": {"data": {"name": "lamps", "q": "lamp"}},
    "/saved/{name}": {"data": {"do": "mark"}},
    "/api/search/batch": {"json": {"queries": list(QUERIES)}},
    "/api/saved/{name}": {"json": {"query": "lamp"}},
    "/api/saved/{name}/seen": {"json": {}},
}
_SUFFIXES = {"/t/{number:path}": ("", ".json", ".txt"), "/d/{digest:path}": ("", ".json", ".txt")}
# The trail says what other readers did: it is for auditors, who see it on purpose.
_NO_ANSWERS = {"/audit"}


def pages(archive: Archive, reader: Reader, world: World, folder: Path) -> dict[str, str]:
    """All that the pages answer to a reader: status, headers and body of every route."""
    seen: dict[str, str] = {}
    with Trail(folder / FILE) as trail:
        asking = Asking(reader, "192.0.2.7", True)
        the_app = app(
            archive, readers=Readers(parse_policy("", folder), trail), who=lambda _: asking
        )
        client = TestClient(the_app, raise_server_exceptions=True)
        for method, path, url, body in _requests(the_app.routes, world):
            answer = client.request(method, url, follow_redirects=False, **body)
            headers = {k: v for k, v in answer.headers.items() if k not in ("date",)}
            seen[f"{method} {path} {url}"] = _timeless(
                f"{answer.status_code}\n{json.dumps(headers)}\n{answer.text}"
            )
    return seen


def _requests(routes: Any, world: World) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    values = {
        "number": [mrn.short for mrn in _MRNS],
        "digest": [d for d in _all_digests(world) if len(d) > 1],
        "left": [d for d in _all_digests(world) if len(d) > 1][:4],
        "right": [_all_digests(world)[0]],
        "name": ["lamps"],
        "other": ["07BERN2"],
        "post": list(_POSTS),
        "year": ["2007"],
    }
    # What is kept is kept first, so that what shows it has something to show.
    order = {"PUT": 0, "POST": 1, "GET": 2, "DELETE": 3}
    found = []
    for route in routes:
        if isinstance(route, Mount):
            continue
        assert isinstance(route, Route)
        methods = (route.methods or set()) - {"HEAD"}
        if route.path not in _NO_ANSWERS:
            found += [(order[method], method, route.path) for method in methods]
    for _, method, path in sorted(found):
        body: dict[str, Any] = {}
        if method in ("POST", "PUT"):
            assert path in _BODIES, f"say in tests/access/worlds.py what is sent to {path}"
            body = _BODIES[path]
        urls = [path]
        for name in re.findall(r"\{(\w+)", path):
            assert name in values, f"say in tests/access/worlds.py what {name} of {path} can be"
            urls = [
                re.sub(rf"\{{{name}(:\w+)?\}}", value, url)
                for url in urls
                for value in values[name]
            ]
        endings = _SUFFIXES.get(path, ("",)) if method == "GET" else ("",)
        strings = _QUERY_STRINGS.get(path, [""]) if method == "GET" else [""]
        for url in urls:
            for ending in endings:
                for string in strings:
                    yield method, path, f"{url}{ending}{string}", body
