"""What goes on at the site, for people and programs there: a page, /state, /health, /metrics; PUT /limit lowers the limit."""

import hmac
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chargeloop import __version__
from chargeloop.edge.site import Edge
from chargeloop.edge.station import Station

PAGE = Path(__file__).parent / "page.html"
LATE_S = 10.0  # since the last look at the site: something is wrong
HERE = frozenset({"127.0.0.1", "::1", "localhost"})


class Limit(BaseModel):
    """`kw`: none: the site's own limit again. `until`: none: until told otherwise."""

    model_config = ConfigDict(strict=True, extra="forbid")
    kw: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None
    until: Annotated[AwareDatetime | None, Field(strict=False)] = None


def create_app(edge: Edge, token: str | None) -> FastAPI:
    """`token`: what PUT /limit wants as its bearer; without one it is done only for this machine."""
    app = FastAPI(title="Chargeloop edge", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/")
    async def page() -> FileResponse:
        return FileResponse(PAGE, media_type="text/html")

    @app.get("/state")
    async def state() -> dict[str, Any]:
        return await state_of(edge)

    @app.get("/health")
    async def health() -> JSONResponse:
        status = health_of(edge)
        return JSONResponse({"status": status}, 503 if status == "stuck" else 200)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(await metrics_of(edge)), media_type=CONTENT_TYPE_LATEST)

    @app.put("/limit", status_code=204)
    async def limit(wanted: Limit, request: Request) -> None:
        if not may_change(request, token):
            raise HTTPException(403, "PUT /limit wants the bearer token of CHARGELOOP_EDGE_TOKEN, or to come from this machine")
        await edge.set_limit(wanted.kw, None if wanted.until is None else wanted.until.astimezone(UTC))

    return app


def may_change(request: Request, token: str | None) -> bool:
    """With a token whoever knows it; without one, who is at this machine and calls it by its own name."""
    if token is not None:
        return hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {token}".encode())
    return request.client is not None and request.client.host in HERE and request.url.hostname in HERE


def health_of(edge: Edge) -> str:
    """`stuck`, `blind`, `offline` (some link to the platform is down), `refused` (a charger does not do as told), or `ok`."""
    now = edge.shared.clock()
    if edge.decided_at is None or (now - edge.decided_at).total_seconds() > LATE_S:
        return "stuck"
    if edge.sight.why and edge.site.meter is not None:
        return "blind"
    here = [each for each in edge.stations if each.connection is not None]
    if any(not each.uplink.is_up for each in here):
        return "offline"
    return "refused" if any(not each.cap.is_reachable for each in here) else "ok"


async def state_of(edge: Edge) -> dict[str, Any]:
    decision, reading, tree = edge.decision, edge.sight.reading, edge.controller.tree
    limits = edge.controller.limits()
    rows = [
        {"name": name, "limit": finite(limits[r]), **({} if decision is None else _row(edge, r))}
        for r, name in enumerate(tree.names)
    ]
    backlog = await edge.shared.buffer.backlog()
    refused = await edge.shared.buffer.refused()
    return {
        "site": edge.site.name,
        "status": health_of(edge),
        "at": None if edge.decided_at is None else edge.decided_at.isoformat(),
        "meter": {
            "is_believed": not edge.sight.why and edge.site.meter is not None,
            "why": edge.sight.why if edge.site.meter is not None else "none",
            "kw": None if reading is None else reading.kw,
            "amperes": {} if reading is None else dict(reading.amperes),
            "reads_failed": edge.reads_failed,
        },
        "limit": {"kw": edge.controller.limit_kw, "until": None if edge.limit_until is None else edge.limit_until.isoformat()},
        "rows": rows,
        "chargers": [_charger(edge, each, backlog.get(each.id, 0)) for each in edge.stations],
        "refused": [{"charger": each.charger, "action": each.action, "why": each.refused} for each in refused],
    }


def _row(edge: Edge, row: int) -> dict[str, float | None]:
    assert edge.decision is not None
    return {"room": finite(edge.decision.room[row]), "base": finite(edge.decision.base[row])}


def _charger(edge: Edge, station: Station, backlog: int) -> dict[str, Any]:
    now = edge.shared.clock()
    shares = edge.decision.share_kw if edge.decision is not None else {}
    is_over = edge.is_plan_over(station, now)
    return {
        "id": station.id,
        "is_connected": station.connection is not None,
        "is_obeying": station.cap.is_reachable,
        "why": station.telling.why,
        "version": str(station.version),
        "link": station.uplink.is_up,
        "link_why": station.uplink.why,
        "backlog": backlog,
        "cap_kw": station.cap.told_kw,
        "profiles_sent": station.telling.told,
        "is_plan_over": is_over,
        "sessions": [
            {
                "transaction": each.wire_id,
                "plan_kw": finite(each.plan_kw),
                "share_kw": shares.get(each.key, 0.0),
                "power_kw": each.power_kw,
                "is_charged": each.is_charged,
            }
            for each in station.sessions(now, is_over=is_over)
        ],
    }


def finite(value: float) -> float | None:
    """JSON has no infinity."""
    return round(float(value), 3) if abs(value) < float("inf") else None


async def metrics_of(edge: Edge) -> CollectorRegistry:
    """For Prometheus."""
    registry = CollectorRegistry()

    def gauge(name: str, what: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(f"chargeloop_edge_{name}", what, labels, registry=registry)

    state = await state_of(edge)
    gauge("blind", "1 while the meter is not believed").set(state["status"] == "blind")
    gauge("tick_age_seconds", "since the last look at the site").set(
        float("inf") if state["at"] is None else (edge.shared.clock() - datetime.fromisoformat(state["at"])).total_seconds()
    )
    if state["meter"]["kw"] is not None:
        gauge("site_kw", "what the meter says").set(state["meter"]["kw"])
    gauge("meter_reads_failed", "readings that did not come").set(edge.reads_failed)
    limits, rooms = gauge("limit", "in kW or A", ("row",)), gauge("room", "for charging, in kW or A", ("row",))
    for row in state["rows"]:
        limits.labels(row["name"]).set(float("inf") if row["limit"] is None else row["limit"])
        if row.get("room") is not None:
            rooms.labels(row["name"]).set(row["room"])
    caps, links = gauge("cap_kw", "what a charger may take", ("charger",)), gauge("link_up", "to the platform", ("charger",))
    waiting, obeying = (
        gauge("backlog", "messages that wait", ("charger",)),
        gauge("obeying", "does as it is told", ("charger",)),
    )
    sessions, profiles = gauge("sessions", "that run", ("charger",)), gauge("profiles_sent", "since the start", ("charger",))
    for each in state["chargers"]:
        caps.labels(each["id"]).set(each["cap_kw"])
        links.labels(each["id"]).set(each["link"])
        waiting.labels(each["id"]).set(each["backlog"])
        obeying.labels(each["id"]).set(each["is_obeying"])
        sessions.labels(each["id"]).set(len(each["sessions"]))
        profiles.labels(each["id"]).set(each["profiles_sent"])
    gauge("messages_refused", "that the platform will not take").set(len(state["refused"]))
    return registry
