"""Each call answers as documented; each wrong call says what to do."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from chargeloop.api import create_app
from chargeloop.api.live import events
from tests.api.conftest import Running
from tests.small_city import START, place

HERE = place(1200, 900)
ASKED = {"lon": HERE.lon, "lat": HERE.lat, "soc": 0.3, "model_id": "small"}


async def get(running: Running, path: str, status: int = 200, **params: Any) -> Any:
    answer = await running.http.get(path, params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_the_city_and_its_streets(running: Running) -> None:
    city = await get(running, "/city")
    assert [station["station_id"] for station in city["stations"]] == ["S0", "S1", "S2", "S3", "S4", "S5"]
    assert (city["stations"][0]["ac_bays"], city["stations"][0]["dc_bays"], city["stations"][0]["ocpp_bays"]) == (4, 2, 1)
    assert city["note"]
    west, south, east, north = city["bounds"]
    assert west < east
    assert south < north
    roads = await get(running, "/roads")
    lines = [line for feature in roads["features"] for line in feature["geometry"]["coordinates"]]
    assert len(lines) == 2 * 21 * 20


async def test_the_live_picture_counts_what_is_there(running: Running) -> None:
    live = await get(running, "/live")
    assert live["stations"]["busy"] == [1, 0, 0, 0, 0, 0]
    assert live["stations"]["free"][0] == 5
    assert live["stations"]["power_kw"][0] == 50
    assert live["stations"]["wait_dc_min"][1] is None  # S1 has no fast bay
    kpis = live["kpis"]
    assert (kpis["bays"], kpis["busy_bays"], kpis["sessions_today"], kpis["energy_kwh_today"]) == (31, 1, 1, 4.0)
    assert float(kpis["amount_today"]) > 0
    assert await get(running, "/kpis") == kpis
    health = await get(running, "/health")
    assert health["status"] == "ok"
    assert health["speed"] == 1.0


async def test_a_station_in_detail(running: Running) -> None:
    station = await get(running, "/stations/S0")
    bays = {bay["evse_id"]: bay for bay in station["bays"]}
    assert bays["S0-01"]["status"] == "charging"
    assert bays["S0-01"]["ocpp"]
    assert not bays["S0-01"]["connected"]
    session = bays["S0-01"]["session"]
    assert (session["session_id"], session["id_token"], session["energy_kwh"]) == ("s1", "T1", 0.5)
    assert session["plan_kw"][0] == bays["S0-01"]["limit_kw"] > 0
    assert bays["S0-02"]["session"] is None
    assert {pool["current"]: pool["bays"] for pool in station["pools"]} == {"AC": 4, "DC": 2}
    assert len(station["prices"]) == 24
    assert {each["session_id"] for each in station["recent"]} == {"s1", "s2"}
    assert station["load_kw"] == 52
    assert station["limit_kw"] == pytest.approx(0.7 * 148 + 5)


async def test_forecast_and_energy(running: Running) -> None:
    forecast = await get(running, "/forecast", hours=6)
    assert len(forecast["hours"]) == len(forecast["q50"]) == 6
    assert all(a <= b <= c for a, b, c in zip(*(forecast["total"][q] for q in ("q10", "q50", "q90")), strict=True))
    circuits = {each["circuit_id"]: each for each in (await get(running, "/energy"))["circuits"]}
    assert circuits["site-0"]["parent_id"] == "feeder-0"
    assert circuits["site-0"]["load_kw"] == 52
    assert circuits["region"]["parent_id"] is None


async def test_a_driver_says_where_to_and_what_is_planned(running: Running) -> None:
    told = {"destination": {"lon": HERE.lon, "lat": HERE.lat}, "depot_station_id": "S0", "v2g": True, "planned_kwh": 2.5}
    answer = await running.http.post("/recommend", json={**ASKED, **told, "soc": 0.6, "tier": "logistics"})
    assert answer.status_code == 200
    request, not_now = answer.json()["decision"]["request"], answer.json()["not_now"]
    assert {name: request[name] for name in told} == told
    assert not_now["advised"] is True
    assert not_now["needless"] is True
    assert answer.json()["decision"]["not_now"]["at"] == not_now["cheaper_from"]
    unknown = await running.http.post("/recommend", json={**ASKED, "depot_station_id": "S99"})
    assert unknown.status_code == 404


async def test_a_driver_is_recommended_reserves_is_shown_the_way_and_cancels(running: Running) -> None:
    answer = await running.http.post("/recommend", json={**ASKED, "sort": "nearest"})
    assert answer.status_code == 200
    decision = answer.json()["decision"]
    drives = [offer["drive_min"] for offer in decision["offers"]]
    assert len(drives) == 3
    assert drives == sorted(drives)
    assert answer.json()["not_now"]["advised"] is False
    station = decision["offers"][0]["station_id"]

    held = await running.http.post("/reservations", json={"decision_id": decision["decision_id"], "station_id": station})
    assert held.status_code == 201
    reservation = held.json()["reservation"]
    assert held.json()["evse_id"].startswith(station)
    assert held.json()["route"]["geometry"]["type"] == "LineString"
    assert held.json()["route"]["properties"]["seconds"] > 0
    detail = await get(running, f"/reservations/{reservation['reservation_id']}")
    assert {name: detail[name] for name in reservation} == reservation
    way = await get(running, "/route", decision_id=decision["decision_id"], station_id=station)
    assert way == held.json()["route"]

    assert (await running.http.delete(f"/reservations/{reservation['reservation_id']}")).status_code == 204
    again = await running.http.delete(f"/reservations/{reservation['reservation_id']}")
    assert again.status_code == 409
    stored = await get(running, f"/decisions/{decision['decision_id']}")
    assert stored["decision"]["request"]["soc"] == 0.3
    assert stored["outcome"] is None


async def test_what_ended_has_a_cdr(running: Running) -> None:
    assert (await get(running, "/sessions", open=True))[0]["session_id"] == "s1"
    assert {each["session_id"] for each in await get(running, "/sessions", station_id="S0")} == {"s1", "s2"}
    assert (await get(running, "/sessions/s2"))["energy_kwh"] == 4.0
    cdr = await get(running, "/cdrs/s2")
    assert cdr["cdr_id"] == "CDR-s2"
    assert await get(running, "/decisions") == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lon": 181.0}, "lon"),
        ({"lat": "north"}, "lat"),
        ({"soc": -0.1}, "soc"),
        ({"soc": 30}, "soc"),
        ({"model_id": "tractor"}, "tractor"),
        ({"sort": "best"}, "sort"),
        ({"stay_min": 0}, "stay_min"),
        ({"depart_by": "2025-06-10T18:00:00"}, "offset"),
        ({"depart_by": (START - timedelta(hours=1)).isoformat()}, "depart_by"),
        ({"battery": 1}, "battery"),
    ],
)
async def test_a_wrong_request_is_told_which_field_is_wrong(running: Running, change: Mapping[str, object], said: str) -> None:
    answer = await running.http.post("/recommend", json={**ASKED, **change})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    ["/stations/S99", "/sessions/none", "/cdrs/s1", "/decisions/none", "/reservations/99", "/sessions?station_id=S99", "/none"],
)
async def test_what_is_not_there_is_a_404_that_says_so(running: Running, path: str) -> None:
    answer = await running.http.get(path)
    assert answer.status_code == 404
    assert answer.json()["status"] == 404
    assert answer.json()["detail"]


async def test_a_station_that_was_not_offered_and_a_decision_that_is_none_are_refused(running: Running) -> None:
    decision = (await running.http.post("/recommend", json=ASKED)).json()["decision"]
    wrong = {"decision_id": decision["decision_id"], "station_id": "S1"}  # has no fast bay
    assert (await running.http.post("/reservations", json=wrong)).status_code == 422
    none = {"decision_id": "none", "station_id": "S0"}
    assert (await running.http.post("/reservations", json=none)).status_code == 404
    assert (await get(running, "/route", 404, decision_id="none", station_id="S0"))["status"] == 404
    assert (
        await running.http.post("/recommend", content=b"{", headers={"Content-Type": "application/json"})
    ).status_code == 422


async def test_before_the_first_turn_it_says_to_come_back(running: Running) -> None:
    running.loop.last = None
    answer = await running.http.get("/live")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


async def test_with_a_token_set_nobody_else_comes_in(running: Running) -> None:
    app = create_app(replace(running.context, token="a-token-of-some-length"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1/api/v1") as http:
        assert (await http.get("/city")).status_code == 401
        assert (await http.get("/city", headers={"Authorization": "Bearer wrong"})).status_code == 401
        assert (await http.get("/city", headers={"Authorization": "Bearer a-token-of-some-length"})).status_code == 200
        assert (await http.get("/health")).status_code == 200
        assert (await http.get("http://127.0.0.1/metrics")).status_code == 401
        assert (await http.get("http://127.0.0.1/api/openapi.json")).status_code == 401


async def test_the_stream_sends_the_picture_at_once_and_after_each_turn(running: Running) -> None:
    stream: Any = (await events(running.context)).body_iterator
    first = str(await anext(aiter(stream)))
    await running.loop.turn()
    second = str(await asyncio.wait_for(anext(aiter(stream)), 5))
    for message in (first, second):
        name, data, *_ = message.split("\n")
        assert name == "event: live"
        assert json.loads(data.removeprefix("data: "))["kpis"]["bays"] == 31
    await stream.aclose()
    assert running.loop.listeners == []


async def test_it_is_documented(running: Running) -> None:
    spec = (await running.http.get("http://127.0.0.1/api/openapi.json")).json()
    assert {"/api/v1/live", "/api/v1/recommend", "/api/v1/reservations", "/api/v1/events"} <= set(spec["paths"])
    assert (await running.http.get("http://127.0.0.1/metrics")).status_code == 200
