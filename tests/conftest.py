"""Fixtures that every room's tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from chargeloop.model import City, Layout
from tests.database import database_url, postgres, start_postgres
from tests.small_city import small_city as make_small_city

__all__ = ["database_url", "postgres", "start_postgres"]

# A first call loads or compiles machine code, which says nothing about the test; a change must not fail by chance in CI.
settings.register_profile("shared", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("shared")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def small_city() -> City:
    return make_small_city()


@pytest.fixture(scope="session")
def small_layout(small_city: City) -> Layout:
    return Layout.of(small_city)


@pytest.fixture(scope="session")
def city() -> City:
    """The built-in city."""
    from chargeloop.city import builtin_city  # noqa: PLC0415 (only tests that want it pay for it)

    return builtin_city()


@pytest.fixture(scope="session")
def layout(city: City) -> Layout:
    return Layout.of(city)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; tests that need it say so when it is not there."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs the real data in ../shared/data")
    return SHARED_DATA
