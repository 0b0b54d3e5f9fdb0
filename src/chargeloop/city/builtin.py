"""The built-in city: drawn, always the same, from the figures in `figures.json` (made by scripts/make_city.py)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from chargeloop.city import assumed
from chargeloop.city.figures import figures
from chargeloop.city.streets import Flat, make_streets
from chargeloop.model import Behaviour, City, Demand, Place, Roads, Site, SiteType, Station, Weather, Zone
from chargeloop.model.city import Floats
from chargeloop.physics import hour_of_week

TIME_ZONE = "Asia/Shanghai"
START = datetime(2025, 6, 10, 9, 0, tzinfo=UTC)  # the hour of 17:00 on a Tuesday: what comes before is history
HISTORY_WEEKS, AHEAD_DAYS = 6, 14
NOTE = (
    "The built-in city is generated. Its figures (chargers by zone, hours of demand, distances, tariff hours) are those of "
    "public charging in Shenzhen (UrbanEV); its streets, the places of its stations, their names and operators, its weather "
    "and its grid are made up."
)
LAND_USE = (SiteType.RESIDENTIAL, SiteType.OFFICE, SiteType.PUBLIC)
NAMES = (
    *("Lotus", "Harbour", "Bamboo", "Museum", "Science Park", "Orchid", "Lakeside", "Stadium", "North Gate", "Library"),
    *("Garden", "Bay", "Hillside", "Market", "Civic", "Willow", "Cinema", "Campus", "Riverside", "Pagoda"),
)
KINDS = ("Plaza", "Garage", "Court", "Car Park", "Hub", "Mall", "Square")


def builtin_city(seed: int = 2025) -> City:
    """A city of 71 zones and some 450 stations, the same for the same seed."""
    return _drawn(figures(), "Chargeloop City", np.random.default_rng(seed))


def generated_city(seed: int, zones: int, spread: float = 1.0, bays: float = 1.0) -> City:
    """Another city than the built-in one: as many of its `zones` (71 at most) around one of them, at `spread` times their
    distances, each with `bays` times the chargers at as many stations."""
    drawn_from, rng = figures(), np.random.default_rng(seed)
    lon, lat = (np.array([zone[name] for zone in drawn_from["zones"]]) for name in ("lon", "lat"))
    middle = rng.integers(lon.size)
    near = np.argsort(np.hypot(lon - lon[middle], lat - lat[middle]), kind="stable")[:zones]
    picked = [
        {
            **drawn_from["zones"][z],
            "lon": lon[middle] + spread * (lon[z] - lon[middle]),
            "lat": lat[middle] + spread * (lat[z] - lat[middle]),
            "fast": round(bays * drawn_from["zones"][z]["fast"]),
            "slow": round(bays * drawn_from["zones"][z]["slow"]),
        }
        for z in near
    ]
    return _drawn({**drawn_from, "zones": picked}, f"City {seed}", rng)


def _drawn(drawn_from: dict[str, Any], name: str, rng: np.random.Generator) -> City:
    lon, lat = (np.array([zone[name] for zone in drawn_from["zones"]]) for name in ("lon", "lat"))
    lon, lat = lon + rng.uniform(-0.004, 0.004, lon.size), lat + rng.uniform(-0.004, 0.004, lat.size)
    flat = Flat(float(lon.min()), float(lat.min()))
    roads, cells = make_streets(flat.to_metres(lon, lat), flat, rng)
    centres = zip(lon.tolist(), lat.tolist(), strict=True)
    zones = tuple(
        Zone(f"Z{i:02d}", Place(*centre), float(np.sqrt(cell.area / np.pi)), LAND_USE[zone["cluster"] % len(LAND_USE)])
        for i, (zone, cell, centre) in enumerate(zip(drawn_from["zones"], cells, centres, strict=True), 1)
    )
    sites, stations = _stations(drawn_from, zones, cells, roads, flat, rng)
    models, fleet = assumed.fleet()
    busy_share = np.array(drawn_from["clusters"])[[zone["cluster"] for zone in drawn_from["zones"]]].T
    return City(
        name=name,
        time_zone=TIME_ZONE,
        note=f"{NOTE} {assumed.ASSUMED}",
        zones=zones,
        sites=sites,
        stations=stations,
        circuits=assumed.grid(sites, stations, [zone.zone_id for zone in zones]),
        tariffs=assumed.operator_tariffs(TIME_ZONE),
        models=models,
        fleet=fleet,
        energy_price=assumed.energy_price(),
        demand=_demand(busy_share, _rated_kw(zones, sites, stations), rng),
        weather=_weather(rng),
        behaviour=Behaviour(
            busy_share=busy_share,
            ac_stay_min=np.array(assumed.AC_STAY_MIN),
            dc_overstay_min=np.array(assumed.DC_OVERSTAY_MIN),
            arrival_soc=np.array(drawn_from["arrival_soc"]),
        ),
        roads=roads,
    )


def _stations(
    drawn_from: dict[str, Any], zones: tuple[Zone, ...], cells: list[Any], roads: Roads, flat: Flat, rng: np.random.Generator
) -> tuple[tuple[Site, ...], tuple[Station, ...]]:
    """Stations beside streets of their zone, apart as the figures say, with the zone's chargers shared out among them."""
    import shapely  # noqa: PLC0415

    corners = flat.to_metres(roads.node_lon, roads.node_lat)
    tree = shapely.STRtree(shapely.points(corners))
    spacing = np.array(drawn_from["neighbour_m"])
    taken: list[Floats] = []
    sites: list[Site] = []
    stations: list[Station] = []
    for zone, cell, figure in zip(zones, cells, drawn_from["zones"], strict=True):
        inside = corners[tree.query(cell, predicate="contains")]
        fast, slow = _share_out(figure["stations"], figure["fast"], figure["slow"], rng)
        for dc, ac in zip(fast, slow, strict=True):
            place = _place(inside, taken, float(rng.choice(spacing)), rng)
            taken.append(place)
            lon, lat = flat.to_degrees(place)
            key, operator = f"S{1000 + len(stations) + 1}", assumed.OPERATORS[rng.integers(len(assumed.OPERATORS))][0]
            site = Place(float(lon), float(lat))
            base_kw = assumed.base_load_kw(dc + ac)
            sites.append(Site(f"site-{key}", site, zone.zone_id, zone.land_use, f"site-{key}", base_kw))
            name = f"{rng.choice(NAMES)} {rng.choice(KINDS)} {len(stations) + 1}"
            stations.append(Station(key, name, operator, f"site-{key}", operator, assumed.bays(key, dc, ac)))
    return tuple(sites), tuple(stations)


def _share_out(stations: int, fast: int, slow: int, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Fast chargers in groups at a few stations, slow ones at all; no station without any."""
    ac = 1 + rng.multinomial(max(slow - stations, 0), rng.dirichlet(np.full(stations, 1.5)))
    groups = min(stations, max(1, fast // 6))
    dc = np.zeros(stations, dtype=np.int64)
    dc[:groups] = rng.multinomial(fast, np.full(groups, 1 / groups))
    return dc.tolist(), ac.tolist()


def _place(inside: Floats, taken: list[Floats], apart_m: float, rng: np.random.Generator) -> Floats:
    """Beside a street corner, not nearer than `apart_m` to another station where that can be had in a few tries."""
    best, best_m = inside[0], -1.0
    for _ in range(12):
        place = inside[rng.integers(len(inside))] + rng.normal(0, 25, 2)
        away = float(np.min(np.linalg.norm(np.array(taken) - place, axis=1))) if taken else np.inf
        if away > best_m:
            best, best_m = place, away
        if best_m >= apart_m:
            break
    return np.asarray(best)


def _rated_kw(zones: tuple[Zone, ...], sites: tuple[Site, ...], stations: tuple[Station, ...]) -> Floats:
    index = {zone.zone_id: z for z, zone in enumerate(zones)}
    kw = np.zeros(len(zones))
    for site, station in zip(sites, stations, strict=True):
        kw[index[site.zone_id]] += sum(evse.power_kw for evse in station.evses)
    return kw


def _demand(busy_share: Floats, rated_kw: Floats, rng: np.random.Generator) -> Demand:
    """Weeks of hourly history: the profile, a good or bad day for the whole city, and noise of each zone and hour."""
    hours = HISTORY_WEEKS * 168
    start = START - timedelta(hours=hours)
    week_hour = (hour_of_week(start, TIME_ZONE) + np.arange(hours)) % 168
    day = np.repeat(rng.normal(1, 0.06, hours // 24 + 1), 24)[:hours, None]
    noise = rng.lognormal(0, 0.15, (hours, rated_kw.size))
    return Demand(start, busy_share[week_hour] * rated_kw * day * noise)


def _weather(rng: np.random.Generator) -> Weather:
    """A subtropical early summer: warm days, and showers that last some hours."""
    start = START - timedelta(weeks=HISTORY_WEEKS)
    hours = HISTORY_WEEKS * 168 + AHEAD_DAYS * 24
    t = np.arange(hours)
    local_hour = (t + start.hour + 8) % 24
    spell = np.convolve(rng.normal(0, 1, hours + 47), np.ones(48) / 48, "valid") * 8
    temperature = 26.5 + 3.2 * np.cos((local_hour - 15) / 24 * 2 * np.pi) + np.clip(spell, -3, 3)
    shower = np.convolve(rng.random(hours + 3) < 0.03, np.ones(4), "valid")
    return Weather(start, temperature.round(1), np.minimum(shower * rng.integers(1, 3, hours), 3).astype(np.float64))
