"""Energy of charging sessions by a simulator that nobody here wrote, and by the twin."""

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.charging import (
    JUST_BEFORE_S,
    PEER_PYTHON,
    STEP_S,
    WITHIN,
    Sessions,
    acn_sessions,
    bays_of,
    by_peer,
    by_twin,
    deviation,
    drawn_sessions,
    met_pct,
    runs_of,
)


@pytest.fixture(autouse=True)
def _peer() -> None:
    if not PEER_PYTHON.is_file() and "REQUIRE_PEERS" not in os.environ:
        pytest.skip("`make setup` installs acnportal")


def energies_agree(sessions: Sessions) -> None:
    grid = sessions.on_the_grid()
    ours = by_twin(grid, JUST_BEFORE_S)
    assert deviation(ours, by_peer(grid)).max() < WITHIN
    assert 20 < met_pct(grid, ours) < 95, "some leave before they have what they asked for"


def test_drawn_sessions_get_the_energy_that_acnportal_gives_them() -> None:
    energies_agree(drawn_sessions(300, 1))


def test_sessions_of_the_acn_garages_get_the_energy_that_acnportal_gives_them(shared_data: Path) -> None:
    energies_agree(acn_sessions(shared_data).some(slice(400)))


def test_instants_to_the_second_change_what_a_session_gets_by_a_step_at_each_end() -> None:
    sessions = drawn_sessions(300, 2)
    step_kwh = 6.656 * STEP_S / 3600
    off_kwh = by_twin(sessions) - by_twin(sessions.on_the_grid(), JUST_BEFORE_S)
    assert np.abs(off_kwh).max() < step_kwh + 1e-9


def test_no_two_vehicles_share_a_bay() -> None:
    sessions = drawn_sessions(300, 3)
    bay = bays_of(sessions)
    assert bay.max() > 2
    assert all((sessions.arrive_s[bay == b][1:] >= sessions.leave_s[bay == b][:-1]).all() for b in range(bay.max() + 1))


def test_a_run_ends_where_nobody_is_there_for_days() -> None:
    at_s = 86_400 * np.array([0.0, 1, 10, 11])
    assert runs_of(Sessions(at_s, at_s + 3600, np.ones(4))) == [slice(0, 2), slice(2, 4)]
