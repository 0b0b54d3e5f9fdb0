"""Cities: the built-in one, and readers of city folders."""

from chargeloop.city.builtin import builtin_city

__all__ = ["builtin_city"]
