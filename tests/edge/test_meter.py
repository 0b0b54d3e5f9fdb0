"""The meter on Modbus TCP: maps, readings, and what happens when it is gone or lies."""

import struct
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from chargeloop.edge import ChargerOf, Circuit, Meter, Site, Upstream
from chargeloop.edge.modbus import ModbusMeter
from chargeloop.edge.registers import FOLDER, Reading, RegisterMap, read_map, reading_of
from chargeloop.edge.sight import Sight
from chargeloop.model import BadInput, Unreachable
from tests.edge.conftest import OpenEdge
from tests.edge.meter_server import SimulatedMeter
from tests.edge.world import World, longest_over

LITTLE = """
source = "a meter of nobody's"
words = "little"
swap_bytes = true
[quantities.power_w]
address = 4
type = "int32"
scale = 0.1
"""


@pytest.mark.parametrize("name", ["eastron-sdm630", "sunspec-203"])
async def test_a_meter_is_read_by_its_map(meter: SimulatedMeter, name: str) -> None:
    reader = ModbusMeter(Meter(host="127.0.0.1", port=meter.port, map=name))
    meter.say(-4.2, (-12.5, 3.1, 0.0))
    reading = await reader.read()
    reader.close()
    assert reading.kw == pytest.approx(-4.2, abs=0.01)
    assert reading.amperes == pytest.approx({1: -12.5, 2: 3.1, 3: 0.0}, abs=0.05)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_every_map_of_ours_tells_power_and_currents_in_one_request(path: Path) -> None:
    map_ = read_map(path.stem)
    assert map_.has_currents
    assert map_.span()[1] <= 125  # the most that Modbus allows


def test_a_map_of_ones_own_with_the_low_word_first(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(LITTLE)
    map_ = read_map("mine.toml", tmp_path)
    low, high = struct.unpack(">2H", struct.pack("<i", -123_456))  # each register's bytes swapped, the low one first
    assert reading_of(map_, {4: low, 5: high}).kw == pytest.approx(-12.3456)
    assert not map_.has_currents


def test_maps_that_are_not_there_or_damaged_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="sunspec-203"):
        read_map("no-such-meter", tmp_path)
    (tmp_path / "bad.toml").write_text(LITTLE.replace("int32", "int33"))
    with pytest.raises(BadInput, match=r"bad\.toml"):
        read_map("bad.toml", tmp_path)


def test_what_is_no_number_is_no_reading() -> None:
    map_ = read_map("eastron-sdm630")
    assert isinstance(map_, RegisterMap)
    first, count = map_.span()
    with pytest.raises(BadInput, match="no number"):
        reading_of(map_, {first + i: 0xFFFF for i in range(count)})


async def test_a_meter_that_refuses_or_is_not_there_says_so(meter: SimulatedMeter) -> None:
    reader = ModbusMeter(Meter(host="127.0.0.1", port=meter.port, map="eastron-sdm630"))
    meter.is_silent = True
    with pytest.raises(Unreachable, match="refuses"):
        await reader.read()
    meter.is_silent = False
    await reader.read()
    reader.close()
    with pytest.raises(Unreachable, match="no connection"):
        await ModbusMeter(Meter(host="127.0.0.1", port=1)).read()


def test_a_doubt_stands_until_a_report_refutes_it(tmp_path: Path) -> None:
    site = Site(
        name="Small",
        blind_kw=10.0,
        circuits=(Circuit(name="grid", limit_kw=30.0),),
        chargers=(ChargerOf(id="C1"),),
        upstream=Upstream(url="ws://127.0.0.1:1/ocpp"),
        meter=Meter(host="127.0.0.1", port=1),
        data_dir=tmp_path,
    )
    sight, seconds = Sight(site), count()

    def look(drawn_kw: float | None) -> Reading | None:
        return [sight.look(next(seconds), Reading(2.0, {}), drawn_kw) for _ in range(20)][-1]

    assert look(None) is not None
    assert look(20.0) is None
    assert look(None) is None
    assert look(2.0) is not None


async def charging(open_edge: OpenEdge, **changes: object) -> World:
    """Two vehicles at full power."""
    world = await open_edge(**changes)
    for each in ("C1", "C2"):
        await world.connect(each)
        world.plug_in(each, "T1")
    await world.seconds(60)
    assert sum(each.draws_kw for each in world.vehicles.values()) > 20
    return world


@pytest.mark.parametrize("fault", ["gone", "lies", "absurd", "frozen"])
async def test_without_a_meter_to_believe_the_safe_limit_holds_until_it_is_well_again(
    open_edge: OpenEdge, meter: SimulatedMeter, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    world = await charging(open_edge, meter=Meter(host="127.0.0.1", port=meter.port, frozen_s=20.0))
    say = meter.say
    meter.is_silent = fault == "gone"
    wrong: dict[str, Callable[[float], float]] = {
        "lies": lambda kw: 0.1 * kw,
        "absurd": lambda kw: 99 * kw,
        "frozen": lambda _: 26,
    }
    change = wrong.get(fault, float)
    monkeypatch.setattr(meter, "say", lambda kw: say(change(kw)))
    await world.seconds(45)
    assert world.edge.sight.why
    assert sum(each.draws_kw for each in world.vehicles.values()) <= 10.0 + 1e-6
    monkeypatch.undo()
    meter.is_silent = False
    await world.seconds(60)
    assert not world.edge.sight.why
    assert sum(each.draws_kw for each in world.vehicles.values()) > 20


async def test_a_lower_limit_takes_effect_within_two_seconds(open_edge: OpenEdge) -> None:
    world = await charging(open_edge)
    await world.edge.set_limit(14.0)
    world.loads_kw.clear()
    await world.seconds(30)
    assert longest_over(world.loads_kw, 14.0) <= 2


async def test_a_limit_of_each_phase_needs_a_meter_that_tells_them(
    open_edge: OpenEdge, meter: SimulatedMeter, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text(LITTLE)
    with pytest.raises(BadInput, match="current of each phase"):
        await open_edge(
            circuits=(Circuit(name="grid", limit_a=32.0),),
            meter=Meter(host="127.0.0.1", port=meter.port, map=str(tmp_path / "mine.toml")),
        )
