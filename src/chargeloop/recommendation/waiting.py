"""How long the wait may turn out, beside the expected one."""

import numpy as np

from chargeloop.model.city import Floats, Ints
from chargeloop.physics import kernel

STRETCH = 1.3  # running sessions may last this much longer than expected
Z90 = 1.2816  # 0.9-quantile of the standard normal


@kernel
def wait_margins_s(
    bay_free_s: Floats, pool_start: Ints, pool: Ints, now_s: float, arrive_s: Floats, stay_s: Floats, inflow_per_h: Floats
) -> Floats:
    """Seconds from the expected wait to a rough 0.9-quantile of it, one entry a driver; all but `now_s` are arrays.

    The rule: before this driver come as many others, whom nobody has announced, as the 0.9-quantile of a Poisson count
    with mean inflow x drive time (normal approximation, rounded down); and all bays free up later, by 30 % of the time
    still to go. Not yet calibrated against waits that happened.
    """
    margin = np.empty(pool.size)
    for m in range(pool.size):
        free = bay_free_s[pool_start[pool[m]] : pool_start[pool[m] + 1]]
        usable = np.isfinite(free).sum()
        mean = inflow_per_h[m] * (arrive_s[m] - now_s) / 3600
        before = int(mean + Z90 * np.sqrt(mean))
        begin_s = now_s + STRETCH * max(free[before % usable] - now_s, 0.0) + before // usable * stay_s[m]
        margin[m] = max(begin_s - arrive_s[m], 0.0) - max(free[0] - arrive_s[m], 0.0)
    return margin
