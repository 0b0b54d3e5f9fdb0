"""What several profiles in force together amount to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

from chargeloop.protocols.ocpp.smart.profile import Mode, Period, Schedule, Unit, Value
from chargeloop.protocols.ocpp.smart.station import Conversion, Options
from chargeloop.protocols.ocpp.smart.values import combine, period_in

NOTHING: Value = (0.0,)


@dataclass(frozen=True, slots=True)
class Said:
    """A period in force, and the unit of its values."""

    period: Period
    unit: Unit


@dataclass(frozen=True, slots=True)
class Basis:
    """How values are compared: in which unit, at which nominal voltage, and of how many phases where no one says. DC has 1."""

    unit: Unit
    voltage_v: float
    phases: int
    conversion: Conversion
    is_external_first: bool

    @classmethod
    def of(cls, unit: Unit, voltage_v: float, is_dc: bool, options: Options) -> "Basis":
        phases = 1 if is_dc else options.phases
        return cls(unit, voltage_v, phases, options.conversion, options.is_external_first)

    def phases_of(self, period: Period) -> int:
        return period.number_phases or self.phases

    def taken(self, said: Said, merged_phases: int) -> Period:
        """A period in this unit, to be merged with others of so many phases; see Conversion."""
        own = self.phases_of(said.period)
        phases = {
            Conversion.SAFE: max(own, merged_phases) if self.unit == "A" else min(own, merged_phases),
            Conversion.MERGED: merged_phases,
            Conversion.TOTALS: own,
        }[self.conversion]
        return period_in(said.period, said.unit, self.unit, phases, self.voltage_v)


def capped_at_soc(period: Period, schedule: Schedule, soc: float | None) -> Period:
    """A period with the limit that its schedule sets from a state of charge on (K01.FR.100); Idle allows nothing."""
    if period.mode is Mode.IDLE:
        return replace(period, limit=NOTHING)
    if schedule.limit_at_soc is None or soc is None or soc < schedule.limit_at_soc[0]:
        return period
    cap: Value = (schedule.limit_at_soc[1],)
    setpoint = None if period.setpoint is None else combine(min, period.setpoint, cap, schedule.unit)
    return replace(period, limit=combine(min, period.limit, cap, schedule.unit), setpoint=setpoint)


def merged(session: Said | None, external: Sequence[Said], others: Sequence[Said], basis: Basis) -> Period:
    """The lowest of all limits, the highest of all discharge limits, the fewest phases (SC.01, K08.FR.04, K01.FR.140).

    The session's profile, else an external one, decides on the mode and with it on whether there is a setpoint.
    """
    every = [*([] if session is None else [session]), *external, *others]
    if not every:
        return Period()
    phases = min(basis.phases_of(said.period) for said in every)
    periods = [basis.taken(said, phases) for said in every]
    from_external = periods[len(every) - len(external) - len(others) : len(every) - len(others)]
    leader = periods[0] if session is not None or external else Period()
    period = replace(
        leader,
        start_s=0,
        limit=_lowest((each.limit for each in periods), basis.unit),
        discharge_limit=_highest((each.discharge_limit for each in periods), basis.unit),
        number_phases=phases,
        phase_to_use=next((each.phase_to_use for each in periods if each.phase_to_use is not None), None),
    )
    if period.mode in (Mode.CHARGING_ONLY, Mode.IDLE):
        return replace(period, discharge_limit=None, setpoint=None, reactive=None)
    return _following(period, None if session is None else periods[0], from_external, basis)


def _following(period: Period, session: Period | None, external: Sequence[Period], basis: Basis) -> Period:
    """A merged period with the setpoint to follow: the external one or the session's, by priority (Q06.FR.20)."""
    from_outside = [each for each in external if each.setpoint is not None]
    outside = min(from_outside, key=lambda each: abs(sum(each.setpoint or NOTHING)), default=None)
    if outside is None or (session is not None and session.setpoint is not None and not basis.is_external_first):
        return period
    return replace(period, mode=Mode.EXTERNAL_SETPOINT, setpoint=outside.setpoint, reactive=outside.reactive)


def with_generation(period: Period, generation: Said | None, basis: Basis) -> Period:
    """A limit raised by what is generated locally, above any maximum on purpose; no limit stays none."""
    if generation is None or period.limit is None or period.mode is Mode.IDLE:
        return period
    more = basis.taken(generation, basis.phases_of(period)).limit
    return replace(period, limit=combine(add, period.limit, more, basis.unit))


def within_limits(period: Period, unit: Unit) -> Period:
    """A period with its setpoint kept between its discharge limit and its limit (V2X.03)."""
    if period.setpoint is None:
        return period
    setpoint = combine(max, period.setpoint, period.discharge_limit, unit)
    return replace(period, setpoint=combine(min, setpoint, period.limit, unit))


def total(periods: Sequence[Period], unlimited: Value | None, basis: Basis) -> Period:
    """What all EVSEs may take together (K08.FR.03); one without a limit counts as `unlimited`, None: so is the total.

    They discharge, or follow a setpoint, together only so far as it is known of each.
    """
    setpoints = [each.setpoint for each in periods]
    modes = {each.mode for each in periods}
    return Period(
        limit=_sum([_most(each, unlimited) for each in periods], basis.unit),
        discharge_limit=_sum([_least(each) for each in periods], basis.unit),
        setpoint=_sum(setpoints, basis.unit),
        reactive=_sum([each.reactive for each in periods], basis.unit),
        number_phases=max((basis.phases_of(each) for each in periods), default=None),
        mode=modes.pop() if len(modes) == 1 else _mixed(setpoints, periods),
    )


def _mixed(setpoints: Sequence[Value | None], periods: Sequence[Period]) -> Mode:
    """Mode of a station whose EVSEs differ."""
    if all(each is not None for each in setpoints):
        return Mode.CENTRAL_SETPOINT
    is_bound_to_charge = all(each.mode in (Mode.CHARGING_ONLY, Mode.IDLE) for each in periods)
    return Mode.CHARGING_ONLY if is_bound_to_charge else Mode.EXTERNAL_LIMITS


def _most(period: Period, unlimited: Value | None) -> Value | None:
    if period.limit is not None:
        return period.limit
    return unlimited if period.setpoint is None else tuple(max(each, 0.0) for each in period.setpoint)


def _least(period: Period) -> Value | None:
    return NOTHING if period.mode in (Mode.CHARGING_ONLY, Mode.IDLE) else period.discharge_limit


def _sum(values: Sequence[Value | None], unit: Unit) -> Value | None:
    known = [each for each in values if each is not None]
    return None if len(known) < len(values) else reduce(lambda a, b: combine(add, a, b, unit), known, None)


def _lowest(values: Iterable[Value | None], unit: Unit) -> Value | None:
    return reduce(lambda a, b: combine(min, a, b, unit), values, None)


def _highest(values: Iterable[Value | None], unit: Unit) -> Value | None:
    return reduce(lambda a, b: combine(max, a, b, unit), values, None)
