"""The queue over HTTP: a driver's place, offer and end; an operator's picture and rules."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from chargeloop.api import create_app
from chargeloop.loop import Clock
from chargeloop.model import EvseStatus, EvseStatusChanged, SessionEnded, SessionStarted
from tests.api.conftest import Running, running
from tests.api.test_api import ASKED, get
from tests.small_city import START

__all__ = ["running"]
POLICY = {"answer_s": 120, "snoozes": 1, "snooze_s": 300, "plug_in_s": 600, "near_s": 600, "keep_s": 7200}


async def post(running: Running, path: str, body: object = None, status: int = 200) -> Any:
    answer = await running.http.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def reserve(running: Running, station: str = "S0") -> dict[str, Any]:
    decision = (await post(running, "/recommend", ASKED))["decision"]
    wanted = {"decision_id": decision["decision_id"], "station_id": station}
    reservation: dict[str, Any] = (await post(running, "/reservations", wanted, 201))["reservation"]
    return reservation


@pytest.fixture
async def full(running: Running) -> Running:
    """Both fast bays of S0 are taken."""
    await running.store.append("test", [SessionStarted(at=START, session_id="s3", evse_id="S0-02", id_token="T3")])
    return running


async def leave(running: Running, session_id: str, evse_id: str) -> None:
    await running.store.append("test", [SessionEnded(at=START, session_id=session_id, evse_id=evse_id, meter_wh=9000)])
    await running.loop.turn()


async def test_a_driver_waits_is_offered_accepts_charges_and_sees_what_it_came_to(full: Running) -> None:
    first, second = await reserve(full), await reserve(full)
    path = f"/reservations/{first['reservation_id']}"
    await full.loop.turn()
    detail = await get(full, path)
    assert (detail["place"], detail["in_line"], detail["evse_id"], detail["snoozes_left"]) == (1, 2, None, 2)
    assert detail["start_at"] > detail["made_at"]
    assert (await get(full, f"/reservations/{second['reservation_id']}"))["place"] == 2
    await leave(full, "s3", "S0-02")
    detail = await get(full, path)
    assert detail["evse_id"] == "S0-02"
    assert detail["answer_by"]
    arrived = await post(full, path + "/arrived")
    assert arrived["arrive_at"] < first["arrive_at"]
    held = await post(full, path + "/answer", {"answer": "accept"})
    assert (held["answer_by"], held["place"]) == (None, None)
    assert (await full.http.post(path + "/answer", json={"answer": "decline"})).status_code == 409
    now = full.loop.clock.now()
    token = first["id_token"]
    await full.store.append("test", [SessionStarted(at=now, session_id="s9", evse_id="S0-02", id_token=token)])
    await full.loop.turn()
    used = await get(full, path)
    assert (used["state"], used["afterwards"]["session_id"], used["afterwards"]["amount"]) == ("used", "s9", None)
    end = SessionEnded(at=now + timedelta(minutes=20), session_id="s9", evse_id="S0-02", meter_wh=12_000)
    await full.store.append("test", [end])
    await full.loop.turn()
    after = (await get(full, path))["afterwards"]
    assert after["energy_kwh"] == 12
    assert float(after["amount"]) == pytest.approx(sum(float(line["amount"]) for line in after["lines"]), abs=0.01)
    assert after["wait_min"] == pytest.approx(0, abs=0.1)
    assert after["promised_wait_min"] > 0
    assert float(after["promised_amount"]) > 0


async def test_a_driver_snoozes_and_the_next_declines(full: Running) -> None:
    first, second = await reserve(full), await reserve(full)
    await leave(full, "s3", "S0-02")
    snoozed = await post(full, f"/reservations/{first['reservation_id']}/answer", {"answer": "snooze"})
    assert (snoozed["snoozes"], snoozed["evse_id"]) == (1, None)
    assert snoozed["rests_until"]
    declined = await post(full, f"/reservations/{second['reservation_id']}/answer", {"answer": "decline"})
    assert declined["state"] == "declined"


async def test_a_driver_moves_to_a_better_station(full: Running) -> None:
    held = await reserve(full)
    broken = [EvseStatusChanged(at=START, evse_id=evse, status=EvseStatus.FAULTED) for evse in ("S0-01", "S0-02")]
    await full.store.append("test", broken)
    full.loop.clock = Clock.starting(START + timedelta(minutes=5), 1.0)
    await full.loop.turn()
    path = f"/reservations/{held['reservation_id']}"
    better = (await get(full, path))["better"]
    wanted = {"decision_id": better["decision_id"], "station_id": better["offer"]["station_id"]}
    moved = await post(full, path + "/move", wanted, 201)
    assert moved["evse_id"].startswith(wanted["station_id"])
    assert moved["route"]["geometry"]["type"] == "LineString"
    assert (await get(full, path))["state"] == "moved"
    await post(full, path + "/move", wanted, 409)
    await post(full, "/reservations/99/move", wanted, 404)
    other = await reserve(full, better["offer"]["station_id"])
    await post(full, f"/reservations/{other['reservation_id']}/move", wanted, 422)


async def test_the_operator_sees_the_queues_and_todays_waits(full: Running) -> None:
    empty = await get(full, "/queue")
    assert (empty["waiting"], empty["today"]["mean_min"], empty["stations"]) == (0, None, [])
    first, second = await reserve(full), await reserve(full)
    await leave(full, "s3", "S0-02")
    picture = await get(full, "/queue")
    assert (picture["waiting"], picture["offered"], picture["held"], picture["joined_today"]) == (1, 1, 0, 2)
    assert [(each["phase"], each["place"]) for each in picture["drivers"]] == [("offered", 1), ("waiting", 2)]
    assert "id_token" not in picture["drivers"][0]
    await post(full, f"/reservations/{first['reservation_id']}/answer", {"answer": "snooze"})
    await post(full, f"/reservations/{second['reservation_id']}/answer", {"answer": "accept"})
    phases = {each["reservation_id"]: each["phase"] for each in (await get(full, "/queue"))["drivers"]}
    assert phases == {first["reservation_id"]: "resting", second["reservation_id"]: "held"}
    await full.store.append(
        "test",
        [SessionStarted(at=full.loop.clock.now(), session_id="s9", evse_id="S0-02", id_token=second["id_token"])],
    )
    full.loop.clock = Clock.starting(START + timedelta(hours=4), 1.0)
    await full.loop.turn()
    (station,) = (await get(full, "/queue"))["stations"]
    assert (station["station_id"], station["drivers"], station["no_shows"]) == ("S0", 1, 0)
    assert station["mean_min"] == station["p95_min"] == (await get(full, "/queue"))["today"]["p95_min"]
    assert (await get(full, "/queue"))["ended"] == {"used": 1, "expired": 1}


async def test_the_rules_are_the_operators_and_each_change_is_on_record(running: Running) -> None:
    assert (await get(running, "/queue/policy"))["answer_s"] == 300
    changed = await running.http.put("/queue/policy", json=POLICY)
    assert changed.json() == POLICY
    assert await get(running, "/queue/policy") == POLICY
    (entry, *_) = await get(running, "/audit")
    assert (entry["action"], entry["payload"], entry["outcome"]) == ("queue policy", POLICY, "done")
    await running.context.accounts.add("ada", "a-long-password", ["operator"])
    await running.context.accounts.add("bob", "a-long-password", ["centre"])
    app = create_app(replace(running.context, is_local=False))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://here/api/v1") as http:
        await http.post("/login", json={"name": "bob", "password": "a-long-password"})
        assert (await http.get("/queue")).status_code == 200
        assert (await http.put("/queue/policy", json=POLICY)).status_code == 403


@pytest.mark.parametrize(
    ("change", "said"), [({"answer_s": 1}, "answer_s"), ({"snoozes": -1}, "snoozes"), ({"patience": 3}, "patience")]
)
async def test_rules_that_make_no_sense_are_refused(running: Running, change: Mapping[str, object], said: str) -> None:
    answer = await running.http.put("/queue/policy", json={**POLICY, **change})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


async def test_a_driver_with_an_account_is_known_by_it(running: Running) -> None:
    await running.context.accounts.add("ada", "a-long-password", ["operator"])
    await running.context.accounts.add("eve", "a-long-password", ["driver"])
    app = create_app(replace(running.context, is_local=False))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://here/api/v1") as http:
        await http.post("/login", json={"name": "eve", "password": "a-long-password"})
        decision = (await http.post("/recommend", json=ASKED)).json()["decision"]
    assert decision["request"]["user_id"] == "eve"


async def test_a_recommendation_says_why_the_others_lost(running: Running) -> None:
    decision = (await post(running, "/recommend", ASKED))["decision"]
    losers = [offer for offer in decision["offers"] if offer["station_id"] != decision["chosen"]["station_id"]]
    assert len(losers) >= 2
    assert all(offer["why_not"] and offer["against"] in offer["terms"] for offer in losers)
    assert decision["chosen"]["why_not"] == ""
