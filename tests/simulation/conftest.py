"""Twins of the small city."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from chargeloop.guidance import Guide
from chargeloop.model import City, Layout
from chargeloop.simulation import Drivers, Twin, draw_drivers
from tests.small_city import START

MakeTwin = Callable[..., Twin]


@pytest.fixture(scope="session")
def guide(small_city: City, small_layout: Layout) -> Guide:
    return Guide.of(small_city, small_layout)


@pytest.fixture
def draw(small_city: City, small_layout: Layout) -> Callable[..., Drivers]:
    """Drivers of the small city: level 1.5 from 17:30 for six hours unless told otherwise."""

    def drawn(level: float | None = 1.5, hours: int = 6, seed: int = 1, **more: Any) -> Drivers:
        return draw_drivers(small_city, small_layout, START, hours, level, np.random.default_rng(seed), **more)

    return drawn


@pytest.fixture
def make_twin(small_city: City, small_layout: Layout, guide: Guide, draw: Callable[..., Drivers]) -> MakeTwin:
    def made(policy: str, drivers: Drivers | None = None, step_s: int = 60, seed: int = 5, **more: Any) -> Twin:
        drivers = draw() if drivers is None else drivers
        rng = np.random.default_rng(seed)
        return Twin(small_city, small_layout, guide, drivers, drivers.start, step_s, policy, rng, **more)

    return made
