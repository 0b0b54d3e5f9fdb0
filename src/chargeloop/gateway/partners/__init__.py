"""Platforms of others, by the standards that they speak."""

from chargeloop.gateway.partners.back_off import BackOff

__all__ = ["BackOff"]
