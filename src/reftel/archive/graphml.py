"""Threads and the whole graph of references as GraphML (http://graphml.graphdrawing.org), which networkx,
Gephi, yEd and igraph read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape, quoteattr

from reftel.archive.graph import Graph
from reftel.archive.relations import NAMED, POINTED, REFERENCE
from reftel.archive.threads import Link, Node, key_text

_NODE_FIELDS = (
    "mrn",
    "digest",
    "sent",
    "from",
    "to",
    "subject",
    "classification",
    "after",
    "before",
)
_LINK_FIELDS = ("kind", "does", "sure", "why")
# What XML 1.0 cannot hold in any spelling.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns'
    ' http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">\n'
)
_TAIL = "</graph>\n</graphml>\n"


def thread_graphml(nodes: Iterable[Node], links: Iterable[Link]) -> str:
    """Telegrams as nodes, `held` false for ghosts; links as directed edges, from the telegram that
    refers to the one that it refers to."""
    parts = [
        _HEAD,
        *(_key(name, "node", "string") for name in _NODE_FIELDS),
        _key("held", "node", "boolean"),
        *(_key(name, "edge", "string") for name in _LINK_FIELDS),
        '<graph id="thread" edgedefault="directed">\n',
    ]
    for node in nodes:
        values = (
            node.mrn,
            node.digest,
            node.sent,
            node.originator,
            "; ".join(node.to),
            node.subject,
            node.classification,
            node.after,
            node.before,
        )
        data = [_data(name, value) for name, value in zip(_NODE_FIELDS, values, strict=True)]
        data.append(_data("held", "true" if node.digest else "false"))
        parts.append(f"<node id={_quoted(node.key)}>{''.join(data)}</node>\n")
    for link in links:
        said = (link.kind, link.does, link.sure, link.why)
        data = [_data(name, value) for name, value in zip(_LINK_FIELDS, said, strict=True)]
        ends = f"source={_quoted(link.source)} target={_quoted(link.target)}"
        parts.append(f"<edge {ends}>{''.join(data)}</edge>\n")
    return "".join([*parts, _TAIL])


def whole_graphml(graph: Graph) -> Iterator[str]:
    """Every reference that there is, a piece at a time: nodes by number, edges with how each number is
    cited (`reference`, `named`, `pointed`)."""
    yield _HEAD
    for name in ("reference", "named", "pointed"):
        yield _key(name, "edge", "boolean")
    yield '<graph id="references" edgedefault="directed">\n'
    known: set[str] = set()
    for edge in graph.edges():
        source, target = key_text(edge.source), key_text(edge.target)
        for name in (source, target):
            if name not in known:
                known.add(name)
                yield f"<node id={_quoted(name)}/>\n"
        data = [
            _data(name, "true" if edge.how & bit else "false")
            for name, bit in (("reference", REFERENCE), ("named", NAMED), ("pointed", POINTED))
        ]
        yield f"<edge source={_quoted(source)} target={_quoted(target)}>{''.join(data)}</edge>\n"
    yield _TAIL


def _key(name: str, of: str, kind: str) -> str:
    return f'<key id="{name}" for="{of}" attr.name="{name}" attr.type="{kind}"/>\n'


def _data(name: str, value: str | None) -> str:
    return f'<data key="{name}">{escape(_NOT_XML.sub(" ", value))}</data>' if value else ""


def _quoted(text: str) -> str:
    return quoteattr(_NOT_XML.sub(" ", text))
