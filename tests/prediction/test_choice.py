"""The logits: known tastes are found within their errors, and what can't be told is refused."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from chargeloop.model import BadInput, ChargeRequest, Current, Decision, Offer, Tier
from chargeloop.prediction import ChoiceTable, Estimate, Logit, Taste, choices_of, of_tier
from tests.small_city import START, place


def drawn(count: int, spread: float = 0.0, per_cny: float = 0.2, value: float = 40.0, outside: float = 30.0) -> ChoiceTable:
    rng = np.random.default_rng(3)
    features = np.zeros((count, 5, 3))
    features[:, :4, 0] = rng.uniform(10, 40, (count, 4))
    features[:, :4, 1] = rng.uniform(5, 60, (count, 4))
    features[:, 4, 2] = 1
    of_minutes = value / 60 * rng.lognormal(0, spread, count)[:, None]
    cost = features[:, :, 0] + of_minutes * features[:, :, 1] + outside * features[:, :, 2]
    there = np.ones((count, 5), dtype=np.bool_)
    there[: count // 3, 0] = False
    utility = np.where(there, rng.gumbel(size=cost.shape) - per_cny * cost, -np.inf)
    return ChoiceTable(("amount_cny", "minutes", "declined"), features, there, utility.argmax(axis=1))


def test_a_logit_finds_the_weights_within_its_errors() -> None:
    logit = Logit.fit(drawn(3000))
    for name, true in (("amount_cny", -0.2), ("minutes", -0.2 * 40 / 60), ("declined", -6.0)):
        value, error = logit.of(name)
        assert abs(value - true) < 3 * error
        assert error < 0.1 * abs(true)
    value, error = logit.ratio("minutes", "amount_cny")
    assert abs(60 * value - 40) < 3 * 60 * error
    assert logit.log_likelihood > logit.log_likelihood_0
    table = drawn(50)
    share = logit.probability(table.features, table.there)
    assert share.sum(axis=1) == pytest.approx(np.ones(50))
    assert (share[~table.there] == 0).all()


def test_the_errors_are_those_of_the_estimates() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(400, 3, 2))
    off = []
    for _ in range(60):
        taken = (x @ np.array([1.0, -0.5]) + rng.gumbel(size=(400, 3))).argmax(axis=1)
        found = Logit.fit(ChoiceTable(("a", "b"), x, np.ones((400, 3), dtype=np.bool_), taken))
        off.append((found.weight - [1.0, -0.5]) / np.sqrt(np.diag(found.covariance)))
    assert np.std(off) == pytest.approx(1, abs=0.2)


def test_drivers_who_differ_are_found_with_their_spread() -> None:
    taste = Taste.fit(drawn(4000, spread=0.5))
    for found, true in ((taste.per_cny, 0.2), (taste.value_of_time_per_h, 40), (taste.outside_cny, 30), (taste.spread, 0.5)):
        assert isinstance(found, Estimate)
        assert abs(found.value - true) < 3 * found.error
        assert found.error < 0.15 * true


def test_choices_in_which_money_does_not_count_are_refused() -> None:
    with pytest.raises(BadInput, match="mind"):
        Taste.fit(drawn(500, per_cny=-0.2))
    with pytest.raises(BadInput, match="none"):
        Logit.fit(drawn(0))


def offer(station: str, amount: str, current: Current = Current.DC) -> Offer:
    return Offer(station, current, 5.0, 2.0, 3.0, 6.0, 20.0, 15.0, 0.3, Decimal(amount), 1.0, {})


def request() -> ChargeRequest:
    return ChargeRequest(
        request_id="R1",
        at=START,
        place=place(100, 100),
        id_token="U1",
        model_id="sedan",
        tier=Tier.PRIVATE,
        current=Current.DC,
        soc=0.2,
        target_soc=0.8,
        battery_kwh=60,
        depart_by=START + timedelta(hours=2),
    )


def test_stored_decisions_become_a_table() -> None:
    offers = (offer("S0", "20.50"), offer("S1", "18.00", Current.AC))
    first = Decision("D-1", "R1", START, "exact", offers[0], offers, "")
    taken = {"D-1": "S1", "D-2": None, "D-4": None}
    several = [first, *(replace(first, decision_id=f"D-{n}", at=START + timedelta(minutes=n)) for n in (2, 3))]
    table = choices_of([*several, replace(first, decision_id="D-4", offers=(), chosen=None)], taken)
    assert len(table) == 2  # D-3 had no answer, D-4 no offers
    assert table.taken.tolist() == [1, 2]
    assert table.features[0].tolist() == [[20.5, 28, 0], [18, 8, 0], [0, 0, 1]]
    private = replace(first, request=request())
    assert len(choices_of([private], taken, of_tier(Tier.PRIVATE))) == 1
    assert len(choices_of([private], taken, of_tier(Tier.TAXI))) == 0
    with pytest.raises(BadInput, match="S9"):
        choices_of([first], {"D-1": "S9"})
