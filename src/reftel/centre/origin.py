"""Telegrams of this station's own people: given a heading, a serial and a routing line, and accepted.

What a draft leaves to the message centre is put on here (ACP 127 115, 303): format lines 1 to 4, separate
transmissions for FLASH, sections, continuity numbers in State's form.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from reftel.centre import accepting
from reftel.centre.accepting import Accepted
from reftel.centre.journal import Changes
from reftel.centre.numbers import after
from reftel.centre.scan import onward, scan_text
from reftel.centre.station import Station
from reftel.telegram import Addressee, Procedure, Telegram, Wire
from reftel.telegram import Station as Originator
from reftel.write import CannotWriteError, split
from reftel.write.wire import letter_of

_LETTERS = {
    "UNCLASSIFIED": "ZNR UUUUU",
    "SENSITIVE BUT UNCLASSIFIED": "ZNR UUUUU",
    "LIMITED OFFICIAL USE": "ZNY CCCCC",
    "CONFIDENTIAL": "ZNY CCCCC",
    "SECRET": "ZNY SSSSS",
    "TOP SECRET": "ZNY TTTTT",
}


class NotSendable(ValueError):  # noqa: N818
    """A telegram that cannot be sent as it is; `problems` says why, and what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


async def send(station: Station, telegram: Telegram, who: str) -> list[Accepted]:
    """Take on a telegram from `who`, who releases it: each of its transmissions is in the journal when
    this returns. Raises `NotSendable` before anything is written."""
    changes = Changes()
    texts = _written(station, telegram, changes)
    for text in texts:
        if wrong := next((each for each in text if ord(each) > 255), None):
            raise NotSendable([f"no circuit can carry {wrong!r}; write it otherwise"])
    if telegram.precedence == "FLASH" and telegram.info_precedence not in (None, "FLASH"):
        lower = letter_of(telegram.info_precedence or "ROUTINE")
        informed = set(_served(station, telegram.info))
        informed -= set(_served(station, telegram.action))
        texts = [part for text in texts for part in _parted(text, informed, lower)]
    changes.entry(
        "released",
        station.clock(),
        who=who,
        name=telegram.mrn.short if telegram.mrn else None,
        transmissions=len(texts),
    )
    await station.commit(changes)
    return [await accepting.accept(station, None, text.encode("latin-1")) for text in texts]


def _parted(text: str, informed: set[str], lower: str) -> list[str]:
    """FLASH with anything lower goes as two transmissions (ACP 127 152.e), alike but for their format
    line 2: to the action stations, and to those that are only informed."""
    scanned = scan_text(text)
    first = tuple(each for each in scanned.routing if each not in informed)
    second = tuple(each for each in scanned.routing if each in informed)
    return [
        onward(scanned, None, stations, letter)
        for stations, letter in ((first, "Z"), (second, lower))
        if stations
    ]


def _served(station: Station, addressees: tuple[Addressee, ...]) -> list[str]:
    return [each for addressee in addressees for each in _stations(station, addressee, set())]


def _written(station: Station, telegram: Telegram, changes: Changes) -> list[str]:
    """The wire text of each section, with this station's heading."""
    config = station.config
    form = config.station.form
    problems: list[str] = []
    originator = telegram.originator or Originator(config.station.name)
    entry = config.directory.named(originator.name)
    if entry is not None and entry.routing_indicator not in (None, *config.ours):
        problems.append(
            f"originator: {originator.name} is served by {entry.routing_indicator}, not here"
        )
    action = tuple(_addressed(station, each, problems) for each in telegram.action)
    info = tuple(_addressed(station, each, problems) for each in telegram.info)
    if not action and not info:
        problems.append("it has no addressee; give TO or INFO")
    exempt = {"".join(each.name.upper().split()) for each in telegram.exempt}
    routing: dict[str, None] = {}
    for each in (*action, *info):
        for indicator in _stations(station, each, exempt):
            routing[indicator] = None
    if problems:
        raise NotSendable(problems)
    if form == "state":
        action = tuple(_numbered(station, each, changes) for each in action)
        info = tuple(_numbered(station, each, changes) for each in info)
    now = datetime.fromtimestamp(station.clock(), UTC)
    serial = _serial(station, telegram, changes, form)
    heading = Procedure(
        precedence=(telegram.precedence or "ROUTINE").removeprefix("NIACT "),
        routing=tuple(routing),
        station=config.station.routing_indicator,
        serial=serial,
        filed=station.filed(),
        security=_LETTERS[telegram.classification or "TOP SECRET"],
        instructions="ZZH" if form == "state" else None,
    )
    ready = msgspec.structs.replace(
        telegram,
        originator=originator,
        action=action,
        info=info,
        precedence=telegram.precedence or "ROUTINE",
        dtg=(telegram.dtg or now.strftime("%Y-%m-%dT%H:%M"))[:16] + ":00Z",
        wire=Wire(form, (heading,)),
        transmission=None,
    )
    try:
        texts = split(ready, form=form)
    except (CannotWriteError, ValueError) as error:
        raise NotSendable(getattr(error, "problems", [str(error)])) from None
    if form == "acp127":
        for _ in texts[1:]:
            station.next_serial(changes)
    return [str(text) for text in texts]


def _serial(station: Station, telegram: Telegram, changes: Changes, form: str) -> str:
    """State's serial is the telegram number (6.1); ACP 127's the centre's own sequence."""
    if form == "state" and telegram.mrn is not None:
        return f"#{telegram.mrn.number % 10000:04d}"
    number = station.next_serial(changes)
    return f"#{number}" if form == "state" else number


def _addressed(station: Station, addressee: Addressee, problems: list[str]) -> Addressee:
    """The addressee with the routing indicator of the directory, where none is given."""
    if addressee.routing_indicator:
        return addressee
    entry = station.config.directory.named(addressee.name)
    if entry is None or not (entry.routing_indicator or entry.members):
        problems.append(
            f"{addressee.name}: the directory has no routing indicator for it; add it, or write"
            f" INDICATOR/{addressee.name}"
        )
        return addressee
    if station.config.station.form == "acp127" or entry.routing_indicator is None:
        return addressee
    return msgspec.structs.replace(addressee, routing_indicator=entry.routing_indicator)


def _stations(station: Station, addressee: Addressee, exempt: set[str]) -> list[str]:
    """The routing indicators that serve an addressee; of a collective, those of its members."""
    directory = station.config.directory
    entry = directory.named(addressee.name)
    if entry is not None and entry.kind == "collective":
        if entry.routing_indicator and entry.name not in station.config.station.expand:
            return [entry.routing_indicator]
        members = directory.members(addressee.name)
        return [
            each.routing_indicator
            for each in members
            if each.routing_indicator and "".join(each.name.upper().split()) not in exempt
        ]
    indicator = addressee.routing_indicator or (entry.routing_indicator if entry else None)
    return [indicator] if indicator else []


def _numbered(station: Station, addressee: Addressee, changes: Changes) -> Addressee:
    """With the next continuity number to this addressee (FAH-2 H-321.7)."""
    if addressee.mcn:
        return addressee
    key = f"mcn-out:{addressee.name}"
    number = after(int(station.values.get(key, "0")), 4)
    station.put(changes, key, number)
    return msgspec.structs.replace(addressee, mcn=f"{number:04d}")
