"""Forecasts at every level, what they say beyond themselves, and their scores, by the API."""

from datetime import timedelta

import pytest

from chargeloop.loop import Clock
from tests.api.conftest import Running
from tests.api.test_api import get
from tests.small_city import START


async def test_levels_add_up(running: Running) -> None:
    levels = {level: await get(running, f"/forecast/{level}", hours=6) for level in ("city", "district", "zone", "station")}
    assert {level: len(of["unit_ids"]) for level, of in levels.items()} | {"district": 0} == {
        "city": 1,
        "district": 0,
        "zone": 3,
        "station": 6,
    }
    whole = [row[0] for row in levels["city"]["q50"]]
    for of in levels.values():
        assert [sum(row) for row in of["q50"]] == pytest.approx(whole, abs=0.02)
    old = await get(running, "/forecast", hours=6)
    assert old["total"]["q50"] == pytest.approx(whole, abs=0.1)
    assert old["total"]["q90"][0] < sum(old["q90"][0])  # not all zones err alike
    assert (await running.http.get("/forecast/planet")).status_code == 422


async def test_the_outlook(running: Running) -> None:
    found = await get(running, "/outlook")
    assert sorted(zone for zones in found["districts"].values() for zone in zones) == ["Z0", "Z1", "Z2"]
    assert found["peaks"][0]["unit_id"] == "city"
    assert found["trends_asked"] == 3 * (1 + len(found["districts"]) + 3)
    assert found["stopped"] == []
    told = running.loop.shortages.told.values()
    assert {each["shortage"]["zone_id"] for each in found["shortages"] if each["told"]} == {each.zone_id for each in told}


async def test_forecasts_are_kept_and_scored(running: Running) -> None:
    assert (await get(running, "/forecasts"))["records"] == []
    for hour in range(1, 5):
        running.loop.clock = Clock(0.0, (START + timedelta(hours=hour)).timestamp(), 0.0)
        await running.loop.turn()
    found = await get(running, "/forecasts")
    assert {(each["level"], each["horizon_h"]) for each in found["records"]} == {
        (level, h) for level in ("zone", "district", "city") for h in (1, 3)
    }
    assert found["records"][0]["drift"]["is_there"] is None
    assert len(found["newest"]) == 5
    first = found["newest"][-1]
    assert first["made_at"] > first["origin"]
    past = await get(running, f"/forecasts/{first['origin']}")
    assert (past["made_at"], past["unit_id"], len(past["q50"])) == (first["made_at"], "city", 24)
    assert [each is None for each in past["came"]] == [False] * 4 + [True] * 20
    of_zone = await get(running, f"/forecasts/{first['origin']}", unit="Z2")
    assert sum(of_zone["q50"]) < sum(past["q50"])
    await get(running, f"/forecasts/{first['origin']}", 404, unit="Z9")
    await get(running, "/forecasts/2020-01-01T00:00:00Z", 404)
    await get(running, "/forecasts/2020-01-01T00:00:00", 422)
