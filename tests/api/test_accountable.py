"""Promises against what happened, by the API; and a decision made again."""

from datetime import timedelta
from typing import Any

import pytest

from chargeloop.model import DriverArrived, RequestWithdrawn, SessionEnded, SessionStarted
from tests.api.conftest import Running
from tests.api.test_api import ASKED, get
from tests.small_city import START


async def driven(running: Running, offer: int = 0) -> dict[str, Any]:
    """A driver who asks and reserves one of the offers; the decision."""
    decision: dict[str, Any] = (await running.http.post("/recommend", json=ASKED)).json()["decision"]
    station = decision["offers"][offer]["station_id"]
    held = await running.http.post("/reservations", json={"decision_id": decision["decision_id"], "station_id": station})
    assert held.status_code == 201
    return decision


async def charged(running: Running, decision: dict[str, Any], station: str, evse: str) -> None:
    request = decision["request"]
    arrives, begins, ends = (START + timedelta(minutes=minutes) for minutes in (10, 13, 40))
    session = f"s-{request['request_id']}"
    await running.store.append(
        "test",
        [
            DriverArrived(at=arrives, request_id=request["request_id"], station_id=station),
            SessionStarted(at=begins, session_id=session, evse_id=evse, id_token=request["id_token"]),
            SessionEnded(at=ends, session_id=session, evse_id=evse, meter_wh=20_000),
        ],
    )
    await running.loop.turn()


async def promises(running: Running, **params: Any) -> Any:
    return await get(running, "/promises", **params)


async def test_an_offer_is_no_promise_until_it_is_taken(running: Running) -> None:
    assert (await running.http.post("/recommend", json=ASKED)).status_code == 200
    assert (await promises(running))["total"]["made"] == 0
    decision = await driven(running)
    found = await promises(running)
    assert (found["total"]["made"], found["total"]["open"]) == (1, 1)
    assert found["total"]["realised_wait_min"] is None
    assert found["rows"][0]["group"] == decision["offers"][0]["station_id"]
    assert found["calibration"] == []


async def test_the_promise_that_was_taken_is_held_against_what_happened(running: Running) -> None:
    decision = await driven(running, offer=1)
    taken = decision["offers"][1]
    await charged(running, decision, taken["station_id"], f"{taken['station_id']}-01")
    found = await promises(running)
    (row,) = found["rows"]
    assert (row["group"], row["made"], row["kept"], row["waits"]) == (taken["station_id"], 1, 1, 1)
    assert row["promised_wait_min"] == pytest.approx(taken["wait_min"])
    assert row["realised_wait_min"] == pytest.approx(3)
    assert row["wait_error_min"] == pytest.approx(3 - taken["wait_min"])
    assert float(row["promised_amount"]) == float(taken["amount"])
    detail = await get(running, f"/decisions/{decision['decision_id']}")
    assert row["realised_amount"] == detail["outcome"]["realised_amount"]
    assert (detail["taken"]["station_id"], detail["taken"]["came"], detail["can_replay"]) == (taken["station_id"], "kept", True)
    operator = "North" if int(taken["station_id"][1:]) % 2 == 0 else "South"
    by_operator = await promises(running, by="operator")
    assert by_operator["rows"] == [{**row, "group": operator}]
    assert by_operator["total"] == {**row, "group": ""}
    assert (await promises(running, by="operator", group=operator))["total"]["made"] == 1
    for by, group in (("operator", operator), ("station", taken["station_id"])):
        (behind,) = await get(running, "/promises/decisions", by=by, group=group)
        assert (behind["decision_id"], behind["came"], behind["realised_wait_min"]) == (decision["decision_id"], "kept", 3.0)
    assert (await promises(running, group="S5"))["rows"] == []


async def test_who_went_elsewhere_or_gave_up_is_counted_apart(running: Running) -> None:
    decision = await driven(running)
    elsewhere = next(each for each in ("S2", "S4") if each != decision["offers"][0]["station_id"])
    await charged(running, decision, elsewhere, f"{elsewhere}-02")
    other = await driven(running)
    await running.store.append(
        "test", [RequestWithdrawn(at=START, request_id=other["request"]["request_id"], reason="had enough")]
    )
    await running.loop.turn()
    third = (await running.http.post("/recommend", json=ASKED)).json()["decision"]
    held = await running.http.post(
        "/reservations", json={"decision_id": third["decision_id"], "station_id": third["offers"][0]["station_id"]}
    )
    number = held.json()["reservation"]["reservation_id"]
    assert (await running.http.delete(f"/reservations/{number}")).status_code == 204
    await running.loop.turn()
    total = (await promises(running))["total"]
    assert (total["made"], total["kept"], total["elsewhere"], total["gave_up"], total["open"]) == (3, 0, 1, 2, 0)
    assert total["within_p90"] is None


async def test_the_span_is_checked(running: Running) -> None:
    await driven(running)
    old = (START - timedelta(days=3)).isoformat()
    assert (await promises(running, **{"to": old}))["total"]["made"] == 0
    for wrong in ({"from": "2025-06-10T00:00:00"}, {"from": START.isoformat(), "to": old}):
        assert "from" in (await get(running, "/promises", 422, **wrong))["detail"]


async def test_a_decision_is_made_again_as_it_was_and_with_other_weights(running: Running) -> None:
    decision = await driven(running)
    path = f"/decisions/{decision['decision_id']}/replay"
    same = (await running.http.post(path, json={})).json()
    assert same["exact"]
    assert same["now"] == same["then"]
    assert (same["requests"], same["moved"]) == (1, 0)
    station = same["then"]["chosen"]["station_id"]
    out = (await running.http.post(path, json={"outages": [station], "weights": {"amount": "x3", "wait_risk": 1}})).json()
    assert out["now"]["chosen"]["station_id"] != station
    assert out["moved"] == 1
    assert out["exact"]
    greedy = (await running.http.post(path, json={"solver": "greedy"})).json()
    assert greedy["now"]["solver"] == "greedy"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights": {"beauty": 1}}, "no such weight"),
        ({"outages": ["S99"]}, "no station"),
        ({"solver": "os:system"}, "solver"),
        ({"wish": 1}, "wish"),
    ],
)
async def test_a_replay_that_makes_no_sense_says_why(running: Running, change: dict[str, Any], said: str) -> None:
    decision = await driven(running)
    answer = await running.http.post(f"/decisions/{decision['decision_id']}/replay", json=change)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


async def test_what_is_not_kept_cannot_be_made_again(running: Running) -> None:
    assert (await running.http.post("/decisions/none/replay", json={})).status_code == 404
    decision = await driven(running)
    await running.store.forget_given(START + timedelta(days=99))
    answer = await running.http.post(f"/decisions/{decision['decision_id']}/replay", json={})
    assert answer.status_code == 404
    assert "not kept" in answer.json()["detail"]


async def test_the_gap_of_the_plans_is_told(running: Running) -> None:
    decision = await driven(running)
    assert decision["certificate"]["objective"] >= decision["certificate"]["bound"]
    assert (await get(running, "/kpis"))["plan_gap"] >= 0
    text = (await running.http.get("http://127.0.0.1/metrics")).text
    assert "chargeloop_plan_bound_cny" in text
    assert "chargeloop_plan_requests 0.0" in text  # the newest turn decided on nothing
