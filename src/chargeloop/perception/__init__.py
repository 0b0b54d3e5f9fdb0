"""Events in, the World out: the live, array-backed picture of the city that every other stage reads."""

from chargeloop.perception.perceive import Ended, Perception
from chargeloop.perception.snapshot import stay_s
from chargeloop.perception.state import OpenRequest, OpenSession, Stage, State

__all__ = ["Ended", "OpenRequest", "OpenSession", "Perception", "Stage", "State", "stay_s"]
