"""Who may come in: each security profile has its transport and its proof."""

import asyncio
from datetime import datetime
from typing import NamedTuple

import structlog

from chargeloop.gateway.ocpp.credentials import basic, fits
from chargeloop.gateway.ocpp.listener import Visitor
from chargeloop.identity import Lockout
from chargeloop.model import BadInput
from chargeloop.persistence import Registration
from chargeloop.pki import Authority

log = structlog.get_logger()


class Admission(NamedTuple):
    """`status` 101, or the HTTP status to refuse with; when the certificate that was shown expires.

    `password_hash`: the one of two passwords that has come into use, so that the other is over.
    """

    status: int
    certificate_expires: datetime | None = None
    password_hash: str | None = None


class Door:
    """`stations`: the authority of client certificates; without one, nobody comes in with profile 3."""

    def __init__(self, stations: Authority | None) -> None:
        self._stations, self._lockout = stations, Lockout()

    def judge(self, registration: Registration, visitor: Visitor, now: datetime) -> Admission:
        """A00.FR.002: neither another transport nor another proof than the charger's profile has. `now` is wall time."""
        if registration.state == "quarantined" or registration.security_profile == 0:
            return Admission(101)
        if visitor.is_tls != (registration.security_profile > 1):
            return Admission(403)
        who, at_s = f"{registration.charger_id} {visitor.address}", asyncio.get_running_loop().time()
        if self._lockout.is_locked(who, at_s):
            return Admission(429)
        try:
            admission = self._by_proof(registration, visitor, now)
        except BadInput as error:
            self._lockout.failed(who, at_s)
            log.warning("charger without proof", charger_id=registration.charger_id, what=str(error))
            return Admission(401)
        self._lockout.succeeded(who)
        return admission

    def _by_proof(self, registration: Registration, visitor: Visitor, now: datetime) -> Admission:
        if registration.security_profile == 3:
            if self._stations is None:
                raise BadInput("security profile 3", "there is no authority of client certificates")
            return Admission(101, self._stations.check_client(visitor.certificate, registration.charger_id, now).not_after)
        shown = basic(visitor.request.headers.get("Authorization"))
        known = registration.password_hash
        if shown is None or known is None or shown[0] != registration.charger_id or not fits(shown[1], known):
            raise BadInput("Authorization", "is missing, or not this charger's user name and password")
        *_, newest = known.split()
        return Admission(101, password_hash=newest if newest != known and fits(shown[1], newest) else None)
