"""A backtest as a page of its own: skill by lead, a zone as it was forecast, what each part of the regression adds, tables."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from chargeloop.console.backtest_scores import Judged
from chargeloop.console.own_demand import Own
from chargeloop.model import Demand
from chargeloop.model.city import Floats
from chargeloop.prediction import Regression, hours_of, known_weather, parts_of
from chargeloop.simulation import page

WEEK_H = 168


def report(name: str, own: Own, judged: Judged) -> str:
    """HTML."""
    first, last = judged.span
    best = next(iter(judged.found))
    busiest = int(np.nan_to_num(judged.found[best].actual).sum(axis=0).argmax())
    parts = [
        page.paragraph(
            f"{last - first:,} hours from {own.shown(own.row_time(first))}; {judged.live.sum()} live zones."
            f" Each was forecast {', '.join(map(str, judged.leads))} hours ahead by models that had seen nothing later."
        ),
        page.heading(f"Skill against {judged.reference}, live zones"),
        page.lines(_skills(judged), "hours ahead", "1 - MAE / MAE of the reference"),
        page.heading(f"Zone {own.zone_ids[busiest]}, the last week, {judged.leads[-1]} h ahead by {best}"),
        page.lines(_week(judged, best, busiest), "hour", "kWh"),
        page.heading("All figures"),
        page.table(*_figures(judged)),
        *_regression(own, judged, busiest),
        page.heading("Zones"),
        page.table(*_zones(judged, best)),
    ]
    if own.notes:
        parts += [page.heading("Repairs"), page.points([f"{path}: {each}" for path, each in own.notes])]
    return page.document(f"Backtest of {name}", parts)


def _skills(judged: Judged) -> dict[str, list[tuple[float, float]]]:
    """Of up to four forecasters, in the order they were named."""
    found = {
        name: [(float(h), value) for h in judged.leads if (value := judged.summary(name, h)["mae_skill"]) is not None]
        for name in judged.found
        if name != judged.reference
    }
    return {name: line for name, line in list(found.items())[:4] if line}


def _week(judged: Judged, name: str, zone: int) -> dict[str, list[tuple[float, float]]]:
    actual, (low, middle, high) = judged.found[name].actual, judged.found[name].quantiles[:, -1]
    named = {"came": actual, "q0.5": middle, "q0.1": low, "q0.9": high}
    return {label: _line(values[-WEEK_H:, zone]) for label, values in named.items()}


def _line(values: Floats) -> list[tuple[float, float]]:
    return [(float(hour), float(value)) for hour, value in enumerate(values) if np.isfinite(value)]


def _figures(judged: Judged) -> tuple[Sequence[str], list[list[str]]]:
    keys = list(judged.summary(judged.reference, judged.leads[0]))
    rows = [
        [name, str(h), *("–" if value is None else f"{value:.3f}" for value in judged.summary(name, h).values())]
        for name in judged.found
        for h in judged.leads
    ]
    return ("model", "h", *keys), rows


def _zones(judged: Judged, name: str) -> tuple[Sequence[str], list[list[str]]]:
    """MAE of each zone over that of the reference, by lead."""
    ratio = []
    for h in judged.leads:
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio.append(1 - judged.scores[name, h].mae / judged.scores[judged.reference, h].mae)
    rows = [
        [zone, "yes" if judged.live[z] else "no", *(f"{each[z]:+.3f}" if np.isfinite(each[z]) else "–" for each in ratio)]
        for z, zone in enumerate(judged.zone_ids)
    ]
    return ("zone", "live", *(f"skill {h} h" for h in judged.leads)), rows


def _regression(own: Own, judged: Judged, zone: int) -> list[str]:
    """Fitted to what comes before the span: coefficients with intervals, and what each part adds in the last week before."""
    first, _ = judged.span
    known = Demand(own.demand.start, own.demand.energy_kwh[:first])
    model = Regression.fit(known, own.weather, own.time_zone, own.zone_ids)
    begin = max(first - WEEK_H, 0)
    at = own.demand.start + timedelta(hours=begin)
    parts = parts_of(
        model,
        known.energy_kwh,
        begin,
        known_weather(own.weather, at, first - begin, own.row_time(first)),
        hours_of(at, first - begin, own.time_zone).rest,
    )
    lines = {
        "came": _line(known.energy_kwh[begin:, zone]),
        **{
            label: _line(each[:, zone]) for label, each in zip(("past use αP", "weather βW", "rest day γS"), parts, strict=True)
        },
    }
    of = model.coefficients
    rows = [
        [own.zone_ids[z], *(f"{of.estimate[k, z]:.3g} ({of.low[k, z]:.3g} to {of.high[k, z]:.3g})" for k in range(3))]
        for z in range(len(own.zone_ids))
    ]
    return [
        page.heading(f"What each part of the regression adds, zone {own.zone_ids[zone]}"),
        page.paragraph(
            "D(t) = αP + βW + γS + ε: usual past use, weather, day of rest. The week before the hours that were forecast."
        ),
        page.lines(lines, "hour", "kWh"),
        page.table(("zone", "α (95 %)", "β, kWh", "γ, kWh"), rows),
    ]
