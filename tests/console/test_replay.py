"""`chargeloop replay` on the database of a loop: list, then and now, and what can't be."""

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chargeloop.cli import main
from chargeloop.guidance import Guide
from chargeloop.loop import CityLoop, Clock, stages_of
from chargeloop.model import ChargeRequested, City, Layout
from chargeloop.persistence import Store
from chargeloop.simulation import default_day, draw_drivers
from chargeloop.simulation.telling import Teller


async def decided(city: City, layout: Layout, folder: Path) -> None:
    """A turn of the shipped loop on the built-in city, for a dozen drivers."""
    guide, start = Guide.of(city, layout), default_day(city)
    drivers = draw_drivers(city, layout, start, 1, 1.0, np.random.default_rng(1))
    teller = Teller(city, layout, drivers, np.zeros(len(layout.evse_ids), dtype=np.bool_))
    store = await Store.open(folder / "chargeloop.db")

    async def send(_: object) -> None:
        """Nobody is there."""

    clock = Clock(0.0, start.timestamp() + 3600, 0.0)
    loop = CityLoop(city, layout, stages_of(city, layout, guide, routes=False, keep=True), store, clock, send)
    store.on_commit = loop.publish
    await store.append("test", [ChargeRequested(at=start, request=teller.request(d)) for d in range(12)])
    await loop.turn()
    await store.close()


@pytest.fixture(scope="module")
def folder(city: City, layout: Layout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("replay")
    asyncio.run(decided(city, layout, made))
    return made


def say(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> str:
    assert main(["replay", "--data-dir", str(folder), *arguments]) == 0
    return capsys.readouterr().out


def test_decisions_are_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(say(capsys, folder, "--list", "--json"))["decisions"]
    assert len(found) == 12
    assert all(each["replay"] for each in found)
    assert "D-R00000003" in say(capsys, folder, "--list", "20")


def test_then_and_now_side_by_side(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = ("--decision", "D-R00000003")
    same: dict[str, Any] = json.loads(say(capsys, folder, *one, "--json"))
    assert same["exact"]
    assert same["then"] == same["now"]
    assert (same["requests"], same["moved"]) == (12, 0)
    station = same["then"]["chosen"]["station_id"]
    weights = tmp_path / "weights.toml"
    weights.write_text('wait_risk = 3\nvalue_of_time = "x0.5"\n[taxi]\namount = 2\n', encoding="utf-8")
    changes = ("--outage", station, "--weights-file", str(weights), "--weights", "amount=x3", "--solver", "greedy")
    other = json.loads(say(capsys, folder, *one, *changes, "--json"))
    assert other["exact"]
    assert other["now"]["solver"] == "greedy"
    assert other["now"]["chosen"]["station_id"] != station
    table = say(capsys, folder, *one, "--weights", "amount=x3")
    assert "comes out exactly as it is stored" in table
    assert "demand_intensity" in table


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--decision", "D-none"], "no decision 'D-none'"),
        (["--decision", "D-R00000003", "--outage", "S9"], "no station 'S9'"),
        (["--decision", "D-R00000003", "--weights", "amount"], "want name=value"),
        (["--decision", "D-R00000003", "--solver", "magic"], "no solver 'magic'"),
        (["--list", "--data-dir", "/no/such/folder"], "there is no such file"),
    ],
)
def test_what_cannot_be_is_named(folder: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--data-dir", str(folder), *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
