"""From an ended session to its charge detail record (CDR), and from a user's CDRs to the bill."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from chargeloop.model import BadInput, Cdr, MeterPoint, Session, Tariff
from chargeloop.physics import local
from chargeloop.pricing import price


@dataclass(frozen=True, slots=True)
class Bill:
    """What one user owes; `total` is the sum of the CDRs' amounts."""

    id_token: str
    currency: str
    cdrs: tuple[Cdr, ...]
    total: Decimal


def settle(session: Session, tariff: Tariff, points: Sequence[MeterPoint], kg_co2_per_kwh: Sequence[float]) -> Cdr:
    """The CDR of an ended session; the same facts always give the same record.

    `points`: metered energy from start to end. `kg_co2_per_kwh`: 24 local hours.

    Raises:
        BadInput: the session has not ended, or its points are out of order.
    """
    if session.ended_at is None:
        raise BadInput(f"session {session.session_id}", "has not ended; it can be settled only then")
    if any(b.at < a.at or b.energy_kwh < a.energy_kwh for a, b in itertools.pairwise(points)):
        raise BadInput(f"session {session.session_id}", "its meter points run back in time or energy")
    priced = price(tariff, points, session.charge_ended_at, session.ended_at)
    return Cdr(
        cdr_id=f"CDR-{session.session_id}",
        session=session,
        tariff_id=tariff.tariff_id,
        currency=tariff.currency,
        lines=priced.lines,
        amount=priced.amount,
        kg_co2=_kg_co2(points, kg_co2_per_kwh, tariff.time_zone),
    )


def _kg_co2(points: Sequence[MeterPoint], kg_per_kwh: Sequence[float], time_zone: str) -> float:
    """Energy between two points counts in the hour of their middle: they are half an hour apart at most."""
    return sum(
        (after.energy_kwh - before.energy_kwh) * kg_per_kwh[local(before.at + (after.at - before.at) / 2, time_zone).hour]
        for before, after in itertools.pairwise(points)
    )


def bill(id_token: str, cdrs: Sequence[Cdr]) -> Bill:
    """The bill over the CDRs of one user.

    Raises:
        BadInput: there are none, one is somebody else's, one stands there twice, or the currencies differ.
    """
    if not cdrs:
        raise BadInput(f"bill of {id_token}", "there is no CDR")
    stranger = next((each for each in cdrs if each.session.id_token != id_token), None)
    if stranger is not None:
        raise BadInput(f"bill of {id_token}", f"{stranger.cdr_id} belongs to {stranger.session.id_token}")
    if len({each.cdr_id for each in cdrs}) < len(cdrs):
        raise BadInput(f"bill of {id_token}", "a CDR stands there twice")
    currencies = {each.currency for each in cdrs}
    if len(currencies) > 1:
        raise BadInput(f"bill of {id_token}", f"currencies differ: {', '.join(sorted(currencies))}")
    return Bill(id_token, currencies.pop(), tuple(cdrs), sum((each.amount for each in cdrs), Decimal(0)))
