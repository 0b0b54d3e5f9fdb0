"""Operators and government platforms by T/CEC 102: where they call us, and how we call them."""

from chargeloop.gateway.partners.tcec102.caller import Caller
from chargeloop.gateway.partners.tcec102.desk import Desk, Handler
from chargeloop.gateway.partners.tcec102.partner import IssuedTokens, Partner

__all__ = ["Caller", "Desk", "Handler", "IssuedTokens", "Partner"]
