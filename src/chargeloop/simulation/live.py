"""The city twin at the speed of the clock, connected to a server: its chargers by OCPP, everything else as one feed."""

import argparse
import asyncio
import logging
import math
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import structlog

from chargeloop.city import load_city
from chargeloop.gateway.telemetry import TelemetryLink
from chargeloop.guidance import Guide
from chargeloop.loop import Clock
from chargeloop.model import BadInput, ChargeloopError, City, Event, EvseStatus, Layout, WeatherObserved
from chargeloop.physics import full_hour, hours_between
from chargeloop.simulation.chargers import Charger, ocpp_evses
from chargeloop.simulation.drivers import draw_drivers
from chargeloop.simulation.twin import Twin

SOURCE = "twin"
BEFORE = timedelta(hours=4)  # drivers of that long fill the city before anybody looks
AHEAD = timedelta(hours=1)  # of drivers that are there at any time
WARM_UP_H, DRAW_H = 7, 3  # hours of drivers drawn at first and later; few, for the steps wait for it
NUMBERS_A_SECOND = 10_000  # of the city's time: far more than drivers come
STEP_S, FAST_STEP_S, FAST = 30, 60, 60.0  # longer steps from this speed on
SAMPLE_S, STAGGER = 300, 5  # charging bays send their meter each five minutes, in turns, and all on the hour
log = structlog.get_logger()


class LiveTwin:
    """A twin whose time is the clock's.

    `start`: where it joins the clock; the drivers of the hours before have come in silence. Drivers are numbered by that
    instant, so that a twin that is started again never takes the name of a driver that the server knows already.
    """

    def __init__(
        self, city: City, clock: Clock, ocpp_url: str, *, chargers: int, level: float, seed: int, start: datetime | None = None
    ) -> None:
        self._city, self._level = city, level
        self.layout = Layout.of(city)
        self._rng = np.random.default_rng([seed, 0])
        step_s = FAST_STEP_S if clock.speed >= FAST else STEP_S
        start = start or clock.now()
        begin = start.replace(second=0, microsecond=0) - BEFORE
        first = max(int(start.timestamp() - clock.domain_s), 0) * NUMBERS_A_SECOND
        drivers = draw_drivers(city, self.layout, begin, WARM_UP_H, level, self._rng, first=first)
        outside = ocpp_evses(self.layout, chargers)
        self.twin = Twin(
            city,
            self.layout,
            Guide.of(city, self.layout),
            drivers,
            begin,
            step_s,
            "external",
            np.random.default_rng([seed, 1]),
            driven_outside=np.isin(np.array(self.layout.evse_ids), outside),
        )
        self.chargers = {
            self.layout.evse_index[evse_id]: Charger(evse_id, ocpp_url, lambda: self.twin.now, self.twin.apply)
            for evse_id in outside
        }
        self._weather_hour: datetime | None = None

    def catch_up(self, until: datetime) -> list[Event]:
        """Move on in silence; returns the events that tell how things stand then."""
        while self.twin.now < until:
            self.extend_where_due()
            self.twin.run_until(min(until, self._drawn_until))
        events = self.twin.current_events()
        self._tell_chargers()
        for e in self._charging():
            self._sample(e)
        return self._weather() + events

    def step(self) -> list[Event]:
        """Move on by one step; returns the events of the feed and tells the chargers theirs."""
        before = self.twin.now
        for e, charger in self.chargers.items():
            self.twin.limit_kw[e] = charger.limit_kw(before)
        events = self.twin.step()
        self._tell_chargers()
        for e in self._charging():
            if _is_due(e, before, self.twin.now):
                self._sample(e)
        return self._weather() + events

    def extend_where_due(self) -> None:
        """Draw more drivers before those that are there have all come."""
        if self._drawn_until - self.twin.now <= AHEAD:
            drivers = self.twin.drivers
            first = drivers.first + len(drivers)
            self.twin.extend(
                draw_drivers(self._city, self.layout, self._drawn_until, DRAW_H, self._level, self._rng, first=first)
            )

    @property
    def _drawn_until(self) -> datetime:
        return self.twin.drivers.start + timedelta(hours=self.twin.drivers.hours)

    def _tell_chargers(self) -> None:
        """What the last step did at bays with a charger of their own, in order of time."""
        twin, chargers = self.twin, self.chargers
        left_wh = {each.evse: each.meter_wh for each in twin.outside_unplug}
        told: list[tuple[datetime, int, Callable[[], None]]] = []
        for e, at in twin.outside_charge_ended:
            meter_wh = left_wh.get(e, float(twin.meter_wh[e]))
            told.append((at, 0, partial(chargers[e].charge_ended, at, meter_wh)))
        for gone in twin.outside_unplug:
            told.append((gone.at, 1, partial(chargers[gone.evse].unplug, gone.at, gone.meter_wh, gone.reason)))
        for come in twin.outside_plug_in:
            told.append((come.at, 2, partial(chargers[come.evse].plug_in, come.at, come.id_token, come.meter_wh)))
        for _, _, tell in sorted(told, key=lambda each: each[:2]):
            tell()
        for e, status in twin.outside_status:
            # Their instant is not told: a vehicle that came in the same step came last.
            if not (chargers[e].is_busy and status in (EvseStatus.AVAILABLE, EvseStatus.RESERVED)):
                chargers[e].set_status(status, twin.now)

    def _charging(self) -> list[int]:
        bays = self.twin.state.bays
        return [e for e, charger in self.chargers.items() if charger.is_busy and not bays["charged"][e]]

    def _sample(self, e: int) -> None:
        """Have a charger send its meter; fast chargers know the vehicle's state of charge as well."""
        state = self.twin.state
        driver = int(state.bays["driver"][e])
        is_dc = self.layout.pool_is_dc[self.layout.evse_pool[e]]
        soc = float(np.clip(state.cars["soc"][driver], 0, 1)) if is_dc and driver >= 0 else None
        self.chargers[e].sample(self.twin.now, float(self.twin.meter_wh[e]), float(self.twin.power_kw[e]), soc)

    def _weather(self) -> list[Event]:
        """The weather of a new hour, where the city's data has it."""
        hour, weather = full_hour(self.twin.now), self._city.weather
        row = hours_between(weather.start, hour)
        if hour == self._weather_hour or not 0 <= row < len(weather.rain):
            return []
        self._weather_hour = hour
        temperature_c, rain = float(weather.temperature_c[row]), float(weather.rain[row])
        if not (math.isfinite(temperature_c) and math.isfinite(rain)):
            return []
        return [WeatherObserved(at=self.twin.now, temperature_c=temperature_c, rain=round(rain))]


def _is_due(e: int, before: datetime, now: datetime) -> bool:
    """Whether EVSE `e` has its turn to send a reading between two instants."""
    if full_hour(before) != full_hour(now):
        return True
    shift_s = e % STAGGER * SAMPLE_S / STAGGER
    return (before.timestamp() + shift_s) // SAMPLE_S != (now.timestamp() + shift_s) // SAMPLE_S


async def live(live_twin: LiveTwin, clock: Clock, link: TelemetryLink) -> None:
    """Run until cancelled. The server may come and go: what happens meanwhile is kept for it."""
    twin = live_twin.twin
    link.submit(live_twin.catch_up(clock.now()))
    async with link, asyncio.TaskGroup() as tasks:
        for charger in live_twin.chargers.values():
            tasks.create_task(charger.run())
        tasks.create_task(_obey(live_twin.twin, link))
        log.info("twin runs", at=twin.now.isoformat(), chargers=len(live_twin.chargers), speed=clock.speed)
        while True:
            wait_s = (twin.now_s + twin.step_s - clock.now().timestamp()) / clock.speed
            await asyncio.sleep(max(wait_s, 0.0))
            live_twin.extend_where_due()
            link.submit(live_twin.step())


async def _obey(twin: Twin, link: TelemetryLink) -> None:
    async for command in link.commands():
        if not twin.apply(command):
            log.debug("command came too late", kind=command.kind)


async def _main(args: argparse.Namespace) -> None:
    token = os.environ.get(args.token_env, "")
    if not token:
        raise BadInput(args.token_env, "is not set; it holds the token that the server asks of feeds")
    clock = Clock.parse(args.clock)
    live_twin = LiveTwin(load_city(args.city), clock, args.ocpp, chargers=args.chargers, level=args.level, seed=args.seed)
    running = asyncio.create_task(live(live_twin, clock, TelemetryLink(args.server, SOURCE, token)))
    for which in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(which, running.cancel)
    while not running.done() and (args.parent is None or os.getppid() == args.parent):
        await asyncio.wait([running], timeout=1)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chargeloop.simulation.live", description=__doc__)
    parser.add_argument("--server", required=True, help="address of the server, as http://127.0.0.1:8080")
    parser.add_argument("--ocpp", required=True, help="address of its OCPP gateway, as ws://127.0.0.1:9000/ocpp")
    parser.add_argument("--token-env", required=True, help="environment variable that holds the feed's token")
    parser.add_argument("--clock", required=True, help="wall,domain,speed: as the server's")
    parser.add_argument("--chargers", type=int, default=200, help="bays that connect by OCPP (default 200)")
    parser.add_argument("--city", type=Path, help="city folder; without one, the built-in city")
    parser.add_argument("--level", type=float, default=0.8, help="demand; 1.0 begins to saturate the city (default 0.8)")
    parser.add_argument("--seed", type=int, default=1, help="of the drivers (default 1)")
    parser.add_argument("--parent", type=int, help="process without which the twin ends")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    try:
        asyncio.run(_main(args))
    except ChargeloopError as error:
        sys.stderr.write(f"twin: {error}\n")
        return 2 if isinstance(error, BadInput) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
