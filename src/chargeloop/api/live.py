"""What moves: the live picture, its stream as server-sent events, KPIs and metrics."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from chargeloop import __version__
from chargeloop.api.context import Context, Loop
from chargeloop.api.pictures import kpis_picture, live_picture
from chargeloop.api.shapes import DecisionSummary, Health, Kpis, Live
from chargeloop.loop import Tick

router = APIRouter(tags=["live"])
open_router = APIRouter(tags=["live"])
metrics_router = APIRouter()
KEEP_ALIVE_S = 10.0
PLANNED = Gauge("chargeloop_plan_requests", "Requests that the newest turn of the loop decided on")
OBJECTIVE = Gauge("chargeloop_plan_objective_cny", "F of the newest plan for them")
BOUND = Gauge("chargeloop_plan_bound_cny", "What F of no plan is below: dual bound of the flow")


@open_router.get("/health")
async def health(context: Loop) -> Health:
    loop, now = context.loop, context.loop.clock.now()
    age = (now - loop.last_event_at).total_seconds() if loop.last_event_at else None
    return Health(status="ok", now=now, speed=loop.clock.speed, last_event_age_s=age, version=__version__)


@router.get("/live")
async def live(context: Loop) -> Live:
    """Every station in columns, and the KPIs, as of the newest turn."""
    return live_picture(context.turn.world, context.loop.tally)


@router.get("/kpis")
async def kpis(context: Loop) -> Kpis:
    return kpis_picture(context.turn.world, context.loop.tally)


@router.get("/events", response_class=StreamingResponse)
async def events(context: Loop) -> StreamingResponse:
    """Server-sent events: `live` (as /live) after each turn, `decision` for each decision made in it."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(context), media_type="text/event-stream", headers=headers)


async def _stream(context: Context) -> AsyncIterator[str]:
    turns: asyncio.Queue[Tick] = asyncio.Queue(maxsize=2)

    def offer(turn: Tick) -> None:
        if turns.full():
            turns.get_nowait()  # a slow reader misses turns, it does not hold up the others
        turns.put_nowait(turn)

    context.loop.listeners.append(offer)
    try:
        if context.loop.last is not None:
            yield _message("live", live_picture(context.loop.last.world, context.loop.tally).model_dump_json())
        while True:
            try:
                turn = await asyncio.wait_for(turns.get(), KEEP_ALIVE_S)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            yield _message("live", live_picture(turn.world, context.loop.tally).model_dump_json())
            for decision in turn.decisions:
                yield _message("decision", DecisionSummary.of(decision).model_dump_json())
    finally:
        context.loop.listeners.remove(offer)


def _message(event: str, data: str) -> str:
    return f"event: {event}\ndata: {data}\n\n"


@metrics_router.get("/metrics", include_in_schema=False)
async def metrics(context: Loop) -> Response:
    certificate = context.loop.last.certificate if context.loop.last else None
    PLANNED.set(certificate.requests if certificate else 0)
    if certificate is not None:
        OBJECTIVE.set(certificate.objective)
        BOUND.set(certificate.bound)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
