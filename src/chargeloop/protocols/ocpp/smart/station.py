"""What must be known of a station, and of what goes on there, to work out what its profiles amount to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import Literal, TypeAlias

from chargeloop.protocols.ocpp.smart.profile import Kind, Mode, Purpose, Unit

Version: TypeAlias = Literal["ocpp1.6", "ocpp2.0.1", "ocpp2.1"]


@dataclass(frozen=True, slots=True)
class Running:
    """A transaction at an EVSE.

    `anchor`: when the power path closed (authorised and plugged), the start of Relative schedules; None: not yet, they start
    when asked. `soc`: state of charge in %. `priority_since`: since when priority charging is on. `schedule_id`: which of
    several schedules the vehicle chose. `delays_s`: drawn delays of the periods by profile. `has_phases`: the vehicle told
    its needs for L2 and L3.
    """

    transaction_id: int | str | None = None
    anchor: datetime | None = None
    soc: float | None = None
    priority_since: datetime | None = None
    schedule_id: int | None = None
    delays_s: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    has_phases: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """What goes on at a station: transactions by EVSE, since when it is offline, when it last took a profile."""

    running: Mapping[int, Running] = field(default_factory=dict)
    offline_since: datetime | None = None
    profile_set_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Station:
    """What a station is and can do, as its device model or configuration tells.

    `max_external_id`: profile ids up to it are the station's own (MaxExternalConstraintsId). `rate_limit_s`: least time
    between two profiles set. `has_load_thresholds`: those of LocalLoadBalancing are configured.
    """

    version: Version = "ocpp2.1"
    evses: tuple[int, ...] = (1,)
    dc_evses: frozenset[int] = frozenset()
    voltage_v: float = 230.0  # nominal, phase to neutral
    zone: tzinfo = UTC
    units: frozenset[Unit] = frozenset(("A", "W"))
    purposes: frozenset[Purpose] = frozenset(Purpose)
    kinds: frozenset[Kind] = frozenset(Kind)
    modes: frozenset[Mode] = frozenset(Mode)
    max_stack_level: int = 100
    max_periods: int = 1024
    max_schedules: int = 1  # 3 in ISO 15118 sessions (K01.FR.34)
    max_external_id: int | None = None
    rate_limit_s: int = 0
    can_switch_phase: bool = False
    can_control_dc_phases: bool = False
    can_sleep: bool = False
    has_load_thresholds: bool = True


class Conversion(StrEnum):
    """How limits in A and in W, of different numbers of phases, are compared.

    SAFE: W become A by the phases of their own period (K01.FR.50), A become W by the fewest of all merged, so that no limit
    is exceeded, on any phase or in total. MERGED: both by the fewest. TOTALS: all become W by their own phases, and the
    lowest total counts.
    """

    SAFE = "safe"
    MERGED = "merged"
    TOTALS = "totals"


@dataclass(frozen=True, slots=True)
class Options:
    """Where makers differ.

    `default_a` per phase, `default_w`: local limit of an EVSE that no profile speaks of; None: unlimited. `phases`: of AC
    where a period names none. `is_back_dated`: a recurring schedule counts back, too, from its first start.
    `is_external_first`: the setpoint of an energy management system goes before that of the CSMS (Q06.FR.20).
    """

    conversion: Conversion = Conversion.SAFE
    default_a: float | None = 48.0
    default_w: float | None = 33120.0
    phases: int = 3
    is_back_dated: bool = False
    is_external_first: bool = True
