"""Operators and government platforms by T/CEC 102: where they call us, how we call them, and what either side does."""

from chargeloop.gateway.partners.tcec102.caller import Caller
from chargeloop.gateway.partners.tcec102.desk import Desk, Handler
from chargeloop.gateway.partners.tcec102.operator import Live, OperatorSide, Running
from chargeloop.gateway.partners.tcec102.outbox import Outbox
from chargeloop.gateway.partners.tcec102.partner import IssuedTokens, Partner
from chargeloop.gateway.partners.tcec102.platform import PlatformSide, charge_number

__all__ = [
    "Caller",
    "Desk",
    "Handler",
    "IssuedTokens",
    "Live",
    "OperatorSide",
    "Outbox",
    "Partner",
    "PlatformSide",
    "Running",
    "charge_number",
]
