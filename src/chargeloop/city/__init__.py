"""Cities: the built-in one, and readers of city folders."""

from chargeloop.city.builtin import builtin_city, generated_city
from chargeloop.city.load import load_city
from chargeloop.city.osm import read_roads
from chargeloop.city.own_tables import OwnCity, read_own
from chargeloop.city.stevcdp import read_stevcdp
from chargeloop.city.urbanev import read_urbanev
from chargeloop.city.wide import Repair, WideDemand, instant, read_demand, read_weather, zone_of

__all__ = [
    "OwnCity",
    "Repair",
    "WideDemand",
    "builtin_city",
    "generated_city",
    "instant",
    "load_city",
    "read_demand",
    "read_own",
    "read_roads",
    "read_stevcdp",
    "read_urbanev",
    "read_weather",
    "zone_of",
]
