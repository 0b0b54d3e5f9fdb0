"""More kilowatts: at the circuits that hold vehicles up, and worth it in the twin."""

from datetime import timedelta

import pytest

from chargeloop.city import builtin_city
from chargeloop.model import BadInput, City
from chargeloop.prediction import forecast_city
from chargeloop.simulation import Line, Reinforcement, default_day, paired, with_more_kw
from tests.small_city import START


@pytest.fixture(scope="module")
def short_of_power() -> Reinforcement:
    city = builtin_city()
    start = default_day(city) + timedelta(hours=17)
    return Reinforcement(city, forecast_city(city, start, 4), start, 4, level=1.4, seed=1)


def test_kilowatts_go_where_they_are_short_and_save_there(short_of_power: Reinforcement) -> None:
    lines = short_of_power.best(800.0)
    assert lines == short_of_power.best(800.0)
    assert 0 < sum(line.kw for line in lines) <= 800.0 + 1e-6
    assert max(line.kw for line in lines) <= 80.0 + 1e-6
    assert [line.saves_min for line in lines] == sorted((line.saves_min for line in lines), reverse=True)
    checks = [short_of_power.check(lines, day) for day in range(2)]
    saved = paired([each.as_it_is for each in checks], [each.with_best for each in checks])
    at_random = paired([each.as_it_is for each in checks], [each.with_random for each in checks])
    assert saved.days == 2
    assert saved.change < 0
    assert saved.change < 3 * at_random.change


def test_a_circuit_is_raised_and_no_other(small_city: City) -> None:
    line = Line("site-1", "site", 40.0, 0.0)
    grown = with_more_kw(small_city, [line, line])
    more = {a.circuit_id: b.limit_kw - a.limit_kw for a, b in zip(small_city.circuits, grown.circuits, strict=True)}
    assert {name: kw for name, kw in more.items() if kw} == {"site-1": pytest.approx(80.0)}
    with pytest.raises(BadInput, match="no circuit 'moon'"):
        with_more_kw(small_city, [Line("moon", "site", 1.0, 0.0)])


def test_where_no_circuit_is_short_nothing_is_given(small_city: City) -> None:
    ample = with_more_kw(small_city, [Line(each.circuit_id, str(each.kind), 1e4, 0.0) for each in small_city.circuits])
    plenty = Reinforcement(ample, forecast_city(ample, START, 4), START, 4, level=1.0, seed=1)
    assert plenty.best(100.0) == []


@pytest.mark.parametrize("kw", [0.0, -5.0, float("nan"), float("inf")])
def test_no_kilowatts_are_no_plan(short_of_power: Reinforcement, kw: float) -> None:
    with pytest.raises(BadInput, match="kw"):
        short_of_power.best(kw)
