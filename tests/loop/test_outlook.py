"""What is coming, in the loop: shortages told once and taken back, feeds that stop, forecasts kept and scored."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from chargeloop.guidance import Guide
from chargeloop.loop import (
    CityLoop,
    Clock,
    ForecastRecords,
    Forecasts,
    Foresight,
    KeptForecast,
    Outlook,
    Shortages,
    StoppedFeed,
    bays_in_order,
    history_start,
    keep,
    pack_forecast,
    score,
    stages_of,
    stopped_feeds,
    trusted_kwh,
    unpack_forecast,
)
from chargeloop.model import (
    OUT_OF_ORDER,
    City,
    Command,
    Demand,
    EvseStatus,
    EvseStatusChanged,
    Layout,
    MeterSampled,
    Peak,
    SessionStarted,
    Shortage,
    ShortageTold,
    World,
)
from chargeloop.perception import Perception
from chargeloop.persistence import Record, Store, find_forecasts, find_origins, find_records
from chargeloop.prediction import HORIZONS_H, Correlation, Forecast, Levels
from tests.small_city import START

HOUR = timedelta(hours=1)
NEXT = START.replace(minute=0) + HOUR


def short(begin_h: int = 1, end_h: int = 3, more_bays: float = 5.0, probability: float = 0.8, zone: str = "Z0") -> Shortage:
    begin, end = (START.replace(minute=0) + h * HOUR for h in (begin_h, end_h))
    return Shortage(f"{zone}-{begin:%Y%m%dT%H}", zone, begin, end, 12.0, 12 + more_bays, more_bays, probability)


def told(board: Shortages, found: Sequence[Shortage], now: datetime = START) -> list[str]:
    news = board.news(found, now)
    for each in news:
        board.apply(each)
    return [each.what for each in news]


def test_a_shortage_is_raised_once_updated_withdrawn_or_over() -> None:
    board = Shortages()
    assert told(board, [short(probability=0.4)]) == []  # not likely enough
    assert told(board, [short()]) == ["raised"]
    assert told(board, [short()]) == []
    assert told(board, [short(more_bays=5.5, probability=0.75)]) == []  # the same, for all that matters
    assert told(board, [short(2, 4, more_bays=9)]) == ["updated"]
    assert board.is_told(short(2, 4))
    (now,) = board.told.values()
    assert (now.shortage_id, now.begin, now.end) == (short().shortage_id, short().begin, short(2, 4).end)
    assert told(board, [short(2, 4, more_bays=9, probability=0.35)]) == ["updated"]  # stands until it is below the least
    assert told(board, [short(9, 11), short(zone="Z1")]) == ["raised", "raised", "withdrawn"]
    assert told(board, [], START + 4 * HOUR) == ["withdrawn", "over"]
    assert board.told == {}


def test_of_a_shortage_that_splits_the_first_part_goes_on_and_the_second_is_another() -> None:
    board = Shortages()
    assert told(board, [short(1, 7)]) == ["raised"]
    parts = [short(5, 7, probability=0.9), short(1, 3, probability=0.6)]  # the likeliest first, as they are found
    assert sorted(told(board, parts)) == ["raised", "updated"]
    assert {(each.begin, each.end) for each in board.told.values()} == {(each.begin, each.end) for each in parts}
    assert told(board, parts) == []


def frozen(city: City, hours: int = 30) -> City:
    energy = city.demand.energy_kwh.copy()
    energy[-hours:, 1] = 33.0
    return replace(city, demand=Demand(city.demand.start, energy))


def world_of(city: City, layout: Layout) -> World:
    return Perception(city, layout).snapshot(START)


def test_a_feed_that_stands_still_is_marked_and_not_believed(small_city: City, small_layout: Layout) -> None:
    world = world_of(frozen(small_city), small_layout)
    (feed,) = stopped_feeds(world)
    assert feed == StoppedFeed("zone", "Z1", START.replace(minute=0) - 30 * HOUR, 33.0)
    trusted = trusted_kwh(world)
    assert np.isnan(trusted[-30:, 1]).all()
    assert np.isfinite(trusted[:-30]).all()
    assert history_start(world) + len(trusted) * HOUR == START.replace(minute=0)
    usual = Forecasts(small_city)(world_of(small_city, small_layout)).q50[:, 1]
    assert Forecasts(small_city)(world).q50[:, 1] == pytest.approx(usual, rel=0.1)
    assert stopped_feeds(world_of(small_city, small_layout)) == ()


def test_a_station_that_charges_and_says_nothing_is_silent(small_city: City, small_layout: Layout) -> None:
    perception = Perception(small_city, small_layout)
    perception.apply(SessionStarted(at=START, session_id="s1", evse_id="S2-01", id_token="T1"))
    assert stopped_feeds(perception.snapshot(START + timedelta(minutes=50))) == ()
    again = Perception.load(small_city, small_layout, perception.dump())
    for each in (perception, again):
        assert stopped_feeds(each.snapshot(START + 2 * HOUR)) == (StoppedFeed("station", "S2", START, None),)
    perception.apply(MeterSampled(at=START + 2 * HOUR, session_id="s1", evse_id="S2-01", meter_wh=9000, power_kw=30))
    assert stopped_feeds(perception.snapshot(START + 2 * HOUR)) == ()


def test_the_share_of_a_station_is_measured(small_city: City, small_layout: Layout) -> None:
    perception = Perception(small_city, small_layout)
    perception.apply(SessionStarted(at=START, session_id="s1", evse_id="S1-01", id_token="T1"))
    end = START + 72 * HOUR
    for hour in range(1, 73):
        at = START + hour * HOUR
        perception.apply(MeterSampled(at=at, session_id="s1", evse_id="S1-01", meter_wh=5000.0 * hour, power_kw=5))
    world = Perception.load(small_city, small_layout, perception.dump()).snapshot(end)
    assert world.station_kwh.argmax() == 1
    assert 2.5 < world.station_days < 3.0
    foresight = Foresight(small_city, small_layout, lambda: Forecasts(small_city).plain)
    first, later = (foresight.levels.station_share(world.station_kwh, days) for days in (0.0, world.station_days))
    assert later[1] > first[1] + 0.3


def test_the_outlook_of_a_forecast(small_city: City, small_layout: Layout) -> None:
    world = world_of(small_city, small_layout)
    forecast = Forecasts(small_city)(world)
    twice = Forecast(forecast.origin, forecast.zone_ids, 3 * forecast.q10, 4 * forecast.q50, 5 * forecast.q90)
    outlooks: list[Outlook] = [
        Foresight(small_city, small_layout, lambda: Forecasts(small_city).plain)(world, each) for each in (forecast, twice)
    ]
    calm, busy = outlooks
    assert len(busy.shortages) > 0
    highest: Peak = busy.peaks[0]
    assert highest.unit_id == "city"
    assert busy.peaks[0].q50_kwh > 3.5 * calm.peaks[0].q50_kwh
    assert busy.levels.city.q50[:, 0] == pytest.approx(twice.q50.sum(axis=1))
    assert bays_in_order(world).tolist() == [12, 10, 9]
    perception = Perception(small_city, small_layout)
    perception.apply(EvseStatusChanged(at=START, evse_id="S0-01", status=EvseStatus.FAULTED))
    assert bays_in_order(perception.snapshot(START)).tolist() == [11, 10, 9]
    assert int(EvseStatus.FAULTED) in OUT_OF_ORDER


def test_a_forecast_is_packed_and_comes_back(small_city: City, small_layout: Layout) -> None:
    forecast = Forecasts(small_city)(world_of(small_city, small_layout))
    back, correlation = unpack_forecast(pack_forecast(forecast, Correlation(0.2, 0.3, 0.8)))
    assert (back.origin, back.zone_ids, correlation) == (forecast.origin, forecast.zone_ids, Correlation(0.2, 0.3, 0.8))
    assert back.q90 == pytest.approx(forecast.q90, rel=1e-6)


async def test_forecasts_are_scored_when_their_hours_are_over(
    small_city: City, small_layout: Layout, database_url: str
) -> None:
    store = await Store.open(database_url)
    records: ForecastRecords = store
    levels, forecasts = Levels.of(small_city, small_layout), Forecasts(small_city)
    perception = Perception(small_city, small_layout)
    for hour in range(5):
        now = START + hour * HOUR
        forecast = forecasts(perception.snapshot(now))
        await keep(records, forecast, Correlation(), now)
        await keep(records, forecast, Correlation(), now + timedelta(minutes=5))  # after a restart: the first one stands
        await score(records, perception.snapshot(now), levels)
    assert await score(records, perception.snapshot(START + 4 * HOUR), levels) == 0  # none is scored twice
    found = await store.read(lambda connection: find_records(connection, 0, START.timestamp() + 86400))
    assert [(each.level, each.horizon_h, each.hours) for each in found] == [
        (level, h, hours) for level in ("zone", "district", "city") for h, hours in zip(HORIZONS_H[:2], (3, 1), strict=True)
    ]
    newest = await store.read(lambda connection: find_origins(connection, 2))
    assert [row.made_s - row.origin_s for row in newest] == [1800, 1800]  # not the second time
    kept = await store.read(lambda connection: find_forecasts(connection, [newest[0].origin_s, 5.0]))
    assert list(kept) == [newest[0].origin_s]
    zone: Record = found[0]
    came, told_kwh = 0.0, float(forecasts(perception.snapshot(START)).q50[0].mean())
    assert (zone.mean_kwh, zone.coverage) == (came, 0.0)  # nobody has charged since
    assert zone.mae_kwh == pytest.approx(told_kwh, rel=0.3)
    assert zone.naive is not None
    assert zone.drift.is_there is None
    assert await store.forget_forecasts(START + 2 * HOUR, START) == 3 + 3  # of 9, 10 and 11 h; of the first hour at each level
    await store.add_forecast(KeptForecast(1.0, 2.0, b"x"))
    assert dict(await store.forecasts_from([1.0, 3.0])) == {1.0: b"x"}
    await store.close()


async def test_what_was_told_is_known_after_a_restart(small_city: City, small_layout: Layout, tmp_path: Path) -> None:
    guide = Guide.of(small_city, small_layout)

    async def send(_: Sequence[Command]) -> None:
        """Nobody is connected."""

    async def opened(flood: float) -> CityLoop:
        store = await Store.open(tmp_path / "loop.db")
        stages = stages_of(small_city, small_layout, guide)
        usual = stages.predict

        def predict(world: World) -> Forecast:
            made = usual(world)
            return replace(made, q10=flood * made.q10, q50=flood * made.q50, q90=flood * made.q90)

        clock = Clock(0.0, START.timestamp(), 0.0)
        loop = CityLoop(small_city, small_layout, replace(stages, predict=predict), store, clock, send)
        await loop.rebuild()
        store.on_commit = loop.publish
        return loop

    async def events(loop: CityLoop) -> list[ShortageTold]:
        return [each async for _, each in loop.store.events_after(0) if isinstance(each, ShortageTold)]

    loop = await opened(5.0)
    await loop.turn()
    raised = await events(loop)
    assert {each.what for each in raised} == {"raised"}
    assert {each.shortage.shortage_id for each in raised} == set(loop.shortages.told)
    await loop.turn()
    assert await events(loop) == raised
    await loop.store.close()  # type: ignore[attr-defined]
    loop = await opened(5.0)  # from events alone
    assert set(loop.shortages.told) == {each.shortage.shortage_id for each in raised}
    await loop.save()
    await loop.store.close()  # type: ignore[attr-defined]
    loop = await opened(1.0)  # from the snapshot
    assert set(loop.shortages.told) == {each.shortage.shortage_id for each in raised}
    await loop.turn()
    assert {each.what for each in (await events(loop))[len(raised) :]} <= {"withdrawn", "updated"}
    assert len(loop.shortages.told) < len(raised)
    await loop.store.close()  # type: ignore[attr-defined]
