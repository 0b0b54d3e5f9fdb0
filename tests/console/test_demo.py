"""The whole thing: two processes, real sockets, a real database, and kill -9 in the middle of it."""

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.console.demo_process import DemoProcess


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[DemoProcess]:
    process = DemoProcess(tmp_path)
    yield process
    process.stop()


def column(database: Path, query: str) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [row[0] for row in connection.execute(query)]


def test_nothing_is_lost_or_doubled_when_the_server_is_killed_in_mid_demo(demo: DemoProcess) -> None:
    station = demo.get("/city")["stations"][0]
    asked = {"lon": station["lon"], "lat": station["lat"], "soc": 0.3, "model_id": "sedan-60", "stay_min": 600}
    decision = demo.post("/recommend", asked)["decision"]
    wanted = {"decision_id": decision["decision_id"], "station_id": decision["offers"][0]["station_id"]}
    reservation = demo.post("/reservations", wanted)["reservation"]
    for _ in range(2):
        time.sleep(4)
        open_before = [each["session_id"] for each in demo.get("/sessions?open=true&limit=1000")]
        cdrs_before = demo.get("/kpis")["sessions_today"]
        demo.kill_server()
        assert len(open_before) > 100
        for session_id in open_before[:100]:
            found = demo.get(f"/sessions/{session_id}")
            assert found["ended_at"] is None or demo.get(f"/cdrs/{session_id}")
        assert demo.get("/kpis")["sessions_today"] >= cdrs_before
        assert demo.get(f"/reservations/{reservation['reservation_id']}")["reservation_id"] == reservation["reservation_id"]
    busy = demo.get("/kpis")["busy_bays"]
    demo.wait(lambda: bool(demo.get("/kpis")["sessions_today"] > cdrs_before))
    assert busy > 100
    demo.stop()

    started = Counter(column(demo.database, "select body ->> 'session_id' from event where kind = 'session_started'"))
    ended = set(column(demo.database, "select body ->> 'session_id' from event where kind = 'session_ended'"))
    sessions = column(demo.database, "select session_id from session")
    closed = set(column(demo.database, "select session_id from session where ended_s is not null"))
    cdrs = column(demo.database, "select session_id from cdr")
    open_evses = column(demo.database, "select body ->> 'evse_id' from session where ended_s is null")
    assert max(started.values()) == 1
    assert set(started) == set(sessions)
    assert len(cdrs) == len(set(cdrs))
    assert set(cdrs) == closed
    assert ended & set(started) <= closed
    assert len(open_evses) == len(set(open_evses))
    by_ocpp = [session_id for session_id in started if session_id.startswith("ocpp-")]
    assert len(by_ocpp) > 5
    assert len(column(demo.database, "select event_id from event where kind = 'reservation_made'")) == 1


def test_the_feed_and_the_chargers_fill_the_city_and_the_loop_answers(demo: DemoProcess) -> None:
    demo.wait(lambda: len(demo.get("/decisions?limit=50")) == 50)
    decisions = demo.get("/decisions?limit=50")
    detail = demo.get(f"/decisions/{decisions[0]['decision_id']}")["decision"]
    assert sum(detail["chosen"]["terms"].values()) == pytest.approx(detail["chosen"]["score"])
    stations = [each for each in demo.get("/city")["stations"] if each["ocpp_bays"]]
    bays = [bay for station in stations[:5] for bay in demo.get(f"/stations/{station['station_id']}")["bays"] if bay["ocpp"]]
    assert any(bay["connected"] for bay in bays)
