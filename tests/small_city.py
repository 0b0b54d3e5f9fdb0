"""A hand-made city of 3 zones and 6 stations on a square street grid: small enough to check results on paper."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from chargeloop.model import (
    Behaviour,
    ChargingCurve,
    Circuit,
    CircuitKind,
    City,
    Connector,
    Current,
    Demand,
    EnergyPrice,
    Evse,
    FleetShare,
    Place,
    Plug,
    PriceBand,
    Roads,
    Site,
    SiteType,
    Station,
    Tariff,
    Tier,
    VehicleModel,
    Weather,
    Zone,
)

START = datetime(2025, 6, 10, 9, 30, tzinfo=UTC)  # 17:30 in Shanghai, a Tuesday
ORIGIN = Place(114.0, 22.5)
STREETS = 21  # streets each way, 500 m apart: 10 km x 10 km
BLOCK_M = 500.0
LAND_USE = (SiteType.OFFICE, SiteType.RESIDENTIAL, SiteType.PUBLIC)
# station: zone, east and north of the origin in metres, AC bays, DC bays
STATIONS = (
    (0, 1000, 1000, 4, 2),
    (0, 2000, 1500, 6, 0),
    (1, 5000, 5000, 4, 2),
    (1, 6000, 5500, 3, 1),
    (2, 8500, 2000, 0, 4),
    (2, 9000, 3000, 5, 0),
)


def place(east_m: float, north_m: float) -> Place:
    return Place(
        ORIGIN.lon + east_m / (111_195 * np.cos(np.radians(ORIGIN.lat))).item(),
        ORIGIN.lat + north_m / 111_195,
    )


def small_city() -> City:
    zones = tuple(
        Zone(f"Z{i}", place(east, north), 1500.0, LAND_USE[i])
        for i, (east, north) in enumerate([(1500, 1500), (5500, 5500), (8500, 2500)])
    )
    return City(
        name="Smallville",
        time_zone="Asia/Shanghai",
        note="Made by hand for tests.",
        zones=zones,
        sites=tuple(
            Site(f"site-{n}", place(east, north), f"Z{zone}", LAND_USE[zone], f"site-{n}", base_load_kw=2.0)
            for n, (zone, east, north, _, _) in enumerate(STATIONS)
        ),
        stations=tuple(_station(n, ac, dc) for n, (_, _, _, ac, dc) in enumerate(STATIONS)),
        circuits=(
            Circuit("region", CircuitKind.REGION, 900.0),
            *(Circuit(f"feeder-{zone}", CircuitKind.FEEDER, 350.0, "region") for zone in range(3)),
            *(
                Circuit(f"site-{n}", CircuitKind.SITE, 0.7 * (7 * ac + 60 * dc) + 5, f"feeder-{zone}")
                for n, (zone, _, _, ac, dc) in enumerate(STATIONS)
            ),
        ),
        tariffs=(_tariff("day", "0.60", "0.40"), _tariff("green", "0.50", "0.60")),
        models=(
            VehicleModel("small", "small car", 40.0, 7.0, 60.0, ChargingCurve((0.0, 0.6, 1.0), (60.0, 60.0, 10.0)), 0.14),
            VehicleModel("large", "large car", 80.0, 7.0, 120.0, ChargingCurve((0.0, 0.5, 1.0), (120.0, 110.0, 15.0)), 0.18),
        ),
        fleet=(
            FleetShare("small", Tier.PRIVATE, 0.6),
            FleetShare("large", Tier.PRIVATE, 0.2),
            FleetShare("small", Tier.TAXI, 0.15),
            FleetShare("large", Tier.LOGISTICS, 0.05),
        ),
        energy_price=EnergyPrice((0.3,) * 8 + (0.8,) * 12 + (0.5,) * 4, (0.5,) * 24),
        demand=_demand(),
        weather=Weather(START.replace(minute=0) - timedelta(weeks=5), np.full(24 * 50, 26.0), np.zeros(24 * 50)),
        behaviour=Behaviour(
            busy_share=np.tile(_day_shape(), 7)[:, None] * np.array([0.5, 0.4, 0.6]),
            ac_stay_min=np.array([20.0, 60.0, 100.0, 160.0, 400.0]),
            dc_overstay_min=np.array([0.0, 1.0, 3.0, 6.0, 20.0]),
            arrival_soc=np.array([0.05, 0.2, 0.3, 0.45, 0.8]),
        ),
        roads=_roads(),
    )


def _station(n: int, ac: int, dc: int) -> Station:
    bays = [(Current.DC, 60.0, Plug.GBT_DC)] * dc + [(Current.AC, 7.0, Plug.GBT_AC)] * ac
    return Station(
        station_id=f"S{n}",
        name=f"Station {n}",
        operator_id="North" if n % 2 == 0 else "South",
        site_id=f"site-{n}",
        tariff_id="day" if n % 2 == 0 else "green",
        evses=tuple(
            Evse(f"S{n}-{i:02d}", current, kw, (Connector(1, plug, kw),)) for i, (current, kw, plug) in enumerate(bays, start=1)
        ),
    )


def _tariff(tariff_id: str, energy: str, service: str) -> Tariff:
    valley, peak = Decimal(energy) / 2, Decimal(energy) * 2
    bands = ((0, 8, valley), (8, 17, Decimal(energy)), (17, 21, peak), (21, 24, Decimal(energy)))
    return Tariff(
        tariff_id,
        "CNY",
        "Asia/Shanghai",
        tuple(PriceBand(start, end, price, Decimal(service)) for start, end, price in bands),
        idle_per_min=Decimal("0.50"),
    )


def _day_shape() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return 0.6 + 0.4 * np.sin((np.arange(24) - 12) / 24 * 2 * np.pi)


def _demand() -> Demand:
    hours = 24 * 35
    start = START.replace(minute=0) - timedelta(hours=hours)
    local_hour = (np.arange(hours) + start.hour + 8) % 24
    noise = np.random.default_rng(7).normal(1, 0.05, (hours, 3))
    return Demand(start, _day_shape()[local_hour][:, None] * np.array([40.0, 30.0, 50.0]) * noise)


def _roads() -> Roads:
    node = np.arange(STREETS * STREETS).reshape(STREETS, STREETS)  # row = north, column = east
    pairs = np.concatenate(
        [
            np.stack([node[:, :-1].ravel(), node[:, 1:].ravel()], axis=1),
            np.stack([node[:-1].ravel(), node[1:].ravel()], axis=1),
        ]
    )
    both = np.concatenate([pairs, pairs[:, ::-1]])
    points = [place(BLOCK_M * east, BLOCK_M * north) for north in range(STREETS) for east in range(STREETS)]
    return Roads(
        node_lon=np.array([p.lon for p in points]),
        node_lat=np.array([p.lat for p in points]),
        edge_from=both[:, 0].astype(np.int64),
        edge_to=both[:, 1].astype(np.int64),
        edge_m=np.full(len(both), BLOCK_M),
        edge_s=np.full(len(both), BLOCK_M / 10.0),  # 36 km/h
    )
