"""A partner that is away is asked less and less often, and at once again when it is back."""

import random

from chargeloop.gateway.partners import BackOff


def test_pauses_grow_up_to_the_longest_and_end_with_the_first_answer() -> None:
    back_off, rng, pauses = BackOff(longest_s=60.0), random.Random(1), []
    for _ in range(12):
        back_off.failed(100.0, rng)
        pauses.append(back_off.until_s - 100.0)
    assert all(0.5 * whole <= each <= whole for whole, each in zip([1, 2, 4, 8, 16, 32, *[60] * 6], pauses, strict=True))
    back_off.worked()
    assert back_off.until_s == 0.0
