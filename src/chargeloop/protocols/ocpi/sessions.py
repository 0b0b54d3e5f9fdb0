"""Modules sessions, cdrs and invoicereconciliation: what was charged, and what it costs."""

from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from chargeloop.protocols.ocpi.kinds import (
    Bool,
    Ci32,
    Ci36,
    Ci39,
    Ci48,
    Ci255,
    DateTime,
    Integer,
    NotNegative,
    Number,
    Object,
    Owned,
    Price,
    Text3,
    Text10,
    Text20,
    Text45,
    Text255,
    Text512,
    Text5000,
    one_of,
)
from chargeloop.protocols.ocpi.locations import ConnectorFormat, ConnectorType, GeoLocation, PowerType
from chargeloop.protocols.ocpi.tariffs import Tariff
from chargeloop.protocols.ocpi.tokens import CdrToken, ProfileType

AuthMethod = Annotated[str, one_of("AUTH_REQUEST COMMAND WHITELIST")]
SessionStatus = Annotated[str, one_of("ACTIVE COMPLETED INVALID PENDING RESERVATION")]
ONLY_IN_SESSIONS = frozenset({"CURRENT", "ENERGY_EXPORT", "ENERGY_IMPORT", "POWER", "STATE_OF_CHARGE"})


class CdrDimension(Object):
    """kWh, h, kW, A or %; see the standard's table. ENERGY below zero: more was given back than taken."""

    type: Annotated[
        str,
        one_of(
            "CURRENT ENERGY ENERGY_EXPORT ENERGY_IMPORT MAX_CURRENT MIN_CURRENT MAX_POWER MIN_POWER PARKING_TIME POWER"
            " RESERVATION_TIME STATE_OF_CHARGE TIME"
        ),
    ]
    volume: Number


class ChargingPeriod(Object):
    """Ends where the next one starts, the last one with the session."""

    start_date_time: DateTime
    dimensions: Annotated[tuple[CdrDimension, ...], Field(min_length=1)]
    tariff_id: Ci36 | None = None

    def volume(self, dimension: str) -> Decimal:
        return sum((each.volume for each in self.dimensions if each.type == dimension), Decimal(0))


class Session(Owned):
    """`evse_uid` and `connector_id` are `#NA` while a reservation has none. No `total_cost`: not known, which is not free."""

    id: Ci36
    start_date_time: DateTime
    kwh: Number
    cdr_token: CdrToken
    auth_method: AuthMethod
    location_id: Ci36
    evse_uid: Ci36
    connector_id: Ci36
    currency: Text3
    status: SessionStatus
    last_updated: DateTime
    end_date_time: DateTime | None = None
    authorization_reference: Ci36 | None = None
    meter_id: Text255 | None = None
    charging_periods: tuple[ChargingPeriod, ...] = ()
    total_cost: Price | None = None


class ChargingPreferences(Object):
    """`energy_need` in kWh. `discharge_allowed`: energy may be given back; no, where nothing is said."""

    profile_type: ProfileType
    departure_time: DateTime | None = None
    energy_need: NotNegative | None = None
    discharge_allowed: Bool | None = None


class CdrLocation(Object):
    """A location as it was when the session began."""

    id: Ci36
    address: Text45
    city: Text45
    country: Text3
    coordinates: GeoLocation
    evse_uid: Ci36
    evse_id: Ci48
    connector_id: Ci36
    connector_standard: ConnectorType
    connector_format: ConnectorFormat
    connector_power_type: PowerType
    name: Text255 | None = None
    postal_code: Text10 | None = None
    state: Text20 | None = None


class SignedValue(Object):
    nature: Ci32  # Start, End, Intermediate
    plain_data: Text5000
    signed_data: Text5000


class SignedData(Object):
    """What the meter has signed. Encodings: OCMF, Alfen Eichrecht, EDL40 E-Mobility Extension, EDL40 Mennekes."""

    encoding_method: Ci36
    signed_values: Annotated[tuple[SignedValue, ...], Field(min_length=1)]
    encoding_method_version: Integer | None = None
    public_key: Text512 | None = None
    url: Text512 | None = None


class Cdr(Owned):
    """Never changed. A wrong one is answered by a credit CDR (`credited`) and a fresh one. Times in h, energy in kWh."""

    id: Ci39
    start_date_time: DateTime
    end_date_time: DateTime
    cdr_token: CdrToken
    auth_method: AuthMethod
    cdr_location: CdrLocation
    currency: Text3
    charging_periods: Annotated[tuple[ChargingPeriod, ...], Field(min_length=1)]
    total_cost: Price
    total_energy: Number
    total_time: NotNegative
    last_updated: DateTime
    session_id: Ci36 | None = None
    authorization_reference: Ci36 | None = None
    meter_id: Text255 | None = None
    tariffs: tuple[Tariff, ...] = ()
    signed_data: SignedData | None = None
    total_fixed_cost: Price | None = None
    total_energy_cost: Price | None = None
    total_time_cost: Price | None = None
    total_parking_time: NotNegative | None = None
    total_parking_cost: Price | None = None
    total_reservation_cost: Price | None = None
    remark: Text255 | None = None
    invoice_reference_id: Ci39 | None = None
    credit: Bool | None = None
    credit_reference_id: Ci39 | None = None
    home_charging_compensation: Bool | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.end_date_time < self.start_date_time:
            raise ValueError("end_date_time is before start_date_time")
        if bool(self.credit) != (self.credit_reference_id is not None):
            raise ValueError("a credit CDR, and none other, has credit_reference_id")
        if not self.credit and len(self.id) > 36:
            raise ValueError("id may have 36 characters; 39 are for a credit CDR")
        used = {dimension.type for period in self.charging_periods for dimension in period.dimensions}
        if used & ONLY_IN_SESSIONS:
            raise ValueError(f"{', '.join(sorted(used & ONLY_IN_SESSIONS))}: for sessions only")
        return self

    @property
    def charging_time(self) -> Decimal:
        """Hours in which the vehicle asked for power."""
        return self.total_time - (self.total_parking_time or Decimal(0))


def negated(price: Price) -> Price:
    """The same amount to be paid back."""
    given = ((name, getattr(price, name)) for name in ("excl_vat", "incl_vat", "before_taxes"))
    flipped: dict[str, Any] = {name: -value for name, value in given if value is not None}
    if price.taxes:
        flipped["taxes"] = tuple(each.model_copy(update={"amount": -each.amount}) for each in price.taxes)
    return price.model_copy(update=flipped)


def credited(cdr: Cdr, at: DateTime) -> Cdr:
    """The credit CDR that undoes one: all of it the same, only the total is negative, not its parts."""
    return cdr.model_copy(
        update={
            "id": f"{cdr.id[:36]}-CR",
            "credit": True,
            "credit_reference_id": cdr.id,
            "total_cost": negated(cdr.total_cost),
            "last_updated": at,
        }
    )


class InvoiceReconciliationRecord(Owned):
    """Which CDRs an invoice is made of (2.3.0-ed2). Credit CDRs have ids of 39 characters, so those are taken too."""

    id: Ci36
    invoice_id: Ci255
    cdrs: Annotated[tuple[Ci39, ...], Field(min_length=1)]
    last_updated: DateTime
