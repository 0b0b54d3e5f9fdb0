"""A fitted forecaster is saved and forecasts the same afterwards; other files are refused."""

import io
import json
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from chargeloop.model import BadInput, Demand, Weather
from chargeloop.prediction import (
    FORECASTERS,
    REFIT_H,
    Saved,
    boosted,
    fit_forecaster,
    kind_of,
    pack_forecaster,
    refitted,
    saved,
    unpack_forecaster,
)

START = datetime(2025, 2, 28, 16, tzinfo=UTC)
HOURS = 24 * 45
END = START + timedelta(hours=HOURS)
WEATHER = Weather(START, np.linspace(5, 30, HOURS), np.zeros(HOURS))
DEMAND = Demand(START, np.random.default_rng(3).gamma(2, 5, (HOURS, 3)))


@pytest.fixture(autouse=True)
def few_trees() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boosted, "TREES", 5)
        yield


@pytest.mark.parametrize("name", ["blend", "regression", "hour_of_week", "dev7"])
def test_what_was_saved_forecasts_the_same_to_the_last_bit(name: str) -> None:
    model = fit_forecaster(name, DEMAND, WEATHER, "Asia/Shanghai", ("a", "b", "c"))
    back: Saved = unpack_forecaster(pack_forecaster(model, END), "model")
    assert (back.kind, back.time_zone, back.until) == (kind_of(model), "Asia/Shanghai", END)
    assert back.model.zone_ids == ("a", "b", "c")
    before, after = (each.forecast(DEMAND, WEATHER, END, 30) for each in (model, back.model))
    for q in ("q10", "q50", "q90"):
        np.testing.assert_array_equal(getattr(before, q), getattr(after, q))
    assert before.methods == after.methods


def test_a_saved_blend_learns_on_where_it_stopped() -> None:
    model = FORECASTERS["blend"](DEMAND, WEATHER, "Asia/Shanghai", ("a", "b", "c"))
    back = unpack_forecaster(pack_forecaster(model, END), "model").model
    more = Demand(START, np.concatenate([DEMAND.energy_kwh, DEMAND.energy_kwh[:REFIT_H]]))
    then = END + timedelta(hours=REFIT_H)
    day, zones = FORECASTERS["day"], ("a", "b", "c")
    learned = [refitted(each, day, more, WEATHER, "Asia/Shanghai", zones) for each in (model, back)]
    first, second = (each.forecast(more, WEATHER, then, 24) for each in learned)
    np.testing.assert_array_equal(first.q90, second.q90)
    another = Demand(START + timedelta(hours=1), more.energy_kwh)  # nothing to go on from
    assert kind_of(refitted(back, day, another, WEATHER, "Asia/Shanghai", zones)) == "naive"


def zipped(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez(file, **{name: np.asarray(each) for name, each in arrays.items()})  # type: ignore[arg-type]
    return file.getvalue()


def header(**entries: object) -> np.ndarray:
    return np.frombuffer(json.dumps({"format": "chargeloop forecaster", **entries}).encode(), dtype=np.uint8)


WHOLE = pack_forecaster(fit_forecaster("day", DEMAND, WEATHER, "UTC"), END)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "no saved forecaster"),
        (b"time,101\n2025-03-01,1\n", "no saved forecaster"),
        (pickle.dumps({"format": "chargeloop forecaster"}), "no saved forecaster"),
        (zipped(a=[1.0]), "no saved forecaster"),
        (zipped(header=header(format="other")), "no saved forecaster"),
        (zipped(header=np.array([{"a": 1}], dtype=object)), "no saved forecaster"),
        (zipped(header=header(version=99, kind="blend")), "version 99, not 1: fit it anew"),
        (zipped(header=header(version=1, kind="oracle")), "'oracle' in version 1"),
        (zipped(header=header(version=1, kind="naive", until="2025-03-01", values={})), "another version"),
        (WHOLE[: len(WHOLE) // 2], "damaged"),
        (WHOLE.replace(b"spread", b"spredd"), "damaged|another version"),
    ],
)
def test_other_files_are_refused(body: bytes, what: str) -> None:
    with pytest.raises(BadInput, match=f"model.npz: .*({what})"):
        unpack_forecaster(body, "model.npz")


def test_a_forecaster_whose_trees_are_damaged_is_refused() -> None:
    body = pack_forecaster(FORECASTERS["blend"](DEMAND, WEATHER, "UTC", ()), END)
    with np.load(io.BytesIO(body)) as file:
        parts = {name: file[name] for name in file.files}
    parts["boosted.0"] = parts["boosted.0"][:0]
    with pytest.raises(BadInput, match="another version"):
        unpack_forecaster(zipped(**parts), "model")
    assert saved.VERSION == 1
