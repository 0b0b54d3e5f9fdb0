"""The city's tick: the whole loop on one screen."""

from collections.abc import Sequence
from dataclasses import dataclass

from chargeloop.execution import PowerPlan
from chargeloop.loop.power import Sent, profiles_to_send
from chargeloop.loop.stages import Stages
from chargeloop.model import Cdr, Certificate, Command, Decision, World
from chargeloop.perception import Ended
from chargeloop.prediction import Forecast


@dataclass(frozen=True, slots=True)
class Tick:
    """What one turn of the loop found and decided."""

    world: World
    forecast: Forecast
    decisions: tuple[Decision, ...]
    plan: PowerPlan
    cdrs: tuple[Cdr, ...]
    commands: tuple[Command, ...]

    @property
    def certificate(self) -> Certificate | None:
        """How far the plan for the requests of this turn is from the best one at most; None where there was none to make."""
        return self.decisions[0].certificate if self.decisions else None


def tick(world: World, ended: Sequence[Ended], sent: Sent, stages: Stages) -> Tick:
    """One turn: the World (perceived) -> predict -> recommend -> guide -> execute -> settle.

    `ended`: sessions that ended since the last turn. `sent` remembers the charging profiles that stand. What comes back is
    decided, not yet done: the caller stores it and sends the commands.
    """
    forecast = stages.predict(world)
    decisions = stages.recommend(world, world.undecided, forecast) if world.undecided else ()
    guides = [stages.guide(world, request, decision) for request, decision in zip(world.undecided, decisions, strict=True)]
    plan = stages.execute(world, sent)
    profiles = profiles_to_send(world, plan, sent)
    cdrs = tuple(stages.settle(each) for each in ended)
    return Tick(world, forecast, decisions, plan, cdrs, (*guides, *profiles))
