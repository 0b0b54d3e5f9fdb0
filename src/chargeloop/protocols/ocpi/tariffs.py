"""Module tariffs: what charging costs."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from chargeloop.protocols.ocpi.kinds import (
    NEEDED_SINCE_230,
    Ci36,
    Clock,
    Count,
    DateTime,
    Day,
    DisplayText,
    EnergyMix,
    NotNegative,
    Number,
    Object,
    Owned,
    Price,
    Text3,
    Url,
    one_of,
)

TaxIncluded = Annotated[str, one_of("YES NO N/A")]
ENERGY, TIME, PARKING_TIME, FLAT = "ENERGY", "TIME", "PARKING_TIME", "FLAT"
RESERVATION, RESERVATION_EXPIRES = "RESERVATION", "RESERVATION_EXPIRES"


class PriceLimit(Price):
    """`min_price` or `max_price`: a Price in 2.2.1, in 2.3.0 amounts before and after taxes."""

    after_taxes: Number | None = None


class PriceComponent(Object):
    """Per kWh, per hour or once. `step_size` in Wh or s; it has no meaning for FLAT."""

    type: Annotated[str, one_of("ENERGY TIME PARKING_TIME FLAT")]
    price: Number
    step_size: Count
    vat: Annotated[NotNegative, Field(le=100)] | None = None  # %; None: not applicable, which is not 0


class TariffRestrictions(Object):
    """All that are given must hold. Dates and times are those of the location; begins are in, ends are not."""

    start_time: Clock | None = None
    end_time: Clock | None = None
    start_date: Day | None = None
    end_date: Day | None = None
    min_kwh: NotNegative | None = None
    max_kwh: NotNegative | None = None
    min_current: NotNegative | None = None
    max_current: NotNegative | None = None
    min_power: NotNegative | None = None
    max_power: NotNegative | None = None
    min_duration: Count | None = None
    max_duration: Count | None = None
    day_of_week: tuple[
        Annotated[str, one_of("MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY")],
        ...,
    ] = ()
    reservation: Annotated[str, one_of("RESERVATION RESERVATION_EXPIRES")] | None = None


class TariffElement(Object):
    price_components: Annotated[tuple[PriceComponent, ...], Field(min_length=1)]
    restrictions: TariffRestrictions | None = None

    @model_validator(mode="after")
    def _reservable(self) -> Self:
        if self.reservation is not None and any(each.type in (ENERGY, PARKING_TIME) for each in self.price_components):
            raise ValueError("of a reservation only FLAT and TIME can be priced")
        return self

    @property
    def reservation(self) -> str | None:
        return None if self.restrictions is None else self.restrictions.reservation


class Tariff(Owned):
    id: Ci36
    currency: Text3  # ISO 4217
    elements: Annotated[tuple[TariffElement, ...], Field(min_length=1)]
    last_updated: DateTime
    type: Annotated[str, one_of("AD_HOC_PAYMENT PROFILE_CHEAP PROFILE_FAST PROFILE_GREEN REGULAR")] | None = None
    tariff_alt_text: tuple[DisplayText, ...] = ()
    tariff_alt_url: Url | None = None
    min_price: PriceLimit | None = None
    max_price: PriceLimit | None = None
    tax_included: Annotated[TaxIncluded | None, NEEDED_SINCE_230] = None
    start_date_time: DateTime | None = None
    end_date_time: DateTime | None = None
    energy_mix: EnergyMix | None = None
