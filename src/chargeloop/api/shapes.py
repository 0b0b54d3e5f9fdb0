"""The shapes of the API's answers, as documented by OpenAPI. Inputs are checked strictly; outputs are built by our own code."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from chargeloop.model import Current, Decision, Reservation, Session, Sort, Tier
from chargeloop.persistence import SignedRow


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class Health(Shape):
    status: Literal["ok"]
    now: datetime
    speed: float
    last_event_age_s: float | None
    version: str


class ZoneShape(Shape):
    zone_id: str
    lon: float
    lat: float
    radius_m: float
    land_use: str


class StationShape(Shape):
    station_id: str
    name: str
    operator_id: str
    zone_id: str
    lon: float
    lat: float
    site_type: str
    ac_bays: int
    dc_bays: int
    power_kw: float
    tariff_id: str
    ocpp_bays: int


class ModelShape(Shape):
    model_id: str
    name: str
    battery_kwh: float
    ac_kw: float
    dc_kw: float


class CityShape(Shape):
    name: str
    note: str
    time_zone: str
    bounds: tuple[float, float, float, float]
    zones: list[ZoneShape]
    stations: list[StationShape]
    models: list[ModelShape]


class LiveStations(Shape):
    """Columns in the order of the city's stations. Waits are null where a station has no such pool or no usable bay."""

    free: list[int]
    busy: list[int]
    queue: list[int]
    inbound: list[int]
    out_of_order: list[int]
    wait_ac_min: list[float | None]
    wait_dc_min: list[float | None]
    power_kw: list[float]


class Kpis(Shape):
    bays: int
    busy_bays: int
    load_kw: float
    limit_kw: float
    drivers_waiting: int
    waiting_30: int
    waiting_60: int
    requests_today: int
    sessions_today: int
    energy_kwh_today: float
    amount_today: Decimal
    kg_co2_today: float
    minutes_saved_today: float
    served_share: float | None
    mean_wait_min: float | None
    plan_gap: float | None = None


class Live(Shape):
    at: datetime
    stations: LiveStations
    kpis: Kpis
    moving: int


class PoolShape(Shape):
    current: Current
    bays: int
    free: int
    queue: int
    inbound: int
    wait_now_min: float | None
    wait_30_min: float | None
    wait_60_min: float | None
    wait_bands_min: list[tuple[float | None, float | None]]  # 0.1- and 0.9-quantile now, in 30 and in 60 minutes


class BaySession(Shape):
    session_id: str
    id_token: str
    started_at: datetime
    energy_kwh: float
    needed_kwh: float | None
    depart_by: datetime | None
    charge_ended: bool
    plan_start: datetime | None
    plan_step_s: int
    plan_kw: list[float]


class BayShape(Shape):
    evse_id: str
    current: Current
    power_kw: float
    status: str
    ocpp: bool
    connected: bool
    power_now_kw: float
    limit_kw: float | None
    reserved_until: datetime | None
    session: BaySession | None


class HourPrice(Shape):
    hour: int
    energy: Decimal
    service: Decimal


class DecisionSummary(Shape):
    decision_id: str
    request_id: str
    at: datetime
    station_id: str | None
    total_min: float | None
    drive_min: float | None
    wait_min: float | None
    charge_min: float | None
    amount: Decimal | None
    why: str

    @classmethod
    def of(cls, decision: Decision) -> "DecisionSummary":
        offer = decision.chosen
        return cls(
            decision_id=decision.decision_id,
            request_id=decision.request_id,
            at=decision.at,
            station_id=offer.station_id if offer else None,
            total_min=offer.total_min if offer else None,
            drive_min=offer.drive_min if offer else None,
            wait_min=offer.wait_min if offer else None,
            charge_min=offer.charge_min if offer else None,
            amount=offer.amount if offer else None,
            why=decision.why,
        )


class StationDetail(Shape):
    at: datetime
    station: StationShape
    load_kw: float
    limit_kw: float
    pools: list[PoolShape]
    bays: list[BayShape]
    prices: list[HourPrice]
    recent: list[Session]
    decisions: list[DecisionSummary]


class ForecastShape(Shape):
    """kWh in each hour and zone at three quantiles; `total` is the city's."""

    origin: datetime
    hours: list[datetime]
    zone_ids: list[str]
    q10: list[list[float]]
    q50: list[list[float]]
    q90: list[list[float]]
    total: dict[Literal["q10", "q50", "q90"], list[float]]


class CircuitShape(Shape):
    circuit_id: str
    kind: str
    parent_id: str | None
    limit_kw: float
    load_kw: float
    base_kw: float
    planned_kw: float
    shadow_price: float


class Energy(Shape):
    at: datetime
    circuits: list[CircuitShape]


class PlaceIn(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    lon: Annotated[float, Field(ge=-180, le=180)]
    lat: Annotated[float, Field(ge=-90, le=90)]


class RecommendIn(BaseModel):
    """Where a driver is, the battery (0..1), and by when to leave: `depart_by`, or `stay_min` from now.

    `destination`: where the driver is heading; `depot_station_id`: the vehicle's own station; `v2g`: willing to give energy
    back; `planned_kwh`: what is needed before the next charge.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    lon: Annotated[float, Field(ge=-180, le=180)]
    lat: Annotated[float, Field(ge=-90, le=90)]
    soc: Annotated[float, Field(ge=0, le=1)]
    model_id: str
    target_soc: Annotated[float, Field(gt=0, le=1)] = 0.8
    depart_by: Annotated[datetime | None, Field(strict=False)] = None
    stay_min: Annotated[float, Field(gt=0, le=7 * 24 * 60)] = 120.0
    current: Annotated[Current, Field(strict=False)] = Current.DC
    tier: Annotated[Tier, Field(strict=False)] = Tier.PRIVATE
    sort: Annotated[Sort, Field(strict=False)] = Sort.SOONEST
    destination: PlaceIn | None = None
    depot_station_id: str | None = None
    v2g: bool = False
    planned_kwh: Annotated[float | None, Field(ge=0)] = None


class NotNow(Shape):
    """`cheaper_from`: the better time; `saves_min`: minutes of the driver's wait and of others' that coming then saves."""

    advised: bool
    cheaper_from: datetime | None
    saves: Decimal
    saves_min: float = 0.0
    needless: bool = False
    why: str = ""


class Recommendation(Shape):
    decision: Decision
    not_now: NotNow


class ReserveIn(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    decision_id: str
    station_id: str


class Reserved(Shape):
    reservation: Reservation
    evse_id: str | None
    route: dict[str, object]


class Outcome(Shape):
    realised_wait_min: float | None
    realised_amount: Decimal | None


class Taken(Shape):
    """The promise that the driver took: of the chosen station, or of another offer. `came`: null while it is not over."""

    station_id: str
    wait_min: float
    wait_p90_min: float
    amount: Decimal
    came: Literal["kept", "elsewhere", "gave_up"] | None


class DecisionDetail(Shape):
    decision: Decision
    outcome: Outcome | None
    taken: Taken | None = None
    can_replay: bool = False


class StandingShape(Shape):
    """How the promises of a group were kept; see `persistence.Standing`. Amounts in CNY."""

    group: str
    made: int
    kept: int
    elsewhere: int
    gave_up: int
    open: int
    waits: int
    promised_wait_min: float | None
    realised_wait_min: float | None
    wait_error_min: float | None
    wait_error_p95_min: float | None
    within_p90: float | None
    waits_promised: int
    within_p90_where_any: float | None
    promised_amount: Decimal | None
    realised_amount: Decimal | None
    amount_same: float | None


class BinShape(Shape):
    """Waits by the 0.9-quantile that was promised; `realised_p90_min`: that of the waits that came."""

    low_min: float
    high_min: float | None
    waits: int
    promised_p90_min: float
    realised_p90_min: float
    within: float


class Promises(Shape):
    by: Literal["station", "operator"]
    since: datetime
    until: datetime
    total: StandingShape
    rows: list[StandingShape]
    calibration: list[BinShape]


class PromisedDecision(Shape):
    decision_id: str
    at: datetime
    station_id: str
    came: Literal["kept", "elsewhere", "gave_up"] | None
    wait_min: float
    wait_p90_min: float
    realised_wait_min: float | None
    amount: Decimal
    realised_amount: Decimal | None


class ReplayIn(BaseModel):
    """`weights`: numbers, or "xN" for N times what it was; names as in `chargeloop replay --weights`."""

    model_config = ConfigDict(strict=True, extra="forbid")

    weights: dict[str, float | str] = {}
    solver: Literal["exact", "auction", "greedy", "genetic", "swarm"] | None = None
    outages: list[str] = []


class Replayed(Shape):
    """`exact`: with nothing changed it comes out as it is stored. `moved`: of the `requests` decided together, how many would
    have gone to another station."""

    then: Decision
    now: Decision
    exact: bool
    requests: int
    moved: int


class SignedShape(Shape):
    """A meter value that the meter has signed. `raw`: word for word as received."""

    at: datetime
    context: str
    encoding: str
    verdict: str
    why: str
    public_key: str
    raw: str

    @classmethod
    def of(cls, row: SignedRow) -> "SignedShape":
        known = {name: getattr(row, name) for name in cls.model_fields if name != "at"}
        return cls(at=datetime.fromtimestamp(row.at_s, UTC), **known)


class Problem(Shape):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
