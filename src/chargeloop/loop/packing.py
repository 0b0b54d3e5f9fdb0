"""What recommendation was given, as bytes to be stored: of the stations that came into question only; shadow prices apart."""

import io
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256

import numpy as np

from chargeloop.model import BadInput, ChargeRequest, Layout
from chargeloop.model.city import Floats, Ints
from chargeloop.model.quantities import Utc
from chargeloop.model.validated import from_json, to_json
from chargeloop.recommendation import Candidates, DayAhead, Given, Prices, Weights


@dataclass(frozen=True, slots=True)
class Packed:
    """`prices`: those of the day, under the digest that names them; many calls share them."""

    at: datetime
    request_ids: tuple[str, ...]
    body: bytes
    prices: tuple[str, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """All of `Given` that is no array. `stations`: which stand in the arrays, in order; `bays`: how many each has."""

    at: Utc
    requests: tuple[ChargeRequest, ...]
    temperature_c: float
    solver: str
    weights: Weights
    budget_s: float
    seed: int
    stations: tuple[str, ...]
    bays: tuple[int, ...]


def packed(given: Given, layout: Layout) -> Packed:
    """Everything that its decisions depend on: U counts all bays of a station, so all of its pools are in."""
    pool = given.candidates.pool
    stations = np.unique(layout.pool_station[pool[pool >= 0]])
    pools, bays = _within(layout, stations)
    head = Head(
        at=given.at,
        requests=given.requests,
        temperature_c=given.temperature_c,
        solver=given.solver,
        weights=replace(given.weights, tiers=dict(given.weights.tiers)),
        budget_s=given.budget_s,
        seed=given.seed,
        stations=tuple(layout.station_ids[s] for s in stations),
        bays=tuple(np.bincount(layout.evse_station, minlength=len(layout.station_ids))[stations].tolist()),
    )
    detour_s, detour_m = given.candidates.detour()
    coming = np.isin(given.coming_pool, pools)
    file = io.BytesIO()
    np.savez_compressed(
        file,
        head=np.frombuffer(to_json(head).encode(), dtype=np.uint8),
        pool=np.where(pool >= 0, np.searchsorted(pools, pool), -1).astype(np.int16 if len(pools) < 1 << 15 else np.int32),
        drive_s=given.candidates.drive_s,
        drive_m=given.candidates.drive_m,
        detour_s=detour_s,
        detour_m=detour_m,
        bay_free_s=given.bay_free_s[bays],
        coming_pool=np.searchsorted(pools, given.coming_pool[coming]),
        coming_arrive_s=given.coming_arrive_s[coming],
        inflow_per_h=given.inflow_per_h[pools],
        load_share=given.load_share[stations],
    )
    prices = None if given.ahead is None else packed_prices(given.ahead)
    return Packed(given.at, tuple(request.request_id for request in given.requests), file.getvalue(), prices)


def unpacked(body: bytes, prices: bytes | None, layout: Layout) -> Given:
    """Read back what `packed` wrote. What it left out is idle and unloaded.

    Raises:
        BadInput: it is of another city.
    """
    with np.load(io.BytesIO(body), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    head: Head = from_json(Head, arrays["head"].tobytes(), "stored inputs")
    for station_id, bays in zip(head.stations, head.bays, strict=True):
        if int((layout.evse_station == layout.station_index.get(station_id, -1)).sum()) != bays:
            raise BadInput("stored inputs", f"are of another city: station {station_id} is not in this one, or has other bays")
    stations = np.array([layout.station_index[each] for each in head.stations], dtype=np.int64)
    pools, evses = _within(layout, stations)
    pool = arrays["pool"].astype(np.int64)
    ways = (arrays[name] for name in ("drive_s", "drive_m", "detour_s", "detour_m"))
    candidates = Candidates(np.where(pool >= 0, pools[pool], -1), *ways)
    return Given(
        at=head.at,
        requests=head.requests,
        candidates=candidates,
        bay_free_s=_spread(len(layout.evse_ids), evses, arrays["bay_free_s"], head.at.timestamp()),
        coming_pool=pools[arrays["coming_pool"]],
        coming_arrive_s=arrays["coming_arrive_s"],
        temperature_c=head.temperature_c,
        inflow_per_h=_spread(len(layout.pool_station), pools, arrays["inflow_per_h"], 0.0),
        load_share=_spread(len(layout.station_ids), stations, arrays["load_share"], 0.0),
        ahead=None if prices is None else unpacked_prices(prices),
        solver=head.solver,
        weights=head.weights,
        budget_s=head.budget_s,
        seed=head.seed,
    )


@lru_cache(maxsize=2)
def packed_prices(ahead: DayAhead) -> tuple[str, bytes]:
    """Digest and bytes; the same prices hold for hours."""
    file = io.BytesIO()
    np.savez_compressed(file, rate=ahead.prices.rate, bin_s=ahead.prices.bin_s, from_s=ahead.from_s)
    said = f"{ahead.prices.bin_s!r} {ahead.from_s!r} ".encode() + np.ascontiguousarray(ahead.prices.rate).tobytes()
    return sha256(said).hexdigest(), file.getvalue()


def unpacked_prices(body: bytes) -> DayAhead:
    with np.load(io.BytesIO(body), allow_pickle=False) as file:
        return DayAhead(Prices(file["rate"], float(file["bin_s"])), float(file["from_s"]))


def _within(layout: Layout, stations: Ints) -> tuple[Ints, Ints]:
    """The pools and the bays of these stations, rising."""
    pools = np.flatnonzero(np.isin(layout.pool_station, stations))
    return pools, np.flatnonzero(np.isin(layout.evse_pool, pools))


def _spread(size: int, where: Ints, values: Floats, rest: float) -> Floats:
    array = np.full(size, rest)
    array[where] = values
    return array
