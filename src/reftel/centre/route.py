"""Where a message goes: its routing line parted by circuit (ACP 127 301-309; wire-format.md 4.3).

Every indicator of the line ends in exactly one place: a circuit, this station, or the operator, with the
reason. A circuit carries only the indicators that it is responsible for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from reftel.centre.config import Config
from reftel.centre.scan import RANKS, may_carry


class Way(msgspec.Struct, frozen=True):
    """One path onward: a circuit, the stations that it is to serve, the prosign of format line 2."""

    circuit: str
    routing: tuple[str, ...]
    letter: str


class Routed(msgspec.Struct, frozen=True):
    """What becomes of a routing line. `refused` are (routing indicator, reason) for the operator."""

    ways: tuple[Way, ...]
    local: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


class Plan:
    """The routing table of a configuration, looked up by the longest prefix."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._ours = config.ours
        self._routes = {route.to: route.circuits for route in config.route}
        self._longest = max(map(len, self._routes), default=0)
        self._cleared = {circuit.name: circuit.cleared for circuit in config.circuit}
        self._found: dict[str, tuple[str, ...]] = {}
        self._lent: dict[str, tuple[str, ...]] = {}
        self.expanded = {
            entry.routing_indicator: entry.name
            for name in config.station.expand
            if (entry := config.directory.named(name)) and entry.routing_indicator
        }

    def lend(self, indicator: str, circuit: str) -> None:
        """A neighbour takes traffic for a station, as the last alternate, until the plan is made anew."""
        known = self.circuits(indicator)
        if circuit not in known:
            self._lent[indicator] = (*known, circuit)

    def beside(self, circuit: str) -> frozenset[str]:
        """The circuits that serve some station together with this one, itself among them: whose traffic may
        go another way when this one goes up or down. None where no station has a choice."""
        ways = (*self._routes.values(), *self._lent.values())
        return frozenset(
            each for circuits in ways if circuit in circuits and circuits[1:] for each in circuits
        )

    def circuits(self, indicator: str) -> tuple[str, ...]:
        """The circuits that lead to a station, the first choice first; none if it is not known."""
        if (lent := self._lent.get(indicator)) is not None:
            return lent
        if (found := self._found.get(indicator)) is not None:
            return found
        for length in range(min(len(indicator), self._longest), 0, -1):
            if circuits := self._routes.get(indicator[:length]):
                break
        else:
            circuits = ()
        if len(self._found) < 10_000:
            self._found[indicator] = circuits
        return circuits

    def route(
        self,
        routing: tuple[str, ...],
        letter: str,
        *,
        came_by: str | None,
        classification: str | None,
        is_up: Callable[[str], bool],
        letters: Mapping[str, str] | None = None,
        exempt: frozenset[str] = frozenset(),
    ) -> Routed:
        """Part a routing line.

        A circuit that is down gives way to the next alternate that is up; where none is, the message
        waits for the first. Nothing goes back the way it came. `letters` are the prosigns that single
        stations deserve (dual precedence, 152), `exempt` the routing indicators of format line 9.
        """
        local: list[str] = []
        refused: list[tuple[str, str]] = []
        paths: dict[str, list[str]] = {}
        for indicator in self._members(routing, exempt):
            if indicator in self._ours:
                local.append(indicator)
                continue
            known = self.circuits(indicator)
            onward = [each for each in known if each != came_by]
            cleared = [each for each in onward if may_carry(self._cleared[each], classification)]
            if not known:
                refused.append((indicator, "no route leads to it"))
            elif not onward:
                refused.append((indicator, f"its only route leads back over {came_by}: a loop"))
            elif not cleared:
                level = classification or "a message without a security warning"
                refused.append((indicator, f"no circuit to it may carry {level}"))
            else:
                circuit = next((each for each in cleared if is_up(each)), cleared[0])
                paths.setdefault(circuit, []).append(indicator)
        ways = tuple(
            Way(circuit, tuple(indicators), _letter(indicators, letter, letters))
            for circuit, indicators in paths.items()
        )
        return Routed(ways, tuple(local), tuple(refused))

    def _members(self, routing: tuple[str, ...], exempt: frozenset[str]) -> list[str]:
        """The indicators, with the collectives that we expand taken apart, each once."""
        if self.expanded.keys().isdisjoint(routing):
            return list(dict.fromkeys(routing))
        found: dict[str, None] = {}
        for indicator in routing:
            if (collective := self.expanded.get(indicator)) is None:
                found[indicator] = None
                continue
            for member in self._config.directory.members(collective):
                if member.routing_indicator and member.routing_indicator not in exempt:
                    found[member.routing_indicator] = None
        return list(found)


def _letter(indicators: list[str], letter: str, letters: Mapping[str, str] | None) -> str:
    if letters is None:
        return letter
    return min((letters.get(each, letter) for each in indicators), key=lambda each: RANKS[each])
