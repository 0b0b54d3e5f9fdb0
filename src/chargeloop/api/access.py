"""Who is asking, and what they may do. Nobody may anything that a route does not allow."""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, HTTPException
from starlette.requests import HTTPConnection, Request

from chargeloop.api.context import Context
from chargeloop.identity import PERMISSIONS, Permission

COOKIE = "chargeloop_session"
LOCAL = "local"
OWN_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
DOCUMENTS = frozenset({"/api/openapi.json", "/api/docs"})
WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Who:
    """`may`: permissions."""

    name: str
    roles: tuple[str, ...]
    may: frozenset[Permission]


def who_asks(connection: HTTPConnection) -> Who | None:
    """By session cookie, by API token, or as the only one there is; None for nobody."""
    context: Context = connection.app.state.context
    session = connection.cookies.get(COOKIE)
    account = context.accounts.whose(session, datetime.now(UTC)) if session else None
    if account is not None:
        return Who(account.name, account.roles, account.may)
    # An EventSource can send no header, so a token may be in the query too.
    shown = connection.headers.get("authorization", "").removeprefix("Bearer ") or connection.query_params.get("token", "")
    if context.token is not None and hmac.compare_digest(shown.encode(), context.token.encode()):
        return Who("api", ("operator",), PERMISSIONS)
    if context.token is None and context.is_local and not context.accounts.all:
        return Who(LOCAL, ("operator",), PERMISSIONS)
    return None


def may(*permissions: Permission) -> Any:
    """A route's guard: one of the permissions is needed; 401 for nobody, 403 for who has none of them."""

    async def check(connection: HTTPConnection) -> Who:
        who = who_asks(connection)
        if who is None:
            headers = {"WWW-Authenticate": "Bearer"}
            raise HTTPException(401, "log in, or send the API token as 'Authorization: Bearer ...'", headers)
        if not who.may.intersection(permissions):
            raise HTTPException(403, f"{who.name} may not do that; it needs the permission {' or '.join(permissions)}")
        session = connection.cookies.get(COOKIE)
        if session is not None:
            await connection.app.state.context.accounts.seen(session, datetime.now(UTC))
        return who

    return Depends(check)


Seer = Annotated[Who, may("chargers")]


def refusal(request: Request) -> tuple[int, str] | None:
    """Status and reason for what no browser of ours sends: a page elsewhere must not act with a local person's rights."""
    context: Context = request.app.state.context
    host = request.headers.get("host", "")
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    if context.is_local and name not in OWN_NAMES:
        return 421, f"this server is asked as {', '.join(sorted(OWN_NAMES))} only"
    if request.url.path in DOCUMENTS and who_asks(request) is None:
        return 401, "log in, or send the API token as 'Authorization: Bearer ...'"
    if request.method in WRITING and request.url.path.startswith("/api/"):
        kind = request.headers.get("content-type", "").split(";")[0].strip()
        has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
        if has_body and kind != "application/json":
            return 415, "send JSON, with Content-Type: application/json"
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return 403, "another site's page asked for that"
    return None
