"""What happened: decisions with their promises and outcomes, sessions, CDRs."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query

from chargeloop.api.context import Loop
from chargeloop.api.shapes import DecisionDetail, DecisionSummary, Outcome, SignedShape, Taken
from chargeloop.gateway.ocpp import signed_of
from chargeloop.model import Cdr, Session
from chargeloop.persistence import find_taken

router = APIRouter(tags=["records"])
money_router = APIRouter(tags=["records"])
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/decisions")
async def decisions(context: Loop, limit: Limit = 50) -> list[DecisionSummary]:
    """The newest decisions first."""
    return [DecisionSummary.of(each) for each in await context.store.decisions(limit=limit)]


@router.get("/decisions/{decision_id}")
async def decision(context: Loop, decision_id: str) -> DecisionDetail:
    """One decision: its terms, its alternatives, what was promised and what happened."""
    found = await context.store.decision(decision_id)
    if found is None:
        raise HTTPException(404, f"no decision {decision_id!r}")
    outcome = await context.store.outcome(decision_id)
    taken, can_replay = await context.store.read(lambda connection: find_taken(connection, decision_id))
    return DecisionDetail(
        decision=found,
        outcome=Outcome(**outcome._asdict()) if outcome else None,
        taken=Taken(amount=Decimal(taken.amount_cents).scaleb(-2), **taken._asdict()) if taken else None,
        can_replay=can_replay,
    )


@money_router.get("/sessions")
async def sessions(
    context: Loop,
    station_id: str | None = None,
    only_open: Annotated[bool, Query(alias="open")] = False,
    limit: Limit = 100,
) -> list[Session]:
    """The newest sessions first."""
    if station_id is not None:
        context.station(station_id)
    return list(await context.store.sessions(station_id=station_id, open_only=only_open, limit=limit))


@money_router.get("/sessions/{session_id}")
async def session(context: Loop, session_id: str) -> Session:
    found = await context.store.session(session_id)
    if found is None:
        raise HTTPException(404, f"no session {session_id!r}")
    return found


@money_router.get("/sessions/{session_id}/signed")
async def signed(context: Loop, session_id: str) -> list[SignedShape]:
    """What the meter has signed of a session, word for word as received, with what its check gave."""
    return [SignedShape.of(each) for each in await signed_of(context.store, session_id)]


@money_router.get("/cdrs/{session_id}")
async def cdr(context: Loop, session_id: str) -> Cdr:
    """The charge detail record of an ended session."""
    found = await context.store.cdr(session_id)
    if found is None:
        raise HTTPException(404, f"no CDR for session {session_id!r}; it is made when the session ends")
    return found
