"""What waits when circuits fail, come back or go from the configuration; and a configuration taken anew."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest
from tests.instruments.station import CONFIG, DIRECTORY, Bench, bench, message, run
from tests.instruments.world import Process, free_port, telegram

from reftel.centre import sending
from reftel.centre.config import load_config, parse_config
from reftel.centre.running import Centre

SOUTH = CONFIG[CONFIG.index('[[circuit]]\nname = "south"') : CONFIG.index('[[route]]\nto = "QZBB"')]


def without_south(text: str = CONFIG) -> str:
    text = text.replace(SOUTH, "")
    return text.replace('["north", "south"]', '["north"]').replace(
        '["south", "north"]', '["north"]'
    )


def test_what_was_on_its_way_over_a_circuit_that_stays_down_goes_by_the_alternate_marked(
    tmp_path: Path,
) -> None:
    """FLASH after a tenth of the time; without an alternate that is up it stays."""

    async def trial(b: Bench) -> None:
        await b.up("south")
        await b.take(None, message(routing="QZCCSM", serial="0001", origin="QZAAMF"))
        await b.take(None, message(routing="QZCCSM", serial="0002", origin="QZAAMF", letter="Z"))
        await sending.next_transmissions(b.station, "south", 2)
        await sending.circuit_changed(b.station, "south", False, "cut")
        await b.move_clock(7)
        await sending.free_the_doubtful(b.station)
        assert len(b.station.circuits["south"].flight) == 2, "nothing else is up"
        await b.up("north")
        await sending.free_the_doubtful(b.station)
        [flash] = await b.give("north")
        assert "DE QZAAMF 0002" in flash
        assert "\nZNR UUUUU ZFD QZAAMF\n" in flash
        await b.move_clock(54)
        await sending.free_the_doubtful(b.station)
        [other] = await b.give("north")
        assert "DE QZAAMF 0001" in other
        assert " ZFD QZAAMF" in other

    with bench(tmp_path) as b:
        run(trial(b))


def test_what_waits_for_a_circuit_that_is_gone_goes_by_the_routes_that_are_left(
    tmp_path: Path,
) -> None:
    """What was on its way is marked; what no circuit may carry lies with the operator, who can act on it."""

    async def trial(b: Bench) -> None:
        await b.up("north", "south")
        await b.take(None, message(routing="QZCCSM", serial="0001", origin="QZAAMF"))
        await sending.next_transmissions(b.station, "south", 1)
        await b.take(None, message(routing="QZCCSM", serial="0002", origin="QZAAMF"))
        b.station.reconfigure(parse_config(without_south(), tmp_path))
        await sending.replan(b.station)
        sent = await b.give("north")
        assert ["0001" in text and " ZFD " in text for text in sent].count(True) == 1
        assert ["0002" in text and " ZFD " not in text for text in sent].count(True) == 1
        assert b.operator() == []

    with bench(tmp_path) as b:
        run(trial(b))


def test_what_becomes_ours_is_delivered_here(tmp_path: Path) -> None:
    async def trial(b: Bench) -> None:
        await sending.circuit_changed(b.station, "south", False, "cut")
        await b.take("north", message("BBA001", "QZCCSM"))
        text = CONFIG.replace('also = ["QZAATR"]', 'also = ["QZAATR", "QZCCSM"]')
        b.station.reconfigure(parse_config(text, tmp_path))
        await sending.replan(b.station)
        assert [duty.routing for duty in b.station.here] == [("QZCCSM",)]
        assert len(b.station.circuits["south"].queue) == 0

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_circuit_may_not_carry_what_it_is_no_longer_cleared_for(tmp_path: Path) -> None:
    """The clearance is looked at again when a message goes (8.2)."""

    async def trial(b: Bench) -> None:
        await b.up("south")
        text = "C O N F I D E N T I A L NORDHAVEN 0412\n1. TALKS."
        await b.take("north", message("BBA001", "QZCCSM", security="ZNY CCCCC", text=text))
        lower = CONFIG.replace('cleared = "CONFIDENTIAL"', 'cleared = "UNCLASSIFIED"')
        b.station.reconfigure(parse_config(lower, tmp_path))
        assert await b.give("south") == []
        [duty] = b.operator()
        assert "south may not carry CONFIDENTIAL any more" in (duty.note or "")

    with bench(tmp_path) as b:
        run(trial(b))


def test_a_configuration_is_taken_anew_or_left_alone(tmp_path: Path) -> None:
    """Without a restart; one with mistakes, or that cannot be put into effect, changes nothing and says why."""
    (tmp_path / "directory.toml").write_text(DIRECTORY)
    path = tmp_path / "centre.toml"
    first, second = free_port(), free_port()
    good = CONFIG.replace('"127.0.0.1:1"', f'"127.0.0.1:{first}"')
    good = good.replace('"127.0.0.1:2"', f'"127.0.0.1:{second}"')
    path.write_text(good)

    async def answers(port: int) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True

    async def trial() -> None:
        centre = Centre(path, load_config(path))
        await centre.start()
        try:
            path.write_text(good.replace('to = "QZBB"', 'too = "QZBB"'))
            assert any("'too'" in problem for problem in await centre.reload())
            assert await answers(second)
            with socket.create_server(("127.0.0.1", 0)) as taken:
                port = taken.getsockname()[1]
                path.write_text(good.replace(f":{second}", f":{port}"))
                [problem] = await centre.reload()
                assert "cannot be put into effect" in problem
                assert await answers(second), "the old place is listened at again"
                assert centre.station.config.named("south").listen == f"127.0.0.1:{second}"
            path.write_text(without_south().replace('"127.0.0.1:1"', f'"127.0.0.1:{first}"'))
            assert await centre.reload() == []
            assert not await answers(second)
            assert await answers(first)
        finally:
            await centre.stop()

    run(trial())


def test_sighup_takes_the_configuration_and_the_directory_anew_and_cuts_no_line(
    tmp_path: Path,
) -> None:
    """A real process: a new neighbour, a mistake, a place that another program has; the line that was there
    stays up and carries what was sent meanwhile."""
    port, other = free_port(), free_port()
    station = (
        '[station]\nname = "MINFOR PORTA"\nrouting_indicator = "QZAAMF"\ndirectory = "directory.toml"\n'
        'data = "data"\n'
        f'[[circuit]]\nname = "north"\nstation = "QZBBNV"\nlisten = "127.0.0.1:{port}"\nlink = false\n'
        'send = "AAB"\nreceive = "BBA"\n[[route]]\nto = "QZBB"\ncircuits = ["north"]\n'
    )
    south = (
        f'[[circuit]]\nname = "south"\nstation = "QZCCSM"\nlisten = "127.0.0.1:{other}"\nlink = false\n'
        'send = "AAC"\nreceive = "CCA"\n[[route]]\nto = "QZCC"\ncircuits = ["south"]\n'
    )
    only_north = DIRECTORY[: DIRECTORY.index('[[station]]\nname = "EMB SUDMARK"')]
    path = tmp_path / "centre.toml"
    path.write_text(station)
    (tmp_path / "directory.toml").write_text(only_north)
    process = Process("minfor", path, tmp_path / "data")
    process.start()

    def logged(event: str) -> list[str]:
        lines = (tmp_path / "data.log").read_text().splitlines()
        return [line for line in lines if f'"event":"{event}"' in line]

    def hears(said: str, times: int) -> None:
        end = time.monotonic() + 30
        while len(logged(said)) < times:
            assert time.monotonic() < end, f"{said} was not said"
            time.sleep(0.05)

    def carries(line: socket.socket, number: int, name: str) -> None:
        process.send(telegram("MINFOR PORTA", (name,), number))
        text = b""
        while b"NNNN" not in text:
            text += line.recv(65536)
        assert f"NUMBER {number} OF".encode() in text

    try:
        process.ready()
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.settimeout(30)
            carries(line, 1, "EMB NORDHAVEN")
            with pytest.raises(OSError, match="the directory has no routing indicator for it"):
                process.send(telegram("MINFOR PORTA", ("EMB SUDMARK",), 2))
            # The directory alone is changed: nobody looks at it but when asked to.
            (tmp_path / "directory.toml").write_text(DIRECTORY)
            process.reload()
            hears("config.taken", 1)
            path.write_text(station.replace("circuits", "circiuts"))
            process.reload()
            hears("config.refused", 1)
            assert "did you mean 'circuits'" in logged("config.refused")[0]
            with socket.create_server(("127.0.0.1", other)):
                path.write_text(station + south)
                process.reload()
                hears("config.refused", 2)
                assert "it cannot be put into effect" in logged("config.refused")[-1]
            taken = len(logged("config.taken"))
            process.reload()
            hears("config.taken", taken + 1)
            with socket.create_connection(("127.0.0.1", other)) as second:
                second.settimeout(30)
                carries(second, 3, "EMB SUDMARK")
            carries(line, 4, "EMB NORDHAVEN")
            assert not [each for each in logged("circuit.down") if "north" in each]
    finally:
        process.stop()
