"""Log-in, accounts, the tokens drivers charge with, and the record of who did what."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, SecretStr

from chargeloop.api.access import COOKIE, Who, may, who_asks
from chargeloop.api.context import Loop
from chargeloop.identity import Account, AuditEntry, Token

login_router = APIRouter(tags=["people"])
router = APIRouter(tags=["people"])
AccountKeeper = Annotated[Who, may("accounts")]
TokenKeeper = Annotated[Who, may("tokens")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LoginIn(Strict):
    name: str
    password: SecretStr


class Me(Strict):
    name: str
    roles: list[str]
    may: list[str]


class VehicleContract(Strict):
    """`given`: how many certificates of that contract the vehicle was given."""

    pcid: str
    emaid: str
    since: datetime
    given: int


class AccountIn(Strict):
    name: str
    password: SecretStr
    roles: list[str]


class AccountChange(Strict):
    roles: list[str] | None = None
    password: SecretStr | None = None
    disabled: bool | None = None


class AccountShape(Strict):
    name: str
    roles: list[str]
    disabled: bool


def _me(who: Who | Account) -> Me:
    return Me(name=who.name, roles=list(who.roles), may=sorted(who.may))


def _shape(account: Account) -> AccountShape:
    return AccountShape(name=account.name, roles=list(account.roles), disabled=account.disabled)


@login_router.post("/login")
async def login(context: Loop, asked: LoginIn, request: Request, response: Response) -> Me:
    """Begin a session; its cookie is for this server's pages only."""
    address = request.client.host if request.client else ""
    entered = await context.accounts.log_in(asked.name, asked.password.get_secret_value(), address, datetime.now(UTC))
    if entered is None:
        raise HTTPException(401, "name and password do not fit, or too many tries; wait a little and try again")
    account, token = entered
    is_https = request.url.scheme == "https"
    response.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=is_https, path="/", max_age=7 * 86400)
    return _me(account)


@login_router.post("/logout", status_code=204)
async def logout(context: Loop, request: Request, response: Response) -> None:
    session = request.cookies.get(COOKIE)
    if session is not None:
        await context.accounts.log_out(session)
    response.delete_cookie(COOKIE, path="/")


@login_router.get("/me")
async def me(request: Request) -> Me:
    """Who is asking, and what they may do."""
    who = who_asks(request)
    if who is None:
        raise HTTPException(401, "nobody is logged in")
    return _me(who)


# --- accounts -----------------------------------------------------------------------------------------------------------------


@router.get("/accounts")
async def accounts(context: Loop, _who: AccountKeeper) -> list[AccountShape]:
    return [_shape(each) for each in context.accounts.all]


@router.post("/accounts", status_code=201)
async def add_account(context: Loop, who: AccountKeeper, asked: AccountIn) -> AccountShape:
    entry = await _begin(context, who, "add account", {"name": asked.name, "roles": asked.roles})
    account = await context.accounts.add(asked.name, asked.password.get_secret_value(), asked.roles)
    await context.audit.end(entry, "done")
    return _shape(account)


@router.patch("/accounts/{name}")
async def change_account(context: Loop, who: AccountKeeper, name: str, asked: AccountChange) -> AccountShape:
    said = asked.model_dump(exclude_none=True, exclude={"password"})
    entry = await _begin(context, who, "change account", {"name": name, **said, "new_password": asked.password is not None})
    password = asked.password.get_secret_value() if asked.password is not None else None
    account = await context.accounts.change(name, roles=asked.roles, password=password, disabled=asked.disabled)
    await context.audit.end(entry, "done")
    return _shape(account)


@router.delete("/accounts/{name}", status_code=204)
async def remove_account(context: Loop, who: AccountKeeper, name: str) -> None:
    entry = await _begin(context, who, "remove account", {"name": name})
    await context.accounts.remove(name)
    await context.audit.end(entry, "done")


# --- tokens -------------------------------------------------------------------------------------------------------------------


@router.get("/tokens")
async def tokens(context: Loop, _who: TokenKeeper) -> list[Token]:
    return list(context.tokens.all)


@router.put("/tokens", status_code=204)
async def put_token(context: Loop, who: TokenKeeper, token: Token) -> None:
    """Let a token charge, or block it."""
    entry = await _begin(context, who, "put token", {"id_token": token.id_token, "status": token.status})
    await context.tokens.put(token)
    await context.audit.end(entry, "done")


@router.delete("/tokens/{id_token}", status_code=204)
async def remove_token(context: Loop, who: TokenKeeper, id_token: str) -> None:
    entry = await _begin(context, who, "remove token", {"id_token": id_token})
    await context.tokens.remove(id_token)
    await context.audit.end(entry, "done")


# --- contracts of vehicles ----------------------------------------------------------------------------------------------------


@router.get("/vehicles")
async def vehicles(context: Loop, _who: TokenKeeper) -> list[VehicleContract]:
    """Which vehicle may fetch which contract of Plug and Charge."""
    return [
        VehicleContract(pcid=each.pcid, emaid=each.emaid, since=each.since, given=len(each.serials))
        for each in context.pki.provisioning.vehicles.all
    ]


@router.put("/vehicles/{pcid}/contracts/{emaid}", status_code=204)
async def assign_contract(context: Loop, who: TokenKeeper, pcid: str, emaid: str) -> None:
    """Let a vehicle fetch a contract by itself. `pcid`: the common name of its provisioning certificate."""
    entry = await _begin(context, who, "assign contract", {"pcid": pcid, "emaid": emaid})
    context.pki.provisioning.vehicles.assign(pcid, emaid, datetime.now(UTC))
    await context.audit.end(entry, "done")


@router.delete("/vehicles/{pcid}/contracts/{emaid}", status_code=204)
async def withdraw_contract(context: Loop, who: TokenKeeper, pcid: str, emaid: str) -> None:
    """Take it back, with the certificates that the vehicle was given."""
    entry = await _begin(context, who, "withdraw contract", {"pcid": pcid, "emaid": emaid})
    context.pki.provisioning.withdraw(pcid, emaid, datetime.now(UTC))
    await context.audit.end(entry, "done")


# --- audit --------------------------------------------------------------------------------------------------------------------


@router.get("/audit")
async def audit(
    context: Loop,
    _who: Annotated[Who, may("audit")],
    charger_id: str | None = None,
    account: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[AuditEntry]:
    """The newest first. An empty outcome: not known, or it failed."""
    return list(await context.audit.entries(charger_id, account, limit))


async def _begin(context: Loop, who: Who, action: str, payload: Any) -> int:
    return await context.audit.begin(who.name, action, payload, datetime.now(UTC))
