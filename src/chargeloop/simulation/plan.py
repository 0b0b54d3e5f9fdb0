"""`chargeloop plan`: where more charging bays would save drivers most, and what the twin says to it."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from chargeloop.model.errors import BadInput
from chargeloop.simulation.command import level_of

if TYPE_CHECKING:
    from chargeloop.model import City
    from chargeloop.simulation.expansion import Check, Site

CHECK_DAYS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bays", type=int, required=True, help="how many bays to give out")
    parser.add_argument("--city", type=Path, metavar="DIR", help="city folder; without one, the built-in city")
    parser.add_argument(
        "--level",
        type=level_of,
        default=None,
        help="(bay-hours asked for at 17-23 h) / (0.5 x bays x 6 h); default 'measured', the demand as it was",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the days that are drawn (default 1)")
    parser.add_argument(
        "--days", type=int, default=CHECK_DAYS, help=f"days of the check in the twin, 0 for none (default {CHECK_DAYS})"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="map layer of the sites: .geojson")


def run(args: argparse.Namespace) -> int:
    """Print the sites and the check.

    Raises:
        BadInput: an argument, the city folder or the output is wrong.
    """
    if args.output is not None and args.output.suffix != ".geojson":
        raise BadInput("--output", f"a map layer is a .geojson file, got {args.output.name}")
    if args.days < 0:
        raise BadInput("--days", f"must not be negative, got {args.days}")

    from rich.console import Console  # noqa: PLC0415 (not needed for --help)

    from chargeloop.city import load_city  # noqa: PLC0415
    from chargeloop.loop import known_until  # noqa: PLC0415
    from chargeloop.prediction import forecast_city  # noqa: PLC0415
    from chargeloop.simulation.compare import default_day  # noqa: PLC0415
    from chargeloop.simulation.expansion import Expansion  # noqa: PLC0415

    city = load_city(args.city)
    start = default_day(city)
    forecast = forecast_city(known_until(city, start), start, 24)
    expansion = Expansion(city, forecast, start, level=args.level, seed=args.seed)
    said = Console(stderr=True)
    with said.status("prices of all bays ...") as status:
        sites = expansion.best(args.bays, lambda share: status.update(f"prices of all bays ... {share:.0%}"))
        checks = []
        for day in range(args.days):
            status.update(f"running the twin, day {day + 1} of {args.days} ...")
            checks.append(expansion.check(sites, day))
    _print(city, sites, checks)
    if args.output is not None:
        args.output.write_text(json.dumps(layer(city, sites), ensure_ascii=False, indent=1), encoding="utf-8")
        said.print(f"map layer: {args.output}")
    return 0


def layer(city: "City", sites: "Sequence[Site]") -> dict[str, object]:
    """GeoJSON: a point for each site, WGS-84."""
    stations = {each.station_id: each for each in city.stations}
    places = {each.site_id: each.place for each in city.sites}
    features = []
    for rank, site in enumerate(sites, 1):
        station = stations[site.station_id]
        place = places[station.site_id]
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [place.lon, place.lat]},
                "properties": {
                    "rank": rank,
                    "station_id": site.station_id,
                    "name": station.name,
                    "current": "DC" if site.is_dc else "AC",
                    "bays": site.bays,
                    "saves_min_a_day": round(site.saves_min, 1),
                },
            }
        )
    return {"type": "FeatureCollection", "features": features}


def _print(city: "City", sites: "Sequence[Site]", checks: "Sequence[Check]") -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    names = {each.station_id: each.name for each in city.stations}
    table = Table(title=f"{city.name}: {sum(site.bays for site in sites)} more bays at {len(sites)} places")
    for column in ("", "station", "current", "more bays", "saves, h a day"):
        table.add_column(column, justify="left" if column == "station" else "right")
    for rank, site in enumerate(sites, 1):
        current = "DC" if site.is_dc else "AC"
        table.add_row(str(rank), names[site.station_id], current, f"+{site.bays}", f"{site.saves_min / 60:.1f}")
    console = Console(file=sys.stdout)
    console.print(table)
    if checks:
        before, best, random = (
            sum(getattr(check, name) for check in checks) / len(checks) / 60
            for name in ("as_it_is", "with_best", "with_random")
        )
        console.print(
            f"In the twin, mean of {len(checks)} other days: drivers lose {before:,.0f} h a day driving and waiting;"
            f" with these bays {before - best:,.1f} h less, with as many at random places {before - random:,.1f} h less."
        )
