"""What perception remembers between events: plain records that can be written down and read back after a restart."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chargeloop.model import ChargeRequest, MeterPoint, Reservation


@dataclass(slots=True)
class OpenSession:
    """A session that has not ended. `points`: metered energy at the start and each half hour, for the bill.

    `waited_min`: from the driver's arrival to the start, where the arrival was told.
    """

    session_id: str
    evse_id: str
    id_token: str
    started_at: datetime
    meter_start_wh: float
    energy_kwh: float = 0.0
    power_kw: float = 0.0
    soc: float | None = None
    charge_ended_at: datetime | None = None
    request_id: str | None = None
    decision_id: str | None = None
    waited_min: float | None = None
    points: list[MeterPoint] = field(default_factory=list)
    needs_kwh: float | None = None  # in all, as the vehicle says
    depart_by: datetime | None = None


@dataclass(slots=True)
class Needs:
    """What a vehicle told before its session began."""

    at: datetime
    energy_kwh: float | None
    depart_by: datetime | None


class Stage(StrEnum):
    """How far a request has come."""

    UNDECIDED = "undecided"
    UNDER_WAY = "under_way"
    QUEUED = "queued"
    CHARGING = "charging"


@dataclass(slots=True)
class OpenRequest:
    """A request until its session ends. `pool`, `arrive_s` (epoch) and `stay_s` are known once it is decided.

    `energy_kwh`: from the charge at arrival to the wanted one.
    """

    request: ChargeRequest
    stage: Stage = Stage.UNDECIDED
    pool: int = -1
    arrive_s: float = 0.0
    stay_s: float = 0.0
    energy_kwh: float = 0.0
    decision_id: str | None = None


@dataclass(slots=True)
class State:
    """Everything that `Perception.dump` writes. `hourly_kwh` are rows of energy by zone
    from `hourly_start` on, as of the last `dump`."""

    hourly_start: datetime
    hourly_kwh: list[list[float]]
    evse_status: list[int]
    temperature_c: float = 20.0
    rain: float = 0.0
    sessions: dict[str, OpenSession] = field(default_factory=dict)
    requests: dict[str, OpenRequest] = field(default_factory=dict)
    reservations: dict[int, Reservation] = field(default_factory=dict)
    passed_over: int = 0
    needs: dict[str, Needs] = field(default_factory=dict)  # by EVSE
    heard_s: list[float | None] = field(default_factory=list)  # by station, as of the last `dump`: when it last said something
    station_kwh: list[float] = field(default_factory=list)  # by station, as of the last `dump`, fading
    station_at: datetime | None = None  # until when it has faded
    station_since: datetime | None = None  # from when on it was counted
