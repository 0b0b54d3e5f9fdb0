"""From the twin's arrays to events of the model, made only when somebody listens."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from chargeloop.model import (
    ChargeEnded,
    ChargeRequest,
    ChargeRequested,
    City,
    Current,
    DriverArrived,
    Event,
    EvseStatus,
    EvseStatusChanged,
    Layout,
    MeterSampled,
    Place,
    RequestWithdrawn,
    SessionEnded,
    SessionStarted,
    StopReason,
)
from chargeloop.model.city import Ints
from chargeloop.simulation.drivers import Drivers
from chargeloop.simulation.fleets import TIERS
from chargeloop.simulation.state import LOGGED, Bools, Fact, Records, Stage, State

_NAME = re.compile(r"(?:U|R|twin-)([0-9]{8,})")
STOP_REASONS = (StopReason.FULL, StopReason.DEPARTED, StopReason.REMOTE, StopReason.FAULT)  # by `state.Reason`


@dataclass(frozen=True, slots=True)
class PlugIn:
    """A vehicle has been plugged in at an EVSE that is driven from outside."""

    evse: int
    at: datetime
    id_token: str
    energy_wanted_kwh: float
    soc: float
    meter_wh: float


@dataclass(frozen=True, slots=True)
class Unplug:
    """It has been unplugged."""

    evse: int
    at: datetime
    id_token: str
    meter_wh: float
    reason: StopReason


def instant(epoch_s: float) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)


class Teller:
    """Names what happened. A driver whose request has not been told yet is introduced before the first event about him.

    What happens at EVSEs driven from outside goes to the `outside_*` lists of the last reading instead.
    """

    def __init__(self, city: City, layout: Layout, drivers: Drivers, driven_outside: Bools) -> None:
        self._city, self._layout, self._drivers = city, layout, drivers
        self.driven_outside = driven_outside
        self._told = np.zeros(len(drivers), dtype=np.bool_)
        self.outside_plug_in: list[PlugIn] = []
        self.outside_charge_ended: list[tuple[int, datetime]] = []
        self.outside_unplug: list[Unplug] = []
        self.outside_status: list[tuple[int, EvseStatus]] = []

    def extend(self, drivers: Drivers) -> None:
        """More drivers are known now: all that there were and new ones behind them."""
        self._told = np.concatenate([self._told, np.zeros(len(drivers) - len(self._told), dtype=np.bool_)])
        self._drivers = drivers

    def id_token(self, d: int) -> str:
        return f"U{self._drivers.first + d:08d}"

    def request_id(self, d: int) -> str:
        return f"R{self._drivers.first + d:08d}"

    def session_id(self, d: int) -> str:
        return f"twin-{self._drivers.first + d:08d}"

    def driver(self, name: str) -> int:
        """Index of the driver of a request, session or token; -1 where it is none of ours."""
        number = _NAME.fullmatch(name)
        d = int(number[1]) - self._drivers.first if number else -1
        return d if 0 <= d < len(self._drivers) else -1

    def request(self, d: int) -> ChargeRequest:
        """What driver `d` asks for."""
        drivers = self._drivers
        return ChargeRequest(
            request_id=self.request_id(d),
            at=instant(drivers.appear_s[d]),
            place=Place(float(drivers.lon[d]), float(drivers.lat[d])),
            id_token=self.id_token(d),
            model_id=self._city.models[drivers.model[d]].model_id,
            tier=TIERS[drivers.tier[d]],
            current=Current.DC if drivers.is_dc[d] else Current.AC,
            soc=float(drivers.soc[d]),
            target_soc=float(drivers.target[d]),
            battery_kwh=float(drivers.battery_kwh[d]),
            depart_by=instant(drivers.depart_by_s[d]),
            value_of_time_per_h=float(drivers.value_of_time_per_h[d]),
            user_id=f"regular-{drivers.user[d]:06d}" if drivers.user[d] >= 0 else None,
            depot_station_id=self._layout.station_ids[drivers.depot[d]] if drivers.depot[d] >= 0 else None,
        )

    def forget_last(self) -> None:
        """Empty the `outside_*` lists."""
        for each in (self.outside_plug_in, self.outside_charge_ended, self.outside_unplug, self.outside_status):
            each.clear()

    def read(self, state: State) -> list[Event]:
        """Everything in the log, in order, and empty it."""
        events: list[Event] = []
        for at_s, value, kind, d, e in state.log[: state.counts[LOGGED]].tolist():
            self._tell(events, kind, instant(at_s), d, e, value, state.cars)
        state.counts[LOGGED] = 0
        return events

    def _tell(self, events: list[Event], kind: int, at: datetime, d: int, e: int, value: float, cars: Records) -> None:
        if d >= 0:
            self._introduce(events, d, at)
        if e >= 0 and self.driven_outside[e]:
            self._tell_outside(kind, at, d, e, value, cars)
        elif kind == Fact.ARRIVED:
            station = self._layout.station_ids[self._layout.pool_station[int(value)]]
            events.append(DriverArrived(at=at, request_id=self.request_id(d), station_id=station))
        elif kind == Fact.STARTED:
            events.append(self._started(d, e, at, cars))
        elif kind == Fact.CHARGED:
            events.append(self._charge_ended(d, e, at, cars))
        elif kind == Fact.ENDED:
            events.append(
                SessionEnded(
                    at=at,
                    session_id=self.session_id(d),
                    evse_id=self._layout.evse_ids[e],
                    meter_wh=_meter_wh(cars, d),
                    reason=STOP_REASONS[int(value)],
                )
            )
        elif kind == Fact.WITHDRAWN:
            events.append(RequestWithdrawn(at=at, request_id=self.request_id(d), reason="gave up"))
        elif kind == Fact.STATUS:
            events.append(EvseStatusChanged(at=at, evse_id=self._layout.evse_ids[e], status=EvseStatus(int(value))))

    def _tell_outside(self, kind: int, at: datetime, d: int, e: int, value: float, cars: Records) -> None:
        if kind == Fact.STARTED:
            self.outside_plug_in.append(self.plug_in(d, e, cars))
        elif kind == Fact.CHARGED:
            self.outside_charge_ended.append((e, at))
        elif kind == Fact.ENDED:
            self.outside_unplug.append(Unplug(e, at, self.id_token(d), _meter_wh(cars, d), STOP_REASONS[int(value)]))
        elif kind == Fact.STATUS:
            self.outside_status.append((e, EvseStatus(int(value))))

    def plug_in(self, d: int, e: int, cars: Records) -> PlugIn:
        wanted = (cars["target"][d] - cars["soc"][d]) * cars["battery_kwh"][d] + cars["kwh"][d]
        soc = cars["soc"][d] - cars["kwh"][d] / cars["battery_kwh"][d]
        return PlugIn(
            e, instant(cars["start_s"][d]), self.id_token(d), float(wanted), float(soc), float(cars["start_kwh"][d] * 1000)
        )

    def meters(self, state: State, these: Ints, at: datetime) -> list[Event]:
        """Readings of the EVSEs `these`, each with a running session."""
        bays, cars = state.bays, state.cars
        drivers = bays["driver"][these]
        readings = zip(
            these.tolist(),
            drivers.tolist(),
            (bays["meter_kwh"][these] * 1000).tolist(),
            bays["power_kw"][these].tolist(),
            np.clip(cars["soc"][drivers], 0, 1).tolist(),
            strict=True,
        )
        ids = self._layout.evse_ids
        return [
            MeterSampled(at=at, session_id=self.session_id(d), evse_id=ids[e], meter_wh=wh, power_kw=kw, soc=soc)
            for e, d, wh, kw, soc in readings
        ]

    def present(self, state: State, at: datetime) -> list[Event]:
        """The events that tell a fresh listener how things stand: faults, running sessions, and those who wait.

        Drivers still on their way are introduced when they arrive: nobody can redirect them now.
        """
        cars, bays = state.cars, state.bays
        events: list[Event] = []
        for e in np.flatnonzero(bays["broken"] > 0).tolist():
            self._tell(events, Fact.STATUS, at, -1, e, float(EvseStatus.FAULTED), cars)
        running = np.flatnonzero(bays["driver"] >= 0)
        for e in running[np.argsort(cars["start_s"][bays["driver"][running]], kind="stable")].tolist():
            d = int(bays["driver"][e])
            self._tell(events, Fact.STARTED, instant(cars["start_s"][d]), d, e, 0.0, cars)
            if bays["charged"][e]:
                self._tell(events, Fact.CHARGED, instant(cars["charged_s"][d]), d, e, 0.0, cars)
        queued = np.flatnonzero(cars["stage"] == Stage.QUEUED)
        for d in queued[np.argsort(cars["arrive_s"][queued], kind="stable")].tolist():
            self._tell(events, Fact.ARRIVED, instant(cars["arrive_s"][d]), d, -1, float(cars["pool"][d]), cars)
        for d in np.flatnonzero(cars["stage"] == Stage.ASKING).tolist():
            self._introduce(events, d, at)
        return events + self.meters(state, np.flatnonzero((bays["driver"] >= 0) & ~bays["charged"] & ~self.driven_outside), at)

    def _introduce(self, events: list[Event], d: int, at: datetime) -> None:
        if not self._told[d]:
            self._told[d] = True
            events.append(ChargeRequested(at=at, request=self.request(d)))

    def _started(self, d: int, e: int, at: datetime, cars: Records) -> SessionStarted:
        return SessionStarted(
            at=at,
            session_id=self.session_id(d),
            evse_id=self._layout.evse_ids[e],
            id_token=self.id_token(d),
            meter_wh=float(cars["start_kwh"][d] * 1000),
        )

    def _charge_ended(self, d: int, e: int, at: datetime, cars: Records) -> ChargeEnded:
        return ChargeEnded(at=at, session_id=self.session_id(d), evse_id=self._layout.evse_ids[e], meter_wh=_meter_wh(cars, d))


def _meter_wh(cars: Records, d: int) -> float:
    """The EVSE's register when the session of driver `d` has ended, or now."""
    return float((cars["start_kwh"][d] + cars["kwh"][d]) * 1000)
