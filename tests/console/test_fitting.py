"""Models are fitted in a process beside the server, and kept in a file for its next start."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from chargeloop.console.fitting import FittingProcess
from chargeloop.model import Demand, Weather
from chargeloop.prediction import Saved

START = datetime(2025, 3, 1, tzinfo=UTC)
RECORD = Demand(START, np.random.default_rng(1).gamma(2, 5, (24 * 20, 2)))
ASKED = (RECORD, Weather(START, np.full(1, np.nan), np.full(1, np.nan)), "UTC", ("a", "b"))


def taken(fitting: FittingProcess) -> Saved:
    deadline = time.monotonic() + 60
    while (found := fitting.take()) is None:
        assert time.monotonic() < deadline, "nothing came of it"
        time.sleep(0.05)
    return found


def test_a_model_is_fitted_beside_and_taken_up_by_the_next_start(tmp_path: Path) -> None:
    file = tmp_path / "forecaster.npz"
    fitting = FittingProcess(file, settle_s=0)
    fitting.ask(*ASKED)
    found = taken(fitting)
    assert (found.kind, found.model.zone_ids, found.until) == ("regression", ("a", "b"), START + timedelta(days=20))
    assert fitting.take() is None
    assert [path.name for path in tmp_path.iterdir()] == ["forecaster.npz"]
    fitting.stop()
    again = FittingProcess(file)
    again.ask(*ASKED)
    assert taken(again).until == found.until  # at once, long before it settles
    again.stop()
    of_others = FittingProcess(file, settle_s=0.2)
    of_others.ask(*ASKED[:3], ("c", "d"))
    time.sleep(0.1)
    assert of_others.take() is None
    of_others.stop()


def test_a_damaged_file_is_passed_over_and_a_stop_ends_a_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "forecaster.npz"
    file.write_bytes(b"not this")
    fitting = FittingProcess(file, name="blend", settle_s=0)  # for which the record is too short
    fitting.ask(*ASKED)
    begun = time.monotonic()
    while "no forecaster could be fitted" not in (said := capsys.readouterr().out):
        assert time.monotonic() - begun < 60, said
        time.sleep(0.1)
    assert fitting.take() is None
    fitting.ask(*ASKED)
    fitting.stop()
    assert file.read_bytes() == b"not this"
