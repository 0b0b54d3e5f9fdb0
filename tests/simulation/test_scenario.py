"""Who comes and what goes wrong, as a scenario says."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from chargeloop.model import BadInput, Layout
from chargeloop.physics import utc_offset_s
from chargeloop.simulation import BUSY_ROADS, QUIET, Drivers, Outage, Scenario, Surge
from tests.simulation.conftest import MakeTwin

Draw = Callable[..., Drivers]


@pytest.mark.parametrize(
    "wrong",
    [
        {"compliance": 1.2},
        {"walk_ins": -0.1},
        {"zone_spread": -1.0},
        {"scatter": 0.0},
        {"stay_error": -0.1},
        {"patience_min": (9.0, 3.0)},
        {"hour_drive": (1.0,) * 23},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        Scenario(**wrong)  # type: ignore[arg-type]


def test_the_same_drivers_come_whoever_listens(draw: Draw) -> None:
    all_listen, some_listen = (draw(level=9, scenario=each) for each in (QUIET, Scenario(compliance=0.6, walk_ins=0.1)))
    assert (all_listen.appear_s == some_listen.appear_s).all()
    assert (all_listen.patience_s == some_listen.patience_s).all()
    assert all_listen.follows.all()
    assert some_listen.walk_in.mean() == pytest.approx(0.1, abs=0.03)
    assert some_listen.follows.mean() == pytest.approx(0.9 * 0.6, abs=0.05)
    assert not (some_listen.walk_in & some_listen.follows).any()


def test_what_drivers_say_of_their_stay_is_as_wrong_as_the_scenario_says(draw: Draw) -> None:
    right, wrong = (draw(level=9, scenario=Scenario(stay_error=error)) for error in (0.0, 0.8))
    assert (right.stay_s == wrong.stay_s).all()
    assert right.said_stay_s[~right.is_dc] == pytest.approx(right.stay_s[~right.is_dc])
    said = np.log(wrong.said_stay_s / wrong.stay_s)[~wrong.is_dc]
    assert said.std() == pytest.approx(0.8, abs=0.08)


def test_an_event_brings_more_into_its_zone_for_its_time(draw: Draw) -> None:
    zone_id = "Z1"
    usual, event = draw(hours=5), draw(hours=5, scenario=Scenario(surges=(Surge(zone_id, 1.0, 3.0, 4.0),)))
    begin = usual.start.timestamp()
    during = [((each.appear_s >= begin + 3600) & (each.appear_s < begin + 2 * 3600)).sum() for each in (usual, event)]
    assert during[1] > 1.2 * during[0]
    with pytest.raises(BadInput, match="no zone 'nowhere'"):
        draw(scenario=Scenario(surges=(Surge("nowhere", 0, 1, 1),)))


def test_nobody_charges_where_a_station_has_failed(make_twin: MakeTwin, small_layout: Layout) -> None:
    station = small_layout.station_ids[0]
    twin = make_twin("commit", scenario=Scenario(outages=(Outage(station, 1.0, 2.0),)), faults_per_day=0.0)
    evses = small_layout.evse_station == 0
    while twin.now_s < twin.start.timestamp() + 1.5 * 3600:
        twin.step()
    assert (twin.state.bays["driver"][evses] == -1).all()
    while twin.now_s < twin.start.timestamp() + 4 * 3600:
        twin.step()
    assert (twin.state.bays["driver"][evses] >= 0).any()
    with pytest.raises(BadInput, match="no station 'nowhere'"):
        make_twin("commit", scenario=Scenario(outages=(Outage("nowhere", 0, 1),)))


def test_roads_are_slow_at_the_hours_of_the_place() -> None:
    nine = datetime(2024, 5, 7, 1, 30, tzinfo=UTC)
    offset_s = utc_offset_s(nine, "Asia/Shanghai")
    assert offset_s == 8 * 3600
    assert Scenario(hour_drive=BUSY_ROADS).slow(np.array([nine.timestamp()]), offset_s).tolist() == [BUSY_ROADS[9]]
