"""Charging profiles of OCPP 1.6, 2.0.1 and 2.1 as one kind of record."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias

from chargeloop.model import BadInput

Unit: TypeAlias = Literal["A", "W"]
# One number for all phases (in A each of them, in W their total), or three: L1, L2 and L3 apart.
Value: TypeAlias = tuple[float, ...]
Curve: TypeAlias = tuple[tuple[float, float], ...]  # points (Hz or signal, W)


class Purpose(StrEnum):
    """What a profile limits; ChargePointMaxProfile of 1.6 is STATION_MAX."""

    STATION_MAX = "ChargingStationMaxProfile"
    TX_DEFAULT = "TxDefaultProfile"
    TX = "TxProfile"
    EXTERNAL = "ChargingStationExternalConstraints"
    PRIORITY = "PriorityCharging"
    GENERATION = "LocalGeneration"


class Kind(StrEnum):
    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"
    DYNAMIC = "Dynamic"


class Recurrence(StrEnum):
    DAILY = "Daily"
    WEEKLY = "Weekly"


class Mode(StrEnum):
    """Who decides on the power within the limits (OCPP 2.1); before 2.1 it is always CHARGING_ONLY."""

    CHARGING_ONLY = "ChargingOnly"
    CENTRAL_SETPOINT = "CentralSetpoint"
    CENTRAL_FREQUENCY = "CentralFrequency"
    EXTERNAL_SETPOINT = "ExternalSetpoint"
    EXTERNAL_LIMITS = "ExternalLimits"
    LOCAL_FREQUENCY = "LocalFrequency"
    LOCAL_LOAD_BALANCING = "LocalLoadBalancing"
    IDLE = "Idle"


class Reason(StrEnum):
    """Why a profile or a question is rejected: reason codes of OCPP 2.x (1.6 says only Rejected)."""

    DUPLICATE_PROFILE = "DuplicateProfile"
    INVALID_OPERATION_MODE = "InvalidOperationMode"
    INVALID_PROFILE = "InvalidProfile"
    INVALID_PROFILE_ID = "InvalidProfileId"
    INVALID_SCHEDULE = "InvalidSchedule"
    INVALID_STACK_LEVEL = "InvalidStackLevel"
    MISSING_DEVICE_MODEL = "MissingDevModelInfo"
    NO_FREQUENCY_CURVE = "NoFreqWattCurve"
    NO_PHASE_FOR_DC = "NoPhaseForDC"
    NO_SIGNAL_CURVE = "NoSignalWattCurve"
    PHASE_CONFLICT = "PhaseConflict"
    RATE_LIMIT = "RateLimitExceeded"
    TX_NOT_FOUND = "TxNotFound"
    UNKNOWN_EVSE = "UnknownEvse"
    UNSUPPORTED_KIND = "UnsupportedKind"
    UNSUPPORTED_PARAM = "UnsupportedParam"
    UNSUPPORTED_PURPOSE = "UnsupportedPurpose"
    UNSUPPORTED_UNIT = "UnsupportedRateUnit"


class Refused(BadInput):
    """A station rejects it; `reason` is the code of its answer, `what` the additional information."""

    def __init__(self, reason: Reason, what: str) -> None:
        super().__init__(reason, what)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Period:
    """Part of a schedule, from `start_s` after its start to the next one's. Values are in the schedule's unit.

    `limit` >= 0 and `discharge_limit` <= 0 bound the power, `setpoint` (+ charging, - discharging) and `reactive`
    (+ inductive) are to be followed. `number_phases` None is the default of the supply: 3 for AC, none for DC.
    """

    start_s: int = 0
    limit: Value | None = None
    discharge_limit: Value | None = None
    setpoint: Value | None = None
    reactive: Value | None = None
    number_phases: int | None = None
    phase_to_use: int | None = None
    mode: Mode = Mode.CHARGING_ONLY
    baseline_w: float | None = None
    frequency_curve: Curve = ()
    signal_curve: Curve = ()
    is_preconditioning: bool = False
    is_evse_asleep: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """Periods by ascending start. `start` keeps the offset it was told with: with `is_local` only its wall clock counts.

    `limit_at_soc`: from this state of charge in % on, no more than this value. `randomized_delay_s`: each period but the first
    begins up to so much later, drawn once for each transaction.
    """

    unit: Unit
    periods: tuple[Period, ...]
    start: datetime | None = None
    duration_s: int | None = None
    schedule_id: int = 0
    is_local: bool = False
    randomized_delay_s: int = 0
    limit_at_soc: tuple[float, float] | None = None
    min_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """What the period of a Dynamic profile is from an instant on (K28)."""

    at: datetime
    period: Period


@dataclass(frozen=True, slots=True)
class Profile:
    """A charging profile. It can have a say in [`valid_from`, `valid_to`), where these are given.

    `max_offline_s`: how long it stays valid when the station is offline; `is_void_after`: it is never valid again then.
    `updates`: of a Dynamic one, by ascending time.
    """

    profile_id: int
    stack_level: int
    purpose: Purpose
    kind: Kind
    schedules: tuple[Schedule, ...]
    recurrence: Recurrence | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction_id: int | str | None = None
    max_offline_s: int | None = None
    is_void_after: bool = False
    updates: tuple[Update, ...] = field(default=())
    update_interval_s: int = 0


@dataclass(frozen=True, slots=True)
class Installed:
    """A profile, the EVSE it was set for (0: the station; 1.6: the connector), and who set it: CSO, EMS, SO or Other."""

    evse: int
    profile: Profile
    source: str = "CSO"
