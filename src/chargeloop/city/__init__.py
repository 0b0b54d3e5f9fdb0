"""Cities: the built-in one, and readers of city folders."""

from chargeloop.city.builtin import builtin_city
from chargeloop.city.load import load_city
from chargeloop.city.osm import read_roads
from chargeloop.city.shenzhen import read_stevcdp, read_urbanev

__all__ = ["builtin_city", "load_city", "read_roads", "read_stevcdp", "read_urbanev"]
