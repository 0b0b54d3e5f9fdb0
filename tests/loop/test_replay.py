"""What decisions were made from is kept: they can be made again, exactly, or with something changed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from chargeloop.guidance import Guide
from chargeloop.loop import CityLoop, Clock, Packed, Recommender, packed, stages_of, unpacked
from chargeloop.model import BadInput, ChargeRequest, City, Command, Current, Decision, Layout, Sort, Tier
from chargeloop.persistence import Kept, Store, find_kept_decision, find_newest, look, tables
from chargeloop.recommendation import DayAhead, Given, Prices, Weights, reweighed, weights_in
from chargeloop.simulation import Nightly, Twin, draw_drivers
from tests.small_city import START, place

MINUTES = 120


@dataclass
class Evening:
    """The database of a loop that ran two busy hours of the twin, and what it decided."""

    database: Path
    decisions: list[Decision]


async def play(city: City, layout: Layout, database: Path) -> list[Decision]:
    guide = Guide.of(city, layout)
    drivers = draw_drivers(city, layout, START, 3, 3.0, np.random.default_rng(3))
    twin = Twin(city, layout, guide, drivers, START, 60, "external", np.random.default_rng(4))
    store = await Store.open(database)
    obey: list[Command] = []

    async def send(commands: Sequence[Command]) -> None:
        obey.extend(commands)

    ahead = Nightly(city, layout, guide, level=3.0)
    loop = CityLoop(city, layout, stages_of(city, layout, guide, ahead=ahead, keep=True), store, Clock.real(), send)
    store.on_commit = loop.publish
    decisions: list[Decision] = []
    for minute in range(MINUTES):
        await store.append("twin", twin.step())
        loop.clock = Clock(0.0, twin.now.timestamp(), 0.0)
        decisions += (await loop.turn()).decisions
        for command in obey:
            twin.apply(command)
        obey.clear()
        if minute % 10 == 9:
            decisions.append((await loop.recommend(asked(f"app-{minute}", twin)))[0])
    await loop.save()
    await store.close()
    return decisions


def asked(key: str, twin: Twin) -> ChargeRequest:
    end = twin.now + timedelta(hours=2)
    where = place(1200, 900)
    return ChargeRequest(
        key, twin.now, where, f"T{key}", "small", Tier.TAXI, Current.DC, 0.3, 0.9, 40.0, end, sort=Sort.NEAREST
    )


@pytest.fixture(scope="module")
def evening(small_city: City, small_layout: Layout, tmp_path_factory: pytest.TempPathFactory) -> Evening:
    database = tmp_path_factory.mktemp("evening") / "chargeloop.db"
    return Evening(database, asyncio.run(play(small_city, small_layout, database)))


def kept(evening: Evening, decision: Decision) -> Kept:
    found = look(evening.database, lambda connection: find_kept_decision(connection, decision.decision_id))
    assert found is not None
    return found


def given_of(evening: Evening, decision: Decision, layout: Layout) -> Given:
    found = kept(evening, decision)
    assert found.given is not None
    return unpacked(found.given, found.prices, layout)


def made(batch: Sequence[Decision], like: Decision) -> Decision:
    return next(each for each in batch if each.decision_id == like.decision_id)


def test_every_decision_is_made_again_exactly(small_city: City, small_layout: Layout, evening: Evening) -> None:
    recommender = Recommender(small_city, small_layout)
    assert len(evening.decisions) > 60
    assert max(each.certificate.requests for each in evening.decisions if each.certificate) > 1
    again = [recommender(given_of(evening, each, small_layout)) for each in evening.decisions]
    same = [made(batch, each) for batch, each in zip(again, evening.decisions, strict=True)]
    assert same == [kept(evening, each).decision for each in evening.decisions]


def test_an_outage_moves_the_choice_and_other_weights_do(small_city: City, small_layout: Layout, evening: Evening) -> None:
    recommender = Recommender(small_city, small_layout)
    moved_by_outage, moved_by_weights = 0, 0
    for each in evening.decisions:
        given, chosen = given_of(evening, each, small_layout), each.chosen
        assert chosen is not None
        without = made(recommender(given.changed(small_layout, outages=[chosen.station_id])), each)
        assert chosen.station_id not in {offer.station_id for offer in without.offers}
        moved_by_outage += without.chosen is not None
        dearer = made(recommender(given.changed(small_layout, weights={"amount": "x20"})), each)
        assert dearer.chosen is not None
        moved_by_weights += dearer.chosen.station_id != chosen.station_id
    assert moved_by_outage > 20
    assert moved_by_weights > 5


def test_another_solver_answers_the_same_question(small_city: City, small_layout: Layout, evening: Evening) -> None:
    each = max(evening.decisions, key=lambda d: d.certificate.requests if d.certificate else 0)
    given = given_of(evening, each, small_layout)
    greedy = made(Recommender(small_city, small_layout)(given.changed(small_layout, solver="greedy")), each)
    assert greedy.solver == "greedy"
    assert greedy.certificate is not None
    assert each.certificate is not None
    assert greedy.certificate.bound == pytest.approx(each.certificate.bound)
    assert greedy.certificate.objective >= each.certificate.bound


def test_what_cannot_be_changed_is_named(small_layout: Layout, evening: Evening) -> None:
    given = given_of(evening, evening.decisions[0], small_layout)
    with pytest.raises(BadInput, match="no station 'S99'"):
        given.changed(small_layout, outages=["S99"])
    with pytest.raises(BadInput, match="no solver 'magic'"):
        given.changed(small_layout, solver="magic")
    with pytest.raises(BadInput, match="no such weight"):
        given.changed(small_layout, weights={"beauty": 1})


def test_inputs_of_another_city_are_refused(city: City, layout: Layout, evening: Evening) -> None:
    with pytest.raises(BadInput, match="of another city"):
        given_of(evening, evening.decisions[0], layout)


def test_inputs_come_back_as_they_were_where_they_matter(small_layout: Layout, evening: Evening) -> None:
    given = given_of(evening, evening.decisions[-1], small_layout)
    twice = unpacked(packed(given, small_layout).body, None, small_layout)
    assert twice.requests == given.requests
    assert (twice.bay_free_s == given.bay_free_s).all()
    assert (twice.candidates.pool == given.candidates.pool).all()
    priced = replace(given, ahead=DayAhead(Prices(np.ones((len(small_layout.pool_station), 4)), 900.0), 0.0))
    digest, body = packed(priced, small_layout).prices or ("", b"")
    ahead = unpacked(packed(priced, small_layout).body, body, small_layout).ahead
    assert ahead is not None
    assert (ahead.prices.rate == 1).all()
    assert len(digest) == 64


async def test_prices_that_decisions_share_are_stored_once_and_old_inputs_are_forgotten(
    evening: Evening, tmp_path: Path
) -> None:
    count = look(evening.database, lambda connection: connection.exec_driver_sql("SELECT count(*) FROM shadow_price").scalar())
    assert count == 1
    newest = look(evening.database, lambda connection: find_newest(connection, 5))
    assert [has_given for _, has_given in newest] == [True] * 5
    store = await Store.open(tmp_path / "other.db")
    old = Packed(START, ("r1",), b"x", ("d1", b"y"))
    new = Packed(START + timedelta(days=2), ("r2",), b"x", ("d1", b"y"))
    first = evening.decisions[0]
    await store.add_decisions([replace(first, decision_id="D-r1", request_id="r1")], [old])
    await store.add_decisions([replace(first, decision_id="D-r2", request_id="r2")], [new])
    assert await store.forget_given(START + timedelta(days=1)) == 1
    kept_of = [await store.read(lambda c, key=key: find_kept_decision(c, key)) for key in ("D-r1", "D-r2")]  # type: ignore[misc]
    assert [(each.given, each.prices) for each in kept_of if each] == [(None, None), (b"x", b"y")]
    assert await store.forget_given(START + timedelta(days=9)) == 1
    assert await store.rows(sa.select(tables.shadow_price.c.digest)) == []
    await store.close()


@pytest.mark.parametrize(
    ("where", "said"),
    [("none.db", "there is no such file"), ("text.db", "is damaged or no database"), ("empty.db", "older version")],
)
def test_a_database_that_cannot_be_looked_into_is_named(where: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database " * 200)
    (tmp_path / "empty.db").touch()
    with pytest.raises(BadInput, match=said):
        look(tmp_path / where, lambda connection: find_newest(connection, 1))


def test_weights_are_changed_by_name() -> None:
    weights = Weights()
    moved = reweighed(weights, weights_in("wait_risk=3, amount=x2,taxi.wait=5,value_of_time=x0.5,turn=1"))
    assert moved.wait_risk == 3
    assert moved.tiers[Tier.BUS].amount == 2 * weights.tiers[Tier.BUS].amount
    assert moved.tiers[Tier.TAXI].wait == 2.5
    assert moved.tiers[Tier.PRIVATE].charge_ac == 0.5 * weights.tiers[Tier.PRIVATE].charge_ac
    assert moved.tiers[Tier.PRIVATE].turn == 1
    assert reweighed(weights, {}) == weights


@pytest.mark.parametrize(
    "changes", [{"plane.wait": 1}, {"amount": "much"}, {"constant_c": "x2"}, {"amount": "nan"}, {"amount": True}]
)
def test_weights_that_are_none_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="weight"):
        reweighed(Weights(), changes)


def test_a_weight_needs_its_value() -> None:
    with pytest.raises(BadInput, match="want name=value"):
        weights_in("amount")
