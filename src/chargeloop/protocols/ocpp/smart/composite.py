"""The composite schedule: what all profiles of a station together allow, over a stretch of time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby

from chargeloop.protocols.ocpp.smart.clock import Clock, chosen, in_force, seconds
from chargeloop.protocols.ocpp.smart.merge import Basis, Said, capped_at_soc, merged, total, with_generation, within_limits
from chargeloop.protocols.ocpp.smart.profile import Installed, Period, Purpose, Reason, Refused, Unit, Value
from chargeloop.protocols.ocpp.smart.station import Conversion, Options, Running, State, Station
from chargeloop.protocols.ocpp.smart.values import period_in

ANYWHERE = State()
USUAL = Options()


@dataclass(frozen=True, slots=True)
class Composite:
    """Periods of an EVSE (0: the whole station) in [`start`, `start` + `duration_s`), neighbours never equal.

    A limit of None is none known; `number_phases` is None for DC.
    """

    evse: int
    start: datetime
    duration_s: int
    unit: Unit
    periods: tuple[Period, ...]

    def at(self, offset_s: int) -> Period:
        """The period that is in force so many seconds after the start."""
        return [each for each in self.periods if each.start_s <= offset_s][-1]


def composite(
    profiles: Sequence[Installed],
    *,
    evse: int,
    start: datetime,
    duration_s: int,
    unit: Unit,
    station: Station,
    state: State = ANYWHERE,
    options: Options = USUAL,
) -> Composite:
    """What an EVSE may take, or the station for `evse` 0, from `start` (rounded down to seconds) for `duration_s` seconds.

    Exact: it is worked out anew at each instant at which anything changes. Within a purpose the highest stack level with an
    active period leads. TxProfile replaces TxDefaultProfile, priority charging both; the lowest of that, the station's maximum
    and external constraints counts, and local generation is added (K08). Without a transaction it is as if one ran.

    Raises:
        Refused: the station has no such EVSE, or does not know the unit; `duration_s` is not positive.
    """
    if evse != 0 and evse not in station.evses:
        raise Refused(Reason.UNKNOWN_EVSE, f"the station has no EVSE {evse}")
    if unit not in station.units:
        raise Refused(Reason.UNSUPPORTED_UNIT, f"the station does not use {unit}")
    if duration_s < 1:
        raise Refused(Reason.INVALID_SCHEDULE, f"a duration of {duration_s} s has no schedule")
    first = seconds(start)
    view = _View(profiles, first, first + duration_s, unit, station, state, options)
    return Composite(evse, datetime.fromtimestamp(first, UTC), duration_s, unit, _joined(view.periods(evse)))


class _View:
    """The profiles of a station as they are looked at for one composite schedule."""

    def __init__(
        self, profiles: Sequence[Installed], first: int, end: int, unit: Unit, station: Station, state: State, options: Options
    ) -> None:
        self._first, self._end, self._unit, self._options = first, end, unit, options
        self._station, self._state = station, state
        # The one that leads comes first: highest level, then an EVSE's own, then the latest.
        self._by_rank = sorted(profiles, key=lambda each: (each.profile.stack_level, each.evse != 0))[::-1]
        self._at = self._until = first

    def periods(self, evse: int) -> Iterable[Period]:
        """One after the other, each as long as nothing changes."""
        while self._at < self._end:
            self._until = self._end
            period = self._station_wide() if evse == 0 else self._of_evse(evse)
            yield replace(period, start_s=self._at - self._first)
            self._at = self._until

    # --- at one instant -----------------------------------------------------------------------------------------------

    def _of_evse(self, evse: int) -> Period:
        basis = self._basis(self._is_dc(evse))
        session, external = self._session(evse), self._some(self._leading(Purpose.EXTERNAL, (evse,), evse))
        external += self._some(self._leading(Purpose.EXTERNAL, (0,), 0))
        maximum = self._some(self._leading(Purpose.STATION_MAX, (0,), 0))
        period = merged(session, external, maximum, basis)
        if not (session or external or maximum):
            period = replace(period, limit=self._default(basis), number_phases=basis.phases)
        else:
            period = with_generation(period, self._leading(Purpose.GENERATION, (evse, 0), evse), basis)
        return self._answer(within_limits(period, basis.unit), basis, self._is_dc(evse))

    def _station_wide(self) -> Period:
        is_dc = all(self._is_dc(evse) for evse in self._station.evses)
        basis = self._basis(is_dc)
        together = total([self._alone(evse) for evse in self._station.evses], self._default(basis), basis)
        external = self._some(self._leading(Purpose.EXTERNAL, (0,), 0))
        maximum = self._some(self._leading(Purpose.STATION_MAX, (0,), 0))
        period = merged(Said(together, basis.unit), external, maximum, basis)
        period = with_generation(period, self._leading(Purpose.GENERATION, (0,), 0), basis)
        return self._answer(within_limits(period, basis.unit), basis, is_dc)

    def _alone(self, evse: int) -> Period:
        """What an EVSE may take, but for what limits the whole station."""
        basis = self._basis(self._is_dc(evse))
        external = self._some(self._leading(Purpose.EXTERNAL, (evse,), evse))
        return within_limits(merged(self._session(evse), external, (), basis), basis.unit)

    def _session(self, evse: int) -> Said | None:
        """Priority charging while it is on, else the transaction's own profile, else the default one."""
        running = self._state.running.get(evse)
        if running is not None and running.priority_since is not None and self._is_past(seconds(running.priority_since)):
            priority = self._leading(Purpose.PRIORITY, (evse, 0), evse)
            if priority is not None:
                return priority
        own = None if running is None else self._leading(Purpose.TX, (evse,), evse)
        return own or self._leading(Purpose.TX_DEFAULT, (evse, 0), evse)

    def _leading(self, purpose: Purpose, evses: Sequence[int], asking: int) -> Said | None:
        """What the highest profile with an active period says; a higher one without does not shadow it."""
        running = self._state.running.get(asking) or Running()
        for each in self._by_rank:
            profile = each.profile
            if profile.purpose is not purpose or each.evse not in evses:
                continue
            if purpose is Purpose.TX and profile.transaction_id not in (None, running.transaction_id):
                continue
            period, until = in_force(profile, self._at, self._clock(profile.profile_id, running))
            self._until = min(self._until, until)
            if period is not None:
                schedule = chosen(profile, running.schedule_id)
                return Said(capped_at_soc(period, schedule, running.soc), schedule.unit)
        return None

    # --- how ----------------------------------------------------------------------------------------------------------

    def _clock(self, profile_id: int, running: Running) -> Clock:
        offline = self._state.offline_since
        return Clock(
            anchor=self._first if running.anchor is None else seconds(running.anchor),
            end=self._end,
            zone=self._station.zone,
            offline_since=None if offline is None else seconds(offline),
            is_back_dated=self._options.is_back_dated,
            schedule_id=running.schedule_id,
            delays_s=running.delays_s.get(profile_id, ()),
        )

    def _is_past(self, instant: int) -> bool:
        if self._at < instant:
            self._until = min(self._until, instant)
        return self._at >= instant

    def _is_dc(self, evse: int) -> bool:
        return evse in self._station.dc_evses

    def _basis(self, is_dc: bool) -> Basis:
        """Totals are compared in W, whatever is asked for."""
        unit = "W" if self._options.conversion is Conversion.TOTALS else self._unit
        return Basis.of(unit, self._station.voltage_v, is_dc, self._options)

    def _default(self, basis: Basis) -> Value | None:
        default = self._options.default_a if basis.unit == "A" else self._options.default_w
        return None if default is None else (default,)

    def _answer(self, period: Period, basis: Basis, is_dc: bool) -> Period:
        """A period in the unit asked for."""
        period = period_in(period, basis.unit, self._unit, basis.phases_of(period), basis.voltage_v)
        return replace(period, number_phases=None) if is_dc else period

    @staticmethod
    def _some(said: Said | None) -> list[Said]:
        return [] if said is None else [said]


def _joined(periods: Iterable[Period]) -> tuple[Period, ...]:
    """Periods without those that say the same as the one before."""
    return tuple(next(run) for _, run in groupby(periods, key=lambda each: replace(each, start_s=0)))
