"""What `chargeloop plan` found: as a table, a map layer, plain data and a page with a map."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from chargeloop.model import City, Place
from chargeloop.simulation import page
from chargeloop.simulation.expansion import Site
from chargeloop.simulation.ground import TOP, Check
from chargeloop.simulation.paired import Change, paired
from chargeloop.simulation.reinforcement import Line


@dataclass(frozen=True, slots=True)
class Spot:
    """A row of the plan. `more`: bays or kW; `about`: what else the map layer says."""

    place: Place
    name: str
    kind: str
    more: str
    saves_min: float
    about: dict[str, object]


@dataclass(frozen=True, slots=True)
class Plan:
    """`best`, `random`: minutes a day in the twin, of what was built first and of as much at random; None without a check."""

    city: City
    title: str
    spots: list[Spot]
    best: Change | None
    random: Change | None
    better: Change | None
    counted: str
    assumptions: list[str]


def plan_of_bays(city: City, sites: Sequence[Site], checks: Sequence[Check], level: float | None, seed: int) -> Plan:
    stations = {each.station_id: each for each in city.stations}
    places = {each.site_id: each.place for each in city.sites}
    spots = []
    for site in sites:
        station, current = stations[site.station_id], "DC" if site.is_dc else "AC"
        about: dict[str, object] = {"station_id": site.station_id, "current": current, "bays": site.bays}
        spots.append(Spot(places[station.site_id], station.name, current, f"+{site.bays}", site.saves_min, about))
    title = f"{city.name}: {sum(site.bays for site in sites)} more bays at {len(sites)} places"
    how = "New bays are like the last of their current at the station, and the site's connection grows by their power."
    return _plan(city, title, spots, checks, "driving and waiting", [how, *_days(city, level, seed)])


def plan_of_kw(
    city: City, lines: Sequence[Line], checks: Sequence[Check], level: float | None, seed: int, *, asked_kw: float
) -> Plan:
    places = _below(city)
    spots = []
    for line in lines:
        stations = places[line.circuit_id]
        middle = Place(sum(each.lon for each in stations) / len(stations), sum(each.lat for each in stations) / len(stations))
        about: dict[str, object] = {
            "circuit_id": line.circuit_id,
            "kind": line.kind,
            "kw": round(line.kw, 1),
            "stations": len(stations),
        }
        spots.append(Spot(middle, line.circuit_id, line.kind, f"+{line.kw:.0f} kW", line.saves_min, about))
    given_kw = sum(line.kw for line in lines)
    left = "" if given_kw > asked_kw - 0.5 else f" (of {asked_kw:,.0f}: no circuit is short of more)"
    assumptions = [
        "A kW counts by the fast charges that it ends sooner. Slow charges, whose drivers stay anyway, count nothing.",
        "A circuit is marked in the middle of the stations below it.",
        *_days(city, level, seed),
    ]
    title = f"{city.name}: {given_kw:,.0f} more kW at {len(lines)} circuits{left}"
    return _plan(city, title, spots, checks, "driving, waiting and fast charging", assumptions)


def _plan(city: City, title: str, spots: list[Spot], checks: Sequence[Check], counted: str, assumptions: list[str]) -> Plan:
    if not checks:
        return Plan(city, title, spots, None, None, None, counted, assumptions)
    before, best, random = ([getattr(each, name) for each in checks] for name in ("as_it_is", "with_best", "with_random"))
    pairs = (paired(before, best), paired(before, random), paired(random, best))
    return Plan(city, title, spots, *pairs, counted, assumptions)


def _days(city: City, level: float | None, seed: int) -> list[str]:
    asked = "the measured demand" if level is None else f"level {level:g}"
    return [
        f"Days as the forecast expects them at {asked}, seed {seed}; those of the check are others than places were chosen by.",
        "Drivers go where policy `priced` sends them, and do not ask more because there is more.",
        "What building costs is not looked at.",
        city.note,
    ]


def _below(city: City) -> dict[str, list[Place]]:
    """The sites below each circuit."""
    parent = {each.circuit_id: each.parent_id for each in city.circuits}
    below: dict[str, list[Place]] = {each: [] for each in parent}
    for site in city.sites:
        circuit: str | None = site.circuit_id
        while circuit is not None:
            below[circuit].append(site.place)
            circuit = parent[circuit]
    return below


def layer(plan: Plan) -> dict[str, object]:
    """GeoJSON: a point for each site or circuit, WGS-84."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [spot.place.lon, spot.place.lat]},
            "properties": {"rank": rank, "name": spot.name, **spot.about, "saves_min_a_day": round(spot.saves_min, 1)},
        }
        for rank, spot in enumerate(plan.spots, 1)
    ]
    return {"type": "FeatureCollection", "features": features}


def plain(plan: Plan) -> dict[str, object]:
    changes = {"best": plan.best, "random": plan.random, "best_against_random": plan.better}
    return {
        "city": plan.city.name,
        "spots": [{"name": spot.name, **spot.about, "saves_min_a_day": round(spot.saves_min, 1)} for spot in plan.spots],
        "check_min_a_day": {
            name: {"before": each.before, "after": each.after, "change": each.change, "half_width": each.half_width}
            for name, each in changes.items()
            if each is not None
        },
        "days": 0 if plan.best is None else plan.best.days,
    }


def verdict(plan: Plan) -> str:
    """What the twin says, in a sentence."""
    if plan.best is None or plan.random is None or plan.better is None:
        return "Not checked in the twin."
    top = min(TOP, len(plan.spots))
    return (
        f"In the twin, mean of {plan.best.days} other days: drivers lose {plan.best.before / 60:,.0f} h a day {plan.counted};"
        f" with the first {top} built {_hours(plan.best)}, with as much at {top} random places {_hours(plan.random)}; between"
        f" the two {_hours(plan.better)} (95 %, paired)."
    )


def _hours(change: Change) -> str:
    return f"{change.change / 60:+,.1f} ± {change.half_width / 60:,.1f} h"


def show(plan: Plan, out: TextIO) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=plan.title)
    for column in ("", "place", "kind", "more", "saves, h a day"):
        table.add_column(column, justify="left" if column == "place" else "right")
    for rank, spot in enumerate(plan.spots, 1):
        table.add_row(str(rank), spot.name, spot.kind, spot.more, f"{spot.saves_min / 60:.1f}")
    console = Console(file=out)
    console.print(table)
    if plan.best is not None:
        console.print(verdict(plan))


def html(plan: Plan) -> str:
    spots = list(enumerate(plan.spots, 1))
    marks = [
        (spot.place.lon, spot.place.lat, spot.saves_min, f"{rank}. {spot.name}: {spot.more}, {spot.saves_min / 60:.1f} h a day")
        for rank, spot in spots
    ]
    rows = [(str(rank), spot.name, spot.kind, spot.more, f"{spot.saves_min / 60:.1f}") for rank, spot in spots]
    parts = [page.paragraph(verdict(plan)), page.city_map(plan.city, marks)]
    if plan.best is not None and plan.random is not None:
        saved = [
            (name, -each.change / 60, each.half_width / 60)
            for name, each in ((f"first {min(TOP, len(spots))}", plan.best), ("at random", plan.random))
        ]
        parts += [page.heading("Saved in the twin"), page.bars(saved, "hours a day")]
    parts += [page.heading("Where"), page.table(("", "place", "kind", "more", "saves, h a day"), rows)]
    parts += [
        page.heading("Saved by place, to first order"),
        page.bars([(str(n), s.saves_min / 60, 0) for n, s in spots[:25]], "hours a day"),
    ]
    return page.document(plan.title, [*parts, page.heading("Assumptions"), page.points(plan.assumptions)])
