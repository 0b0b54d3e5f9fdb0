"""What stands still: the city, its streets, a station; and what is forecast and planned for it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from chargeloop.api import pictures
from chargeloop.api.context import Loop
from chargeloop.api.shapes import CityShape, DecisionSummary, Energy, ForecastShape, StationDetail
from chargeloop.loop import circuit_load_kw

router = APIRouter(tags=["city"])


@router.get("/city")
async def city(context: Loop) -> CityShape:
    """Zones, stations and vehicle models; the columns of /live are in the order of `stations`."""
    return pictures.city_picture(context.loop.city, context.gateway.evses)


@router.get("/roads")
async def roads(context: Loop) -> dict[str, Any]:
    """The streets as GeoJSON; level 0 are the faster ones."""
    return pictures.roads_picture(context.loop.city.roads)


@router.get("/stations/{station_id}")
async def station(context: Loop, station_id: str) -> StationDetail:
    """One station: bays, queue, expected waits, sessions with their plan, prices, recent sessions and decisions."""
    n, loop, turn = context.station(station_id), context.loop, context.turn
    layout, record = loop.layout, loop.city.stations[n]
    circuit = int(layout.station_circuit[n])
    sessions = await context.store.sessions(station_id=station_id, limit=20)
    decisions = await context.store.decisions(limit=20, station_id=station_id)
    tokens = {each.session_id: each.id_token for each in loop.perception.state.sessions.values()}
    return StationDetail(
        at=turn.world.at,
        station=pictures.station_picture(loop.city, record, context.gateway.evses),
        load_kw=round(float(circuit_load_kw(turn.world)[circuit]), 2),
        limit_kw=float(layout.circuit_limit_kw[circuit]),
        pools=pictures.pools_picture(turn, n),
        bays=pictures.bays_picture(turn, n, context.gateway.evses, context.gateway.connected_evses, tokens),
        prices=pictures.prices_picture(next(each for each in loop.city.tariffs if each.tariff_id == record.tariff_id)),
        recent=list(sessions),
        decisions=[DecisionSummary.of(each) for each in decisions],
    )


@router.get("/forecast")
async def forecast(context: Loop, hours: Annotated[int, Query(ge=1, le=24)] = 24) -> ForecastShape:
    """Charging demand by zone, kWh in each coming hour, at quantiles 0.1, 0.5 and 0.9."""
    return pictures.forecast_picture(context.turn, context.loop.outlook, hours)


@router.get("/energy")
async def energy(context: Loop) -> Energy:
    """The tree of circuits: load against limit, what is planned, and the shadow price of a kilowatt."""
    return pictures.energy_picture(context.loop.city, context.turn)
