"""What a run of the twin comes to, in figures."""

from dataclasses import asdict, dataclass

import numpy as np

from chargeloop.model import City, Layout
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import local
from chargeloop.pricing import RateTable, estimate
from chargeloop.recommendation import NEEDLESS_SOC
from chargeloop.simulation.drivers import Drivers, in_evening
from chargeloop.simulation.fleets import TIERS
from chargeloop.simulation.state import Bools, Records, Stage
from chargeloop.simulation.telling import instant

UNSERVED_MIN = 60.0  # what it counts for to have given up, beside the minutes lost until then


@dataclass(frozen=True, slots=True)
class Kpis:
    """Figures of one run.

    Minutes are means over the requests that came to an end (plugged in or given up); `charge_min` and `cost_cny` over the
    charges that ended. `answer_min`: from asking to setting out. `open`: still driving or waiting at the end.
    `served_share`: plugged in, of those that came to an end. `utilisation*`: time that bays were taken over the time there was;
    `jain`: how evenly over the stations (1: all the same). `level`: (bay-hours asked for at 17-23 h) / (0.5 x bays x 6 h),
    None where the run has no such hour. `needless_share`: of the sessions, those begun with a state of charge of
    `NEEDLESS_SOC` or more. `put_off`: drivers who were told "not now" and heeded it, `spared`: those of them who did not come
    at all, since they had no need.
    """

    requests: int
    served: int
    gave_up: int
    open: int
    served_share: float
    answer_min: float
    drive_min: float
    wait_min: float
    wait_p95_min: float
    tier_wait_p95_min: dict[str, float]
    charge_min: float
    drive_km: float
    energy_kwh: float
    cost_cny: float
    peak_load_kw: float
    kg_co2: float
    utilisation_evening: float | None
    utilisation: float
    jain: float
    level: float | None
    evse_steps: int
    cpu_s: float = 0.0
    needless_share: float = 0.0
    put_off: int = 0
    spared: int = 0

    @property
    def evse_steps_per_cpu_s(self) -> float:
        return self.evse_steps / self.cpu_s if self.cpu_s > 0 else float("nan")

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON, rounded to what means something."""
        values = {**asdict(self), "evse_steps_per_cpu_s": self.evse_steps_per_cpu_s}
        return {name: _rounded(value) for name, value in values.items()}


def kpis_of(
    city: City,
    layout: Layout,
    drivers: Drivers,
    cars: Records,
    span_s: tuple[float, float],
    step_end_s: Floats,
    load_kw: Floats,
    energy_kwh: Floats,
) -> Kpis:
    """Count a run over `span_s`. `step_end_s`, `load_kw`, `energy_kwh`: one entry a step."""
    now_s = span_s[1]
    appeared = cars["appear_s"] < now_s
    served = (cars["stage"] == Stage.PLUGGED_IN) | (cars["stage"] == Stage.SERVED)
    gave_up = cars["stage"] == Stage.GAVE_UP
    done = served | gave_up
    wait = _wait_min(cars)
    ended = served & np.isfinite(np.fmin(cars["charged_s"], cars["end_s"]))
    charge_min = (np.fmin(cars["charged_s"], cars["end_s"]) - cars["start_s"]) / 60
    busy, busy_evening = _busy(city, layout, cars, span_s)
    station_busy = np.bincount(layout.evse_station, busy, len(layout.station_ids)) / np.bincount(layout.evse_station)
    return Kpis(
        requests=int(appeared.sum()),
        served=int(served.sum()),
        gave_up=int(gave_up.sum()),
        open=int((appeared & ~done & (cars["stage"] != Stage.SPARED)).sum()),
        served_share=_mean(served[done].astype(float)),
        answer_min=_mean((cars["set_out_s"] - cars["appear_s"])[done & np.isfinite(cars["set_out_s"])] / 60),
        drive_min=_mean(cars["drive_s"][done] / 60),
        wait_min=_mean(wait[done]),
        wait_p95_min=_p95(wait[done]),
        tier_wait_p95_min={
            str(tier): _p95(wait[done & (drivers.tier == t)]) for t, tier in enumerate(TIERS) if (drivers.tier == t).any()
        },
        charge_min=_mean(charge_min[ended]),
        drive_km=_mean(cars["drive_m"][done] / 1000),
        energy_kwh=float(energy_kwh.sum()),
        cost_cny=_mean(_cost_cny(city, layout, cars, ended, charge_min)),
        peak_load_kw=float(load_kw.max(initial=0.0)),
        kg_co2=_kg_co2(city, step_end_s, energy_kwh),
        utilisation_evening=None if busy_evening is None else float(busy_evening.mean()),
        utilisation=float(busy.mean()),
        jain=float(station_busy.sum() ** 2 / (station_busy.size * (station_busy**2).sum())) if station_busy.any() else 1.0,
        level=drivers.level if np.isfinite(drivers.level) else None,
        evse_steps=len(layout.evse_ids) * step_end_s.size,
        needless_share=_mean(needless(cars)[served].astype(float)),
        put_off=int((cars["put_off_s"] > 0).sum()),
        spared=int((cars["stage"] == Stage.SPARED).sum()),
    )


def needless(cars: Records) -> Bools:
    """Which sessions began with charge enough for all that is planned, and a good deal more; meaningless for other drivers."""
    begun = cars["soc"] - cars["kwh"] / cars["battery_kwh"]
    return np.asarray(begun >= NEEDLESS_SOC)


def _wait_min(cars: Records) -> Floats:
    """From arriving at the station that served, or that the driver waited at last, to plug-in or giving up."""
    until = np.where(np.isfinite(cars["start_s"]), cars["start_s"], cars["end_s"])
    return np.asarray(np.nan_to_num((until - cars["arrive_s"]) / 60))


def _busy(city: City, layout: Layout, cars: Records, span_s: tuple[float, float]) -> tuple[Floats, Floats | None]:
    """E: share of the time in which each EVSE had a vehicle: of the whole span, and of the evening hours in it."""
    with_bay = np.flatnonzero(cars["evse"] >= 0)
    evse, begin = cars["evse"][with_bay], cars["start_s"][with_bay]
    end = np.where(np.isfinite(cars["end_s"][with_bay]), cars["end_s"][with_bay], span_s[1])
    whole = _time_in(evse, begin, end, span_s, len(layout.evse_ids)) / (span_s[1] - span_s[0])
    hours = np.arange(span_s[0] // 3600, -(-span_s[1] // 3600)) * 3600
    evening = [(max(h, span_s[0]), min(h + 3600, span_s[1])) for h in hours[in_evening(hours, city.time_zone)]]
    if not evening:
        return whole, None
    taken = sum(_time_in(evse, begin, end, window, len(layout.evse_ids)) for window in evening)
    return whole, np.asarray(taken / sum(b - a for a, b in evening))


def minutes_lost(cars: Records) -> tuple[Floats, Floats]:
    """Of each driver of a run that is over: drive + wait, and `UNSERVED_MIN` for one who gave up; and the wait alone."""
    until_s = np.where(np.isfinite(cars["start_s"]), cars["start_s"], cars["end_s"])
    wait = np.maximum(np.nan_to_num(until_s - cars["arrive_s"]), 0) / 60
    return cars["drive_s"] / 60 + wait + UNSERVED_MIN * (cars["stage"] == Stage.GAVE_UP), wait


def _time_in(evse: Ints, begin: Floats, end: Floats, window: tuple[float, float], size: int) -> Floats:
    inside = np.maximum(np.minimum(end, window[1]) - np.maximum(begin, window[0]), 0)
    return np.bincount(evse, inside, size).astype(np.float64)


def _cost_cny(city: City, layout: Layout, cars: Records, ended: np.ndarray, charge_min: Floats) -> Floats:
    rates = RateTable.of(city.tariffs, [station.tariff_id for station in city.stations])
    station = layout.evse_station[cars["evse"][ended]]
    return np.asarray(estimate(rates, station, cars["start_s"][ended], charge_min[ended], cars["kwh"][ended]))


def _kg_co2(city: City, step_end_s: Floats, energy_kwh: Floats) -> float:
    kg = np.array(city.energy_price.kg_co2_per_kwh)
    hours, which = np.unique(
        (step_end_s - 1) // 3600, return_inverse=True
    )  # a step that ends at 18:00 belongs to the hour before
    factor = np.array([kg[local(instant(h * 3600), city.time_zone).hour] for h in hours])
    return float((factor[which] * energy_kwh).sum()) if hours.size else 0.0


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else 0.0


def _p95(values: Floats) -> float:
    return float(np.quantile(values, 0.95)) if values.size else 0.0


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return round(value, 4) if isinstance(value, float) else value
