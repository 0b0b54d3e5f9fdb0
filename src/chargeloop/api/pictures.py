"""From the loop's records and arrays to the shapes that are served."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chargeloop.api.shapes import (
    BaySession,
    BayShape,
    CircuitShape,
    CityShape,
    Energy,
    ForecastShape,
    HourPrice,
    Kpis,
    Live,
    LiveStations,
    ModelShape,
    PoolShape,
    StationShape,
    ZoneShape,
)
from chargeloop.loop import STEP_S, Outlook, Tally, Tick, arrivals_per_h, charging_evses, circuit_load_kw
from chargeloop.model import OUT_OF_ORDER, City, Current, EvseStatus, Layout, Roads, Station, Tariff, World
from chargeloop.model.city import Floats, Ints
from chargeloop.physics import wait_min
from chargeloop.recommendation import Z90, wait_quantiles_s

BAND = (-Z90, Z90)  # eight of ten waits lie between


def city_picture(city: City, ocpp_evses: frozenset[str]) -> CityShape:
    stations = [station_picture(city, station, ocpp_evses) for station in city.stations]
    lon, lat = [station.lon for station in stations], [station.lat for station in stations]
    return CityShape(
        name=city.name,
        note=city.note,
        time_zone=city.time_zone,
        bounds=(min(lon), min(lat), max(lon), max(lat)),
        zones=[
            ZoneShape(
                zone_id=zone.zone_id,
                lon=zone.centre.lon,
                lat=zone.centre.lat,
                radius_m=zone.radius_m,
                land_use=zone.land_use,
            )
            for zone in city.zones
        ],
        stations=stations,
        models=[
            ModelShape(model_id=each.model_id, name=each.name, battery_kwh=each.battery_kwh, ac_kw=each.ac_kw, dc_kw=each.dc_kw)
            for each in city.models
        ],
    )


def station_picture(city: City, station: Station, ocpp_evses: frozenset[str]) -> StationShape:
    site = next(each for each in city.sites if each.site_id == station.site_id)
    return StationShape(
        station_id=station.station_id,
        name=station.name,
        operator_id=station.operator_id,
        zone_id=site.zone_id,
        lon=site.place.lon,
        lat=site.place.lat,
        site_type=site.site_type,
        ac_bays=sum(evse.current is Current.AC for evse in station.evses),
        dc_bays=sum(evse.current is Current.DC for evse in station.evses),
        power_kw=sum(evse.power_kw for evse in station.evses),
        tariff_id=station.tariff_id,
        ocpp_bays=sum(evse.evse_id in ocpp_evses for evse in station.evses),
    )


def roads_picture(roads: Roads) -> dict[str, object]:
    """GeoJSON of the streets, both directions as one line; level 0 are the faster ones."""
    one_way = roads.edge_from < roads.edge_to
    speed = roads.edge_m / np.maximum(roads.edge_s, 0.1)
    major = speed > 1.3 * np.median(speed) if speed.size else speed > 0
    features = []
    for level, mask in ((1, one_way & ~major), (0, one_way & major)):
        begin, end = roads.edge_from[mask], roads.edge_to[mask]
        lines = np.round(
            np.stack(
                [
                    np.stack([roads.node_lon[begin], roads.node_lat[begin]], axis=1),
                    np.stack([roads.node_lon[end], roads.node_lat[end]], axis=1),
                ],
                axis=1,
            ),
            6,
        )
        features.append(
            {
                "type": "Feature",
                "properties": {"level": level},
                "geometry": {"type": "MultiLineString", "coordinates": lines.tolist()},
            }
        )
    return {"type": "FeatureCollection", "features": features}


def live_picture(world: World, tally: Tally) -> Live:
    layout = world.layout
    n, by_station, by_pool = len(layout.station_ids), layout.evse_station, layout.pool_station
    broken = np.isin(world.evse_status, OUT_OF_ORDER)
    waits = {is_dc: _by_station(layout, world.pool_wait_min, layout.pool_is_dc == is_dc) for is_dc in (False, True)}
    return Live(
        at=world.at,
        stations=LiveStations(
            free=_count(by_pool, world.pool_free, n),
            busy=_count(by_station, world.has_session, n),
            queue=_count(by_pool, world.pool_queue, n),
            inbound=_count(by_pool, world.pool_inbound, n),
            out_of_order=_count(by_station, broken & ~world.has_session, n),
            wait_ac_min=waits[False],
            wait_dc_min=waits[True],
            power_kw=np.round(np.bincount(by_station, world.evse_power_kw, n), 1).tolist(),
        ),
        kpis=kpis_picture(world, tally),
        moving=int(world.pool_inbound.sum()),
    )


def kpis_picture(world: World, tally: Tally) -> Kpis:
    roots = world.layout.circuit_parent < 0
    load = circuit_load_kw(world)
    waiting = [_waiting_in(world, minutes) for minutes in (30, 60)]
    return Kpis(
        bays=len(world.layout.evse_ids),
        busy_bays=int(world.has_session.sum()),
        load_kw=round(float(load[roots].sum()), 1),
        limit_kw=float(world.layout.circuit_limit_kw[roots].sum()),
        drivers_waiting=int(world.pool_queue.sum()),
        waiting_30=waiting[0],
        waiting_60=waiting[1],
        requests_today=tally.requests,
        sessions_today=tally.sessions,
        energy_kwh_today=round(tally.energy_kwh, 1),
        amount_today=tally.amount,
        kg_co2_today=round(tally.kg_co2, 1),
        minutes_saved_today=round(tally.saved_min, 1),
        served_share=tally.served_share,
        mean_wait_min=tally.mean_wait_min,
        plan_gap=tally.plan_gap,
    )


def _waiting_in(world: World, minutes: float) -> int:
    """Of the drivers known now, how many will stand waiting at that instant, as bays are expected to free."""
    instant = world.now_s + minutes * 60
    return int(((world.coming_arrive_s <= instant) & (world.coming_start_s > instant)).sum())


def pools_picture(turn: Tick, station: int) -> list[PoolShape]:
    world, layout = turn.world, turn.world.layout
    inflow_per_h = arrivals_per_h(turn.forecast, layout)
    arrive_s = world.now_s + 60 * np.array([0.0, 30.0, 60.0])
    shapes = []
    for p in np.flatnonzero(layout.pool_station == station):
        ahead = wait_min(world.bay_free_s, layout.pool_start, np.full(3, p), arrive_s)
        now_min, in_30, in_60 = (_finite(value) for value in ahead)
        bands = wait_quantiles_s(world, inflow_per_h, np.full(3, p), arrive_s, BAND) / 60
        shapes.append(
            PoolShape(
                current=Current.DC if layout.pool_is_dc[p] else Current.AC,
                bays=int(layout.pool_bays[p]),
                free=int(world.pool_free[p]),
                queue=int(world.pool_queue[p]),
                inbound=int(world.pool_inbound[p]),
                wait_now_min=now_min,
                wait_30_min=in_30,
                wait_60_min=in_60,
                wait_bands_min=[(_finite(low), _finite(high)) for low, high in bands.tolist()],
            )
        )
    return shapes


def bays_picture(
    turn: Tick, station: int, ocpp: frozenset[str], connected: frozenset[str], tokens: dict[str, str]
) -> list[BayShape]:
    """The bays of a station with their sessions and power plan; `tokens` are id tokens by session."""
    world, layout = turn.world, turn.world.layout
    plan_row = {int(e): row for row, e in enumerate(charging_evses(world))}
    held = {each.evse_id: each.answer_by or each.expires_at for each in world.reservations}
    shapes = []
    for e in np.flatnonzero(layout.evse_station == station).tolist():
        evse_id = layout.evse_ids[e]
        plan = turn.plan.limit_kw[plan_row[e]].round(2).tolist() if e in plan_row else []
        session = None
        if world.has_session[e]:
            session = BaySession(
                session_id=world.session_id[e],
                id_token=tokens.get(world.session_id[e], ""),
                started_at=datetime.fromtimestamp(world.session_start_s[e], UTC),
                energy_kwh=round(float(world.session_energy_kwh[e]), 3),
                needed_kwh=_finite(world.session_needed_kwh[e]),
                depart_by=_instant(world.session_depart_s[e]),
                charge_ended=bool(np.isfinite(world.session_charge_ended_s[e])),
                plan_start=world.at if plan else None,
                plan_step_s=STEP_S,
                plan_kw=plan,
            )
        shapes.append(
            BayShape(
                evse_id=evse_id,
                current=Current.DC if layout.pool_is_dc[layout.evse_pool[e]] else Current.AC,
                power_kw=float(layout.evse_kw[e]),
                status=EvseStatus(int(world.evse_status[e])).name.lower(),
                ocpp=evse_id in ocpp,
                connected=evse_id in connected or evse_id not in ocpp,
                power_now_kw=round(float(world.evse_power_kw[e]), 2),
                limit_kw=plan[0] if plan else None,
                reserved_until=held.get(evse_id),
                session=session,
            )
        )
    return shapes


def prices_picture(tariff: Tariff) -> list[HourPrice]:
    return [
        HourPrice(hour=hour, energy=band.energy_per_kwh, service=band.service_per_kwh)
        for band in tariff.bands
        for hour in range(band.start_h, band.end_h)
    ]


def forecast_picture(turn: Tick, outlook: Outlook | None, hours: int) -> ForecastShape:
    """The city's band is that of the forecast's `outlook`; until there is one, as if all zones erred alike."""
    forecast = turn.forecast
    city = outlook.levels.city if outlook is not None and outlook.levels.zone is forecast else forecast
    columns = {name: getattr(forecast, name)[:hours].round(2) for name in ("q10", "q50", "q90")}
    return ForecastShape(
        origin=forecast.origin,
        hours=[forecast.origin + timedelta(hours=h) for h in range(len(columns["q50"]))],
        zone_ids=list(forecast.zone_ids),
        q10=columns["q10"].tolist(),
        q50=columns["q50"].tolist(),
        q90=columns["q90"].tolist(),
        total={"q10": _total(city.q10[:hours]), "q50": _total(city.q50[:hours]), "q90": _total(city.q90[:hours])},
    )


def energy_picture(city: City, turn: Tick) -> Energy:
    layout, load = turn.world.layout, circuit_load_kw(turn.world)
    kind = {circuit.circuit_id: circuit.kind for circuit in city.circuits}
    return Energy(
        at=turn.world.at,
        circuits=[
            CircuitShape(
                circuit_id=circuit_id,
                kind=kind[circuit_id],
                parent_id=layout.circuit_ids[layout.circuit_parent[c]] if layout.circuit_parent[c] >= 0 else None,
                limit_kw=float(layout.circuit_limit_kw[c]),
                load_kw=round(float(load[c]), 2),
                base_kw=float(layout.circuit_base_kw[c]),
                planned_kw=round(float(turn.plan.circuit_load_kw[c, 0]), 2),
                shadow_price=float(turn.plan.shadow_price[c, 0]),
            )
            for c, circuit_id in enumerate(layout.circuit_ids)
        ],
    )


def _total(columns: Floats) -> list[float]:
    return [float(value) for value in columns.sum(axis=1).round(1)]


def _count(index: Ints, values: NDArray[Any], size: int) -> list[int]:
    return [int(count) for count in np.bincount(index, values, size)]


def _by_station(layout: Layout, by_pool: Floats, mask: NDArray[np.bool_]) -> list[float | None]:
    values: list[float | None] = [None] * len(layout.station_ids)
    for p in np.flatnonzero(mask):
        values[layout.pool_station[p]] = _finite(by_pool[p])
    return values


def _finite(value: float) -> float | None:
    return round(float(value), 2) if np.isfinite(value) else None


def _instant(epoch_s: float) -> datetime | None:
    return datetime.fromtimestamp(epoch_s, UTC) if np.isfinite(epoch_s) else None
