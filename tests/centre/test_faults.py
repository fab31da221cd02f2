"""Three centres under kills, cuts and spoilt bytes: whatever was accepted arrives, once or marked."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest
from tests.instruments.world import World, telegram

KILLS = int(os.environ.get("REFTEL_KILLS", "12"))
"""How often a centre is killed: a few in the suite, `REFTEL_KILLS=1000` by hand."""


async def _faults(folder: Path, seed: int, **circuit: object) -> tuple[World, dict[str, set[str]]]:
    """Traffic among three stations while one is killed again and again and lines are cut and spoilt."""
    rng = random.Random(seed)
    world = World(folder, **circuit)
    accepted: dict[str, set[str]] = {name: set() for name in world.STATIONS}
    ending = False
    await world.start()

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

    tasks = [asyncio.create_task(traffic(name)) for name in world.STATIONS]
    tasks.append(asyncio.create_task(weather()))
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
        await asyncio.to_thread(process.ready)
    await world.settle(180)
    return world, accepted


def test_nothing_accepted_is_lost_and_nothing_comes_twice_unmarked(tmp_path: Path) -> None:
    """Kill -9 at random moments, lines cut and bytes spoilt: each accepted telegram is delivered at each of
    its stations exactly once, or again only with a pilot that says so."""
    seed = random.randrange(10**9)
    print(f"seed {seed}")

    async def run() -> None:
        world, accepted = await _faults(tmp_path, seed)
        try:
            lost: list[str] = []
            twice: list[str] = []
            for name, subjects in accepted.items():
                fates = world.fates(name)
                lost += [f"{s} at {name}" for s in subjects if not fates.get(s)]
                twice += [
                    f"{s} at {name}: {f}" for s, f in fates.items() if f.count("delivered") > 1
                ]
            total = sum(map(len, accepted.values()))
            kills = sum(process.kills for process in world.processes.values())
            print(
                f"{total} accepted deliveries, {kills} kills, {len(lost)} lost, {len(twice)} twice"
            )
            assert total > KILLS
            assert lost == []
            assert twice == []
        finally:
            await world.stop()
        assert world.verify() == []

    asyncio.run(run())


if __name__ == "__main__":
    pytest.main([__file__, "-s"])
