"""How to get there: road times by contraction hierarchies, nearest pools, and routes as GeoJSON."""

from chargeloop.guidance.graph import Dijkstra, Engine, Hierarchy, best_engine, metres_along
from chargeloop.guidance.guide import Guide, Route

__all__ = ["Dijkstra", "Engine", "Guide", "Hierarchy", "Route", "best_engine", "metres_along"]
