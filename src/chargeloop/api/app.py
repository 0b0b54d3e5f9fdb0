"""The open HTTP API of a running loop: `create_app` gives a FastAPI application, documented at /api/docs."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from chargeloop import __version__
from chargeloop.api import accountable, chargers, city, drivers, live, ocsp, outlook, people, queue, records
from chargeloop.api.access import may, refusal
from chargeloop.api.context import Context
from chargeloop.api.shapes import Problem
from chargeloop.loop import Conflict
from chargeloop.model import BadInput


def create_app(context: Context) -> FastAPI:
    """The application of one loop. Every route but /health, the log-in and /ocsp says what who asks must be allowed to."""
    app = FastAPI(
        title="Chargeloop",
        version=__version__,
        description="Stations, live state, recommendation, reservation, sessions, decisions and KPIs of a city's charging.",
        docs_url="/api/docs",
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        openapi_url="/api/openapi.json",
        responses={status: {"model": Problem, "description": HTTPStatus(status).phrase} for status in (400, 404, 422)},
    )
    app.state.context = context
    v1 = APIRouter(prefix="/api/v1")
    v1.include_router(live.open_router)
    v1.include_router(people.login_router)
    v1.include_router(city.router, dependencies=[may("see", "decide")])
    v1.include_router(live.router, dependencies=[may("see")])
    v1.include_router(drivers.router, dependencies=[may("decide")])
    v1.include_router(queue.driver_router, dependencies=[may("decide")])
    v1.include_router(records.router, dependencies=[may("see")])
    v1.include_router(outlook.router, dependencies=[may("see")])
    v1.include_router(accountable.router, dependencies=[may("see")])
    v1.include_router(records.money_router, dependencies=[may("money")])
    for part in (chargers, people, queue):  # each route of these names its permission
        v1.include_router(part.router)
    app.include_router(v1)
    app.include_router(ocsp.router)
    app.include_router(live.metrics_router, dependencies=[may("see")])
    app.add_exception_handler(RequestValidationError, _unprocessable)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(BadInput, _bad_input)
    app.middleware("http")(_guard)
    return app


async def _guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """What holds for every request; what each may do its route says (`access.may`)."""
    if refused := refusal(request):
        return problem(*refused)
    return await call_next(request)


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail)
    return JSONResponse(body.model_dump(), status, headers, media_type="application/problem+json")


async def _unprocessable(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    shown = repr(first.get("input"))[:80]
    return problem(422, f"{field}: {first['msg']}, got {shown}")


async def _http_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail), dict(error.headers or {}))


async def _bad_input(_: Request, error: Exception) -> Response:
    return problem(409 if isinstance(error, Conflict) else 422, str(error))
