"""The state of a centre in the text format of Prometheus (version 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable

from reftel.centre.readers import offices
from reftel.centre.station import WAIT_BUCKETS, Station
from reftel.centre.status import status
from reftel.read.dtg import PRECEDENCES

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_WORDS = ("FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE")
_Sample = tuple[str, dict[str, str], float]


def metrics(station: Station) -> str:
    """What Prometheus takes from `/metrics`; docs/centre.md lists the families."""
    now = status(station)
    waiting = {(c.name, each.precedence): each for c in now.circuits for each in c.waiting}
    places = [(c.name, word) for c in now.circuits for word in _WORDS]
    places += [key for key in waiting if key[1] not in _WORDS]
    lines = _family(
        "reftel_queue_messages",
        "gauge",
        "Messages that wait, by circuit and precedence.",
        (("", _queue(key), waiting[key].count if key in waiting else 0) for key in places),
    )
    lines += _family(
        "reftel_queue_oldest_seconds",
        "gauge",
        "Age of the oldest message that waits, by circuit and precedence.",
        (("", _queue(key), waiting[key].oldest_s if key in waiting else 0) for key in places),
    )
    lines += _family(
        "reftel_circuit_up",
        "gauge",
        "Whether a circuit is up.",
        (("", {"circuit": each.name}, int(each.up)) for each in now.circuits),
    )
    lines += _family(
        "reftel_circuit_on_the_way",
        "gauge",
        "Messages sent and not yet known to be safe at the other end.",
        (("", {"circuit": each.name}, each.on_the_way) for each in now.circuits),
    )
    for name, kind, what, value in (
        ("here", "gauge", "Messages being delivered at this station.", now.here),
        ("operator", "gauge", "Messages in the operator's queue.", now.operator),
        ("held", "gauge", "Messages that a person put aside.", now.held),
        ("awaited", "gauge", "Numbers, repeats and acknowledgements awaited.", len(now.awaited)),
        ("alerts", "gauge", "Alerts.", len(now.alerts)),
        ("grave_alerts", "gauge", "Grave alerts.", sum(each.grave for each in now.alerts)),
        ("journal_writable", "gauge", "Whether the journal can be written.", int(now.healthy)),
        ("messages", "gauge", "The number of the newest message.", now.messages),
    ):
        lines += _family(f"reftel_{name}", kind, what, [("", {}, value)])
    lines += _family(
        "reftel_unread",
        "gauge",
        "Telegrams that nobody has read, by office.",
        (("", {"office": each.office}, each.unread) for each in offices(station)),
    )
    lines += _family(
        "reftel_events_total",
        "counter",
        "What happened since the start, by kind.",
        (("", {"event": kind}, count) for kind, count in sorted(station.count.items())),
    )
    lines += _family(
        "reftel_first_byte_seconds",
        "histogram",
        "Time from acceptance to the first byte sent, by precedence.",
        _first_bytes(station),
    )
    return "\n".join(lines) + "\n"


def _queue(key: tuple[str, str]) -> dict[str, str]:
    return {"circuit": key[0], "precedence": key[1]}


def _first_bytes(station: Station) -> Iterable[_Sample]:
    for letter, (total, count, buckets) in sorted(station.waited.items()):
        label = {"precedence": PRECEDENCES.get(letter, letter)}
        for limit, number in zip(WAIT_BUCKETS, buckets, strict=True):
            yield "_bucket", {**label, "le": str(limit)}, number
        yield "_bucket", {**label, "le": "+Inf"}, count
        yield "_sum", label, total
        yield "_count", label, count


def _family(
    name: str,
    kind: str,
    what: str,
    samples: Iterable[_Sample],
) -> list[str]:
    lines = [f"# HELP {name} {what}", f"# TYPE {name} {kind}"]
    for suffix, labels, value in samples:
        said = ",".join(f'{key}="{_escaped(each)}"' for key, each in labels.items())
        lines.append(f"{name}{suffix}{{{said}}} {value}" if said else f"{name}{suffix} {value}")
    return lines


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
