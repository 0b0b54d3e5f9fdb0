"""The loop without sockets or database, for the twin: the same tick on the same events."""

from collections.abc import Iterable
from datetime import datetime

from chargeloop.guidance import Guide
from chargeloop.loop.power import Sent
from chargeloop.loop.stages import Stages, known_until, stages_of
from chargeloop.loop.tally import Tally
from chargeloop.loop.tick import Tick, tick
from chargeloop.model import City, Command, DecisionMade, Event, Layout
from chargeloop.perception import Ended, Perception


class OfflineLoop:
    """Events in, commands out, one `step` per tick of the twin. `last` is the newest turn, `tally` the day's figures.

    Of the city's demand history it knows what lies before `start`.
    """

    def __init__(
        self, city: City, layout: Layout, guide: Guide, start: datetime, *, seed: int = 0, stages: Stages | None = None
    ) -> None:
        city = known_until(city, start)
        self.perception = Perception(city, layout)
        self.stages = stages or stages_of(city, layout, guide, seed=seed, routes=False)
        self.tally = Tally()
        self.last: Tick | None = None
        self._sent = Sent(len(layout.evse_ids))
        self._time_zone = city.time_zone

    def step(self, events: Iterable[Event], now: datetime) -> tuple[Command, ...]:
        ended: list[Ended] = []
        for event in events:
            ended.extend(self.perception.apply(event))
        turn = tick(self.stages.perceive(self.perception, now), ended, self._sent, self.stages)
        self.tally.roll(now, self._time_zone)
        for decision in turn.decisions:
            self.perception.apply(DecisionMade(at=now, decision=decision))
            self.tally.decision(decision)
        for each, cdr in zip(ended, turn.cdrs, strict=True):
            self.tally.ended(cdr, each.waited_min)
        self.last = turn
        return turn.commands
