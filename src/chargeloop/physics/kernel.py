"""`kernel`: numba's `njit` with the cache on, typed so that callers keep their signatures."""

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile `function` for arrays on its first call and keep the result on disk. Other threads go on while it runs."""
    return cast(F, njit(cache=True, nogil=True)(function))
