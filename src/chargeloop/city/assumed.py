"""What no data set here says and every city needs: a fleet, a grid, operators' tariffs. Assumptions, and named so."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from chargeloop.model import (
    ChargingCurve,
    Circuit,
    CircuitKind,
    Connector,
    Current,
    EnergyPrice,
    Evse,
    FleetShare,
    Plug,
    PriceBand,
    Site,
    Station,
    Tariff,
    Tier,
    VehicleModel,
)

AC_KW, DC_KW = 7.0, 60.0
V2G_KW = 6.6  # of the models below that can
V2G_FROM_BAYS = 20  # slow bays of a station from which on they are such as take energy back
FLAT_CURVE = ((0.0, 1.0), (0.5, 1.0), (0.8, 0.6), (0.9, 0.35), (1.0, 0.08))  # share of the highest power by state of charge
EARLY_CURVE = ((0.0, 0.9), (0.1, 1.0), (0.4, 0.95), (0.6, 0.7), (0.8, 0.45), (1.0, 0.06))

# id, name, kWh, AC kW, DC kW, kWh/km, curve; then the share of requests by tier
MODELS = (
    ("micro-17", "Micro, 17 kWh", 17.0, 3.3, 22.0, 0.095, FLAT_CURVE),
    ("compact-32", "Compact, 32 kWh", 32.0, 6.6, 50.0, 0.11, FLAT_CURVE),
    ("compact-45", "Compact, 45 kWh", 45.0, 7.0, 70.0, 0.125, FLAT_CURVE),
    ("sedan-60", "Sedan, 60 kWh", 60.0, 7.0, 110.0, 0.14, EARLY_CURVE),
    ("sedan-78", "Sedan long range, 78 kWh", 78.0, 7.0, 150.0, 0.15, EARLY_CURVE),
    ("suv-72", "SUV, 72 kWh", 72.0, 7.0, 120.0, 0.17, EARLY_CURVE),
    ("suv-100", "SUV large, 100 kWh", 100.0, 11.0, 180.0, 0.19, EARLY_CURVE),
    ("mpv-85", "MPV, 85 kWh", 85.0, 7.0, 100.0, 0.2, FLAT_CURVE),
    ("taxi-57", "Taxi, 57 kWh", 57.0, 7.0, 80.0, 0.14, FLAT_CURVE),
    ("van-50", "Delivery van, 50 kWh", 50.0, 7.0, 60.0, 0.25, FLAT_CURVE),
    ("truck-100", "Light truck, 100 kWh", 100.0, 7.0, 90.0, 0.45, FLAT_CURVE),
    ("bus-160", "City bus, 160 kWh", 160.0, 7.0, 120.0, 0.95, FLAT_CURVE),
    ("ambulance-60", "Ambulance, 60 kWh", 60.0, 7.0, 100.0, 0.24, FLAT_CURVE),
)
GIVE_BACK = ("sedan-78", "suv-100")  # models that can give energy back
FLEET = (
    ("micro-17", Tier.PRIVATE, 0.06),
    ("compact-32", Tier.PRIVATE, 0.08),
    ("compact-45", Tier.PRIVATE, 0.14),
    ("sedan-60", Tier.PRIVATE, 0.14),
    ("sedan-78", Tier.PRIVATE, 0.10),
    ("suv-72", Tier.PRIVATE, 0.08),
    ("suv-100", Tier.PRIVATE, 0.04),
    ("mpv-85", Tier.PRIVATE, 0.03),
    ("taxi-57", Tier.TAXI, 0.12),
    ("compact-45", Tier.RIDE_HAILING, 0.06),
    ("sedan-60", Tier.RIDE_HAILING, 0.06),
    ("van-50", Tier.LOGISTICS, 0.05),
    ("truck-100", Tier.LOGISTICS, 0.02),
    ("bus-160", Tier.BUS, 0.01),
    ("ambulance-60", Tier.EMERGENCY, 0.01),
)
ASSUMED = "The fleet, the grid and its limits, and how long drivers stay are assumptions; buses, trucks and taxis above all."

AC_STAY_MIN = (10.0, 30.0, 50.0, 70.0, 90.0, 110.0, 135.0, 165.0, 210.0, 280.0, 480.0)
DC_OVERSTAY_MIN = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0, 14.0, 40.0)
VALLEY, FLAT, PEAK = 0, 1, 2
BANDS = ((0, 8, VALLEY), (8, 10, FLAT), (10, 12, PEAK), (12, 14, FLAT), (14, 19, PEAK), (19, 24, FLAT))
# operator: energy price in valley, flat, peak; service price; idle fee a minute
OPERATORS = (
    ("Azure Charge", ("0.31", "0.77", "1.14"), "0.45", "0.30"),
    ("Banyan Energy", ("0.33", "0.74", "1.08"), "0.52", "0.00"),
    ("Citylink", ("0.30", "0.80", "1.18"), "0.38", "0.50"),
    ("Delta Power", ("0.42", "0.76", "0.98"), "0.48", "0.20"),
)
BUY_CNY = (0.24, 0.62, 0.98)
KG_CO2 = (0.53, 0.56, 0.58)


def fleet() -> tuple[tuple[VehicleModel, ...], tuple[FleetShare, ...]]:
    models = tuple(
        VehicleModel(
            key,
            name,
            kwh,
            ac,
            dc,
            ChargingCurve(*zip(*((s, dc * p) for s, p in curve), strict=True)),
            use,
            V2G_KW if key in GIVE_BACK else 0.0,
        )
        for key, name, kwh, ac, dc, use, curve in MODELS
    )
    return models, tuple(FleetShare(*each) for each in FLEET)


def tariff(tariff_id: str, energy: Sequence[str], service: str, idle: str, time_zone: str) -> Tariff:
    """A tariff with valley, flat and peak hours."""
    bands = tuple(PriceBand(start, end, Decimal(energy[kind]), Decimal(service)) for start, end, kind in BANDS)
    return Tariff(tariff_id, "CNY", time_zone, bands, idle_per_min=Decimal(idle))


def operator_tariffs(time_zone: str) -> tuple[Tariff, ...]:
    """One for each of the made-up operators, under the operator's name."""
    return tuple(tariff(name, energy, service, idle, time_zone) for name, energy, service, idle in OPERATORS)


def energy_price() -> EnergyPrice:
    kinds = [kind for start, end, kind in BANDS for _ in range(start, end)]
    return EnergyPrice(tuple(BUY_CNY[k] for k in kinds), tuple(KG_CO2[k] for k in kinds))


def bays(station_id: str, fast: int, slow: int) -> tuple[Evse, ...]:
    """EVSEs `<station>-01` and so on, the fast ones first; each is a charger of its own with one connector."""
    gives_back = slow >= V2G_FROM_BAYS
    kinds = [(Current.DC, DC_KW, Plug.GBT_DC, False)] * fast + [(Current.AC, AC_KW, Plug.GBT_AC, gives_back)] * slow
    return tuple(
        Evse(f"{station_id}-{i:02d}", current, kw, (Connector(1, plug, kw),), v2g)
        for i, (current, kw, plug, v2g) in enumerate(kinds, start=1)
    )


SITE_SHARE, SMALL_SITE_BAYS = 0.8, 6  # larger sites can't feed all their bays at full power at once
FEEDER_SHARE, TRANSFORMER_SHARE, REGION_SHARE = 0.65, 0.6, 0.55
ZONES_A_TRANSFORMER = 8


def grid(sites: Sequence[Site], stations: Sequence[Station], zone_ids: Sequence[str]) -> tuple[Circuit, ...]:
    """A tree region > transformers > feeders (one a zone) > sites, with limits as shares of what is installed below them."""
    zone_of = {site.site_id: site.zone_id for site in sites}
    base = {site.site_id: site.base_load_kw for site in sites}
    installed: dict[str, float] = {}
    circuits = []
    for station in stations:
        kw = sum(evse.power_kw for evse in station.evses)
        share = SITE_SHARE if len(station.evses) > SMALL_SITE_BAYS else 1.0
        zone = zone_of[station.site_id]
        installed[zone] = installed.get(zone, 0.0) + kw + base[station.site_id]
        limit = share * kw + base[station.site_id]
        circuits.append(Circuit(station.site_id, CircuitKind.SITE, limit, f"feeder-{zone}"))
    fed = [zone for zone in zone_ids if zone in installed]
    upper = [Circuit("region", CircuitKind.REGION, REGION_SHARE * sum(installed.values()))]
    for first in range(0, len(fed), ZONES_A_TRANSFORMER):
        group, name = fed[first : first + ZONES_A_TRANSFORMER], f"transformer-{first // ZONES_A_TRANSFORMER + 1}"
        limit = TRANSFORMER_SHARE * sum(installed[zone] for zone in group)
        upper.append(Circuit(name, CircuitKind.TRANSFORMER, limit, "region"))
        for zone in group:
            upper.append(Circuit(f"feeder-{zone}", CircuitKind.FEEDER, FEEDER_SHARE * installed[zone] + 10, name))
    return (*upper, *circuits)


def base_load_kw(bays_count: int) -> float:
    """Lighting, cooling and a small building behind the same connection."""
    return float(np.round(1.5 + 0.2 * bays_count, 1))
