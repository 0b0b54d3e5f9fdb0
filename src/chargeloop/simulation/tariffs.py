"""Tariffs that move load, searched on what drivers are expected to do and judged in the twin on other days."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from chargeloop.model import City
from chargeloop.model.city import Floats
from chargeloop.simulation.days import Days, Outcome, figures
from chargeloop.simulation.paired import Change, paired
from chargeloop.simulation.search import Told, search
from chargeloop.simulation.time_of_use import (
    Expected,
    Flexibility,
    Response,
    city_prices,
    expected,
    point_of,
    shape_of,
    with_shape,
)

LESS_AND_MORE = (0.5, 2.0)  # times the share of flexible drivers, to see what hangs on it


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """`city`: the same with the tariffs found. `usual`, `found`: what the old and the new come to, as expected on the days of
    the search. `checked`: changes in the twin on other days. `if_share`: by share of flexible drivers, the change of the peak
    that is expected then, on the other days. `load_kw`: of the first other day, before and after, by 5 minutes.
    """

    city: City
    usual: Expected
    found: Expected
    checked: dict[str, Change]
    if_share: dict[float, Change]
    load_kw: tuple[Floats, Floats]
    best_by_generation: list[float]
    evaluations: int


def tune_prices(
    days: Days,
    learn_on: Sequence[int],
    others: Sequence[int],
    flexibility: Flexibility,
    *,
    method: str = "ga",
    population: int,
    generations: int,
    seed: int,
    told: Told = lambda _: None,
) -> Prices:
    """Energy prices by blocks of hours at which the peak load is least, and as much is earned as before."""
    city, layout = days.setting.city, days.layout
    energy, service = city_prices(city, layout)
    usual = energy + service
    responses = _responses(days, learn_on, flexibility)
    served = np.mean([_served(days, each) for each in responses], axis=0)
    responses = _responses(days, learn_on, flexibility, served)

    def peak(points: Floats) -> Floats:
        return np.array([[expected(responses, shape_of(point), service, usual).peak_kw] for point in points])

    at = {"population": population, "generations": generations, "seed": seed, "told": told}
    searched = search(method, point_of(energy), 1, peak, **at)  # type: ignore[arg-type]
    shape = shape_of(searched.points[searched.best])
    found = expected(responses, shape, service, usual)
    other_city = with_shape(city, layout, shape, found.level)
    now = np.add(*city_prices(other_city, layout))
    judged = _responses(days, others, flexibility, served)
    before, after = zip(*(_both(days, other_city, each, now) for each in judged), strict=True)
    return Prices(
        city=other_city,
        usual=_as_it_is(responses, usual),
        found=found,
        checked=_changes(before, after),
        if_share={
            share: _expected_change(_responses(days, others, replace(flexibility, share=share), served), now)
            for share in (min(times * flexibility.share, 1.0) for times in LESS_AND_MORE)
        },
        load_kw=(judged[0].load_kw(judged[0].stay), judged[0].load_kw(judged[0].shift_h(judged[0].cny(now)))),
        best_by_generation=[float(searched.values[searched.generation <= n].min()) for n in range(1, generations + 1)],
        evaluations=len(searched.points),
    )


def _responses(days: Days, those: Sequence[int], flexibility: Flexibility, served: Floats | float = 1.0) -> list[Response]:
    city, seed = days.setting.city, days.setting.seed
    usual = np.add(*city_prices(city, days.layout))
    responses = []
    for day in those:
        rng = np.random.default_rng([seed, day, 9])
        responses.append(Response(city, days.setting.draw(days.layout, day), usual, flexibility, rng))
        responses[-1].served *= served
    return responses


def _served(days: Days, response: Response) -> Floats:
    """By `BIN_S`: the load in the twin, where some wait and circuits hold back, over that were all served at once."""
    twin = days.twin(days.setting.city, response.drivers)
    days.run(twin, days.setting.city)
    expected_kw, share = response.load_kw(response.stay), response.served.copy()
    there = np.flatnonzero(expected_kw[: twin.load_kw.size] > 0.01 * expected_kw.max())
    share[there] = twin.load_kw[there] / expected_kw[there]
    return np.asarray(share)


def _as_it_is(responses: Sequence[Response], usual: Floats) -> Expected:
    revenue = [each.fixed_cny(usual) + each.paid_cny(each.cny(usual), each.stay) for each in responses]
    return Expected(
        peak_kw=float(np.mean([each.load_kw(each.stay).max() for each in responses])),
        revenue_cny=float(np.mean(revenue)),
        moved_share=0.0,
        level=float("nan"),
    )


def _expected_change(responses: Sequence[Response], per_kwh: Floats) -> Change:
    before = [float(each.load_kw(each.stay).max()) for each in responses]
    after = [float(each.load_kw(each.shift_h(each.cny(per_kwh))).max()) for each in responses]
    return paired(before, after)


def _both(days: Days, other_city: City, response: Response, per_kwh: Floats) -> tuple[Outcome, Outcome]:
    """One day in the twin at the old prices and at the new ones."""
    city = days.setting.city
    return (
        days.run(days.twin(city, response.drivers), city),
        days.run(days.twin(other_city, response.moved(per_kwh)), other_city),
    )


def _changes(before: Sequence[Outcome], after: Sequence[Outcome]) -> dict[str, Change]:
    names = ("peak_mw", "feeder_peaks_mw", "revenue_cny", "cny_per_kwh", "minutes", "served_share")
    return {name: paired(figures(before, name).tolist(), figures(after, name).tolist()) for name in names}
