"""Promises counted: by hand on a few, and on many."""

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from chargeloop.model import Promise
from chargeloop.model.validated import to_json
from chargeloop.persistence import (
    Bin,
    Columns,
    Standing,
    Store,
    calibration,
    find_kept,
    find_promises,
    find_taken,
    standing,
    standings,
    tables,
)
from chargeloop.persistence.engine import MIGRATIONS, engine_for, migrate
from tests.persistence.test_store import NOW, decision


async def filled(url: str) -> Store:
    """At S1 promised 2 minutes (at most 4), came 3, 6, and one at another station; at S2 one never, and one to come."""
    store = await Store.open(url)
    for n, station in enumerate(["S1", "S1", "S1", "S2", "S2"]):
        made = decision(f"D-{n}", station, NOW + timedelta(minutes=n))
        promise = Promise(f"D-{n}", made.at, station, 2.0, 4.0, Decimal("20.00"))
        await store.add_decisions([made], promises=[promise])
    await store.put_outcome("D-0", 3.0, Decimal("20.50"), "S1")
    await store.put_outcome("D-1", 6.0, Decimal("30.00"), "S1")
    await store.put_outcome("D-2", 0.0, Decimal("11.00"), "S9")
    await store.put_given_up(["D-3", "D-0"])  # the second has charged: that stays
    return store


async def test_figures_by_hand(database_url: str) -> None:
    store = await filled(database_url)
    span = NOW.timestamp(), NOW.timestamp() + 3600
    found = await store.read(lambda connection: find_promises(connection, *span))
    first, second = standings(found, str)
    assert first == Standing(
        group="S1",
        made=3,
        kept=2,
        elsewhere=1,
        gave_up=0,
        open=0,
        waits=2,
        promised_wait_min=2.0,
        realised_wait_min=4.5,
        wait_error_min=2.5,
        wait_error_p95_min=pytest.approx(1 + 0.95 * 3),  # type: ignore[arg-type]
        within_p90=0.5,
        waits_promised=2,
        within_p90_where_any=0.5,
        promised_cents=2000.0,
        realised_cents=2525.0,
        amount_same=0.5,
    )
    assert (second.group, second.made, second.gave_up, second.open, second.within_p90) == ("S2", 2, 1, 1, None)
    assert standing("all", found).made == 5
    assert [each.group for each in standings(found, lambda _: "everybody")] == ["everybody"]
    assert calibration(found) == [Bin(2.0, 5.0, 2, 4.0, pytest.approx(5.7), 0.5)]  # type: ignore[arg-type]
    none = await store.read(lambda connection: find_promises(connection, 0.0, 1.0))
    assert (standings(none, str), calibration(none)) == ([], [])
    one = await store.read(lambda connection: find_promises(connection, *span, ["S2"]))
    assert len(one.station_id) == 2
    behind = await store.read(lambda connection: find_kept(connection, *span, ["S1"], 2))
    assert [(row.decision_id, row.came) for row in behind] == [("D-2", "elsewhere"), ("D-1", "kept")]
    taken, can_replay = await store.read(lambda connection: find_taken(connection, "D-1"))
    assert taken is not None
    assert (taken.station_id, taken.came, can_replay) == ("S1", "kept", False)
    await store.close()


async def test_many_are_counted(database_url: str) -> None:
    store, size = await Store.open(database_url), 20_000
    rng = np.random.default_rng(1)
    wait = rng.exponential(5, size)
    rows = [
        {"decision_id": f"D-{n}", "made_s": float(n), "station_id": f"S{n % 1400}", "wait_min": 5.0, "came": "kept"}
        | {"wait_p90_min": 5.0 * np.log(10).item(), "amount_cents": 2000}
        for n in range(size)
    ]
    made = [{"decision_id": f"D-{n}", "at_s": float(n), "station_id": None, "body": "{}"} for n in range(size)]
    came = [{"decision_id": f"D-{n}", "realised_wait_min": float(wait[n]), "realised_amount": "20.40"} for n in range(size)]

    def fill(connection: sa.Connection) -> None:
        for table, values in ((tables.decision, made), (tables.outcome, came), (tables.promise, rows)):
            connection.execute(sa.insert(table), values)

    await store.write(fill)
    found: Columns = await store.read(lambda connection: find_promises(connection, 0.0, float(size)))
    by_station = standings(found, str)
    assert len(by_station) == 1400
    assert sum(each.waits for each in by_station) == size
    whole = standing("", found)
    assert whole.within_p90 == pytest.approx(0.9, abs=0.01)
    assert whole.amount_same == 1
    assert calibration(found)[0].realised_p90_min == pytest.approx(5 * np.log(10), rel=0.04)
    await store.close()


def test_promises_made_before_are_counted_too(database_url: str) -> None:
    """A database of the layout before: what the loop decided was promised, what an app asked for only if it was used."""
    engine = engine_for(database_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        tables.metadata.drop_all(connection)  # of a database that is made ready beforehand
        connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
        command.upgrade(config, "0008")
        for key in ("D-R1", "D-R2", "D-app-1", "D-app-2"):
            row = {"decision_id": key, "at_s": 1.0, "station_id": "S1", "body": to_json(decision(key))}
            connection.execute(sa.text("INSERT INTO decision VALUES (:decision_id, :at_s, :station_id, :body)"), row)
        connection.execute(sa.text("INSERT INTO outcome VALUES ('D-R2', 3.0, '20.00'), ('D-app-2', 1.0, '20.00')"))
    migrate(engine)
    with engine.connect() as connection:
        made = connection.execute(sa.select(tables.promise).order_by(tables.promise.c.decision_id)).all()
    assert [(row.decision_id, row.came) for row in made] == [("D-R1", None), ("D-R2", "kept"), ("D-app-2", "kept")]
    assert {row.made_s for row in made} == {NOW.timestamp()}
    assert {row.amount_cents for row in made} == {2010}
    engine.dispose()
