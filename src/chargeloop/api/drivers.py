"""For drivers: which station, hold a bay, the way there, give it back."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, HTTPException, Request, Response

from chargeloop.api.access import Who, who_asks
from chargeloop.api.context import Context, Loop
from chargeloop.api.queue import ReservationDetail, reservation_detail
from chargeloop.api.shapes import NotNow, Recommendation, RecommendIn, Reserved, ReserveIn
from chargeloop.loop import Conflict
from chargeloop.model import ChargeRequest, Decision, Offer, Place, Reservation, Sort
from chargeloop.model.validated import from_data

router = APIRouter(tags=["drivers"])
SHOWN = 3
ORDER: dict[Sort, Callable[[Offer], Any]] = {
    Sort.SOONEST: lambda offer: offer.total_min,
    Sort.CHEAPEST: lambda offer: offer.amount,
    Sort.NEAREST: lambda offer: offer.drive_min,
}


@router.post("/recommend")
async def recommend(context: Loop, asked: RecommendIn, request: Request) -> Recommendation:
    """The best three stations for one driver, with every term and why the others lost; nothing is held yet."""
    wanted = _request(context, asked, user_of(who_asks(request)))
    decision, advice = await context.loop.recommend(wanted)
    shown = sorted(decision.offers, key=ORDER[asked.sort])[:SHOWN]
    return Recommendation(
        decision=replace(decision, offers=tuple(shown)),
        not_now=NotNow(**asdict(advice)),
    )


def user_of(who: Who | None) -> str | None:
    """Only a driver's own account says who he is; others ask for many."""
    return who.name if who is not None and who.roles == ("driver",) else None


def _request(context: Context, asked: RecommendIn, user_id: str | None) -> ChargeRequest:
    now = context.loop.clock.now()
    model = next((each for each in context.loop.city.models if each.model_id == asked.model_id), None)
    if model is None:
        raise HTTPException(422, f"model_id: no vehicle model {asked.model_id!r}; /api/v1/city lists them")
    if asked.depart_by is not None and asked.depart_by.tzinfo is None:
        raise HTTPException(422, "depart_by: needs an offset, such as 2025-06-10T18:30:00+08:00")
    if asked.depot_station_id is not None:
        context.station(asked.depot_station_id)
    key = uuid4().hex[:12]
    record: ChargeRequest = from_data(
        ChargeRequest,
        {
            "request_id": f"app-{key}",
            "at": now,
            "place": Place(asked.lon, asked.lat),
            "id_token": f"A{key}",
            "model_id": model.model_id,
            "tier": asked.tier,
            "current": asked.current,
            "soc": asked.soc,
            "target_soc": max(asked.target_soc, asked.soc),
            "battery_kwh": model.battery_kwh,
            "sort": asked.sort,
            "user_id": user_id,
            "depart_by": asked.depart_by or now + timedelta(minutes=asked.stay_min),
            "destination": asked.destination and Place(asked.destination.lon, asked.destination.lat),
            "depot_station_id": asked.depot_station_id,
            "v2g": asked.v2g,
            "planned_kwh": asked.planned_kwh,
        },
        "request",
    )
    return record


@router.post("/reservations", status_code=201)
async def reserve(context: Loop, wanted: ReserveIn) -> Reserved:
    """Hold a bay at one of the offered stations, or a place in its queue where none is free now."""
    decision = await _decision(context, wanted.decision_id)
    reservation = await context.loop.reserve(decision, wanted.station_id)
    way = await asyncio.to_thread(_route, context, decision, wanted.station_id)
    return Reserved(reservation=reservation, evse_id=reservation.evse_id, route=way)


@router.get("/reservations/{reservation_id}")
async def reservation(context: Loop, reservation_id: int) -> ReservationDetail:
    """As it stands: the place in the queue, what is offered until when, a better station; afterwards what came of it."""
    return await reservation_detail(context, reservation_id)


@router.post("/reservations/{reservation_id}/move", status_code=201)
async def move(context: Loop, reservation_id: int, wanted: ReserveIn) -> Reserved:
    """Give a reservation back and hold another one instead, in one step."""
    held = context.loop.reservation(reservation_id)
    if held is None:
        await _reservation(context, reservation_id)
        raise Conflict(f"reservation {reservation_id}", "it is not held any more")
    decision = await _decision(context, wanted.decision_id)
    if decision.request is None or decision.request.id_token != held.id_token:
        raise HTTPException(422, f"decision_id: {wanted.decision_id} was made for another driver")
    moved = await context.loop.reserve(decision, wanted.station_id, instead_of=held)
    way = await asyncio.to_thread(_route, context, decision, wanted.station_id)
    return Reserved(reservation=moved, evse_id=moved.evse_id, route=way)


@router.delete("/reservations/{reservation_id}", status_code=204)
async def cancel(context: Loop, reservation_id: int) -> Response:
    """Give a reservation back."""
    await _reservation(context, reservation_id)
    await context.loop.cancel(reservation_id)
    return Response(status_code=204)


@router.get("/route")
async def route(context: Loop, decision_id: str, station_id: str) -> dict[str, Any]:
    """The way to one of the offered stations as a GeoJSON feature, with seconds, metres and kWh."""
    decision = await _decision(context, decision_id)
    context.station(station_id)
    return await asyncio.to_thread(_route, context, decision, station_id)


def _route(context: Context, decision: Decision, station_id: str) -> dict[str, Any]:
    request = decision.request
    if request is None:
        raise HTTPException(404, f"decision {decision.decision_id} does not say where it was asked")
    model = next(each for each in context.loop.city.models if each.model_id == request.model_id)
    way = context.guide.route(
        request.place.lon,
        request.place.lat,
        context.station(station_id),
        model.consumption_kwh_per_km,
        context.turn.world.temperature_c,
    )
    return way.geojson()


async def _decision(context: Context, decision_id: str) -> Decision:
    decision = await context.store.decision(decision_id)
    if decision is None:
        raise HTTPException(404, f"no decision {decision_id!r}; ask /api/v1/recommend for a new one")
    return decision


async def _reservation(context: Context, reservation_id: int) -> Reservation:
    found = await context.store.reservation(reservation_id)
    if found is None:
        raise HTTPException(404, f"no reservation {reservation_id}")
    return found
