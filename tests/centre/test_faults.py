"""Three centres under kills, cuts, spoilt bytes, full disks and moved clocks: whatever was accepted arrives,
once or marked, or lies with an operator."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from pathlib import Path

import pytest
from tests.instruments.world import World, telegram

KILLS = int(os.environ.get("REFTEL_KILLS", "8"))
"""How often a centre is killed: a few in the suite, `REFTEL_KILLS=1000` by hand."""


async def _faults(world: World, rng: random.Random) -> dict[str, set[str]]:
    """Traffic among three stations while one is killed again and again and everything else goes wrong; the
    subjects of the telegrams accepted, by their station."""
    accepted: dict[str, set[str]] = {name: set() for name in world.STATIONS}
    ending = False

    async def traffic(name: str) -> None:
        number = 0
        others = [each for each in world.STATIONS if each != name]
        while not ending:
            number += 1
            to = tuple(each.upper() for each in others[: rng.choice((1, 2))])
            record = telegram(
                name.upper(),
                to,
                number,
                precedence=rng.choice(("ROUTINE", "PRIORITY", "IMMEDIATE")),
            )
            try:
                await asyncio.to_thread(world.processes[name].send, record)
            except OSError:
                # Not acknowledged: it may be there or not, and is not counted.
                await asyncio.sleep(0.05)
                continue
            for each in to:
                accepted[each.lower()].add(record.subject or "")
            await asyncio.sleep(0.01)

    async def weather() -> None:
        while not ending:
            line = rng.choice(list(world.lines.values()))
            what = rng.random()
            if what < 0.4:
                line.cut()
            elif what < 0.6:
                line.open = False
                line.cut()
                await asyncio.sleep(rng.uniform(0.1, 0.6))
                line.open = True
            elif what < 0.8:
                line.spoil = 0.02
                await asyncio.sleep(0.2)
                line.spoil = 0.0
            await asyncio.sleep(rng.uniform(0.1, 0.5))

    async def mischief() -> None:
        """Full disks, and clocks that jump."""
        while not ending:
            await asyncio.sleep(rng.uniform(0.5, 2.0))
            victim = rng.choice(list(world.processes.values()))
            if rng.random() < 0.5:
                victim.move_clock(rng.choice((-90_000.0, -30.0, 0.0, 45.0, 4000.0, 100_000.0)))
                continue
            with contextlib.suppress(OSError):
                victim.fill_disk(True)
                await asyncio.sleep(rng.uniform(0.3, 1.5))
                victim.fill_disk(False)

    tasks = [asyncio.create_task(traffic(name)) for name in world.STATIONS]
    tasks += [asyncio.create_task(weather()), asyncio.create_task(mischief())]
    for _ in range(KILLS):
        await asyncio.sleep(rng.uniform(0.05, 0.6))
        victim = rng.choice(list(world.processes.values()))
        await asyncio.to_thread(victim.kill)
        victim.start()
        if rng.random() < 0.7:
            await asyncio.to_thread(victim.ready)
    ending = True
    await asyncio.gather(*tasks)
    for line in world.lines.values():
        line.open, line.spoil = True, 0.0
    for process in world.processes.values():
        with contextlib.suppress(OSError):
            process.fill_disk(False)
        process.move_clock(0.0)
        await asyncio.to_thread(process.ready)
    await world.settle(180)
    return accepted


def test_nothing_accepted_is_lost_and_nothing_comes_twice_unmarked(tmp_path: Path) -> None:
    """Kill -9 at random moments, lines cut, bytes spoilt, disks full, clocks moved: each accepted telegram is
    delivered at each of its stations exactly once, or again only with a pilot that says so, or an operator
    has it; and the journals agree."""
    seed = random.randrange(10**9)
    print(f"seed {seed}")

    async def run() -> None:
        async with World(tmp_path) as world:
            accepted = await _faults(world, random.Random(seed))
            lost: list[str] = []
            twice: list[str] = []
            with_operators = world.with_operators()
            for name, subjects in accepted.items():
                fates = world.fates(name)
                lost += [
                    f"{s} at {name}"
                    for s in subjects
                    if not fates.get(s) and s not in with_operators
                ]
                twice += [
                    f"{s} at {name}: {f}" for s, f in fates.items() if f.count("delivered") > 1
                ]
            total = sum(map(len, accepted.values()))
            kills = sum(process.kills for process in world.processes.values())
            print(
                f"{total} accepted deliveries, {kills} kills, {len(lost)} lost, {len(twice)} twice,"
                f" {len(with_operators)} with operators"
            )
            assert total > KILLS
            assert lost == []
            assert twice == []
            assert world.disagreements() == []
        assert world.verify() == []

    asyncio.run(run())


if __name__ == "__main__":
    pytest.main([__file__, "-s"])
