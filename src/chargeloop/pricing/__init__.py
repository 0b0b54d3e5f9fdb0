"""Tariff + facts -> amount: one pure function in Decimal, and its array form for ranking."""

from chargeloop.pricing.price import Priced, price, quote
from chargeloop.pricing.rates import RateTable, estimate

__all__ = ["Priced", "RateTable", "estimate", "price", "quote"]
