"""The basic types of OCPI, and the model that all its objects are: versions are data, unknown fields are kept.

A model is checked for a version, which comes as the context of validation (`read`). Without one, as where we make an object
ourselves, it may have the fields and values of every version.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, Self, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PlainSerializer,
    StrictBool,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from chargeloop.protocols.ocpi.status import Refused, Status

Model = TypeVar("Model", bound="Object")


class Version(StrEnum):
    V221 = "2.2.1"
    V230 = "2.3.0"


class Interface(StrEnum):
    """Of a module: who owns the data is its sender."""

    SENDER = "SENDER"
    RECEIVER = "RECEIVER"


# --- scalars ----------------------------------------------------------------------------------------------------------------

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?")
LONGEST_DATE_TIME = 25


def read_time(text: str) -> datetime:
    """RFC 3339 with `Z` or without a suffix, which means UTC as well; no other offset.

    Raises:
        ValueError: it is something else.
    """
    if len(text) > LONGEST_DATE_TIME or not _DATE_TIME.fullmatch(text):
        raise ValueError(f"{text!r} is not like 2026-11-29T20:00:00Z")
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)


def write_time(at: datetime) -> str:
    """With `Z`, and fractions of a second down to the 0.1 ms for which there is room."""
    utc = at.astimezone(UTC)
    fraction = f".{utc.microsecond:06d}"[:5].rstrip("0").rstrip(".")
    return f"{utc:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def _time(value: object) -> object:
    if isinstance(value, str):
        return read_time(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    raise ValueError("a DateTime is a text")


def _number(value: object) -> object:
    if isinstance(value, Decimal | int) and not isinstance(value, bool) and Decimal(value).is_finite():
        return Decimal(value)
    raise ValueError("a number is needed")  # floats are not read: they are no longer what was sent


def _integer(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, Decimal | int) or value != int(value):
        raise ValueError("a whole number is needed")
    return int(value)


def _printable_ascii(value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        raise ValueError("may have printable ASCII characters only")
    return value


def _printable(value: str) -> str:
    if any(ord(each) < 32 and each not in "\r\n\t" for each in value):
        raise ValueError("may have printable characters only")
    return value


def _url(value: str) -> str:
    if not re.match(r"https?://[^\s/]+", value):
        raise ValueError("is not an http or https URL")
    return value


_ascii, _text = AfterValidator(_printable_ascii), AfterValidator(_printable)
DateTime = Annotated[datetime, BeforeValidator(_time), PlainSerializer(write_time)]
Number = Annotated[Decimal, BeforeValidator(_number)]
NotNegative = Annotated[Decimal, BeforeValidator(_number), Field(ge=0)]
Integer = Annotated[int, BeforeValidator(_integer)]
Count = Annotated[int, BeforeValidator(_integer), Field(ge=0)]
Bool = StrictBool
Url = Annotated[str, Field(max_length=255), AfterValidator(_url)]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]  # local
Day = Annotated[str, Field(pattern=r"^[12]\d{3}-(0[1-9]|1[012])-(0[1-9]|[12]\d|3[01])$")]  # local
# CiString: compared without case (`same`), kept as it was spelt.
Country: TypeAlias = Annotated[str, Field(min_length=2, max_length=2), _ascii]
PartyId: TypeAlias = Annotated[str, Field(min_length=3, max_length=3), _ascii]
Ci4 = Annotated[str, Field(max_length=4), _ascii]
Ci5 = Annotated[str, Field(max_length=5), _ascii]
Ci25 = Annotated[str, Field(max_length=25), _ascii]
Ci32 = Annotated[str, Field(max_length=32), _ascii]
Ci36 = Annotated[str, Field(min_length=1, max_length=36), _ascii]
Ci39 = Annotated[str, Field(min_length=1, max_length=39), _ascii]
Ci48 = Annotated[str, Field(max_length=48), _ascii]
Ci255 = Annotated[str, Field(max_length=255), _ascii]
Text2 = Annotated[str, Field(max_length=2), _text]
Text3 = Annotated[str, Field(min_length=3, max_length=3), _text]
Text4 = Annotated[str, Field(max_length=4), _text]
Text10 = Annotated[str, Field(max_length=10), _text]
Text12 = Annotated[str, Field(max_length=12), _text]
Text16 = Annotated[str, Field(max_length=16), _text]
Text20 = Annotated[str, Field(max_length=20), _text]
Text45 = Annotated[str, Field(max_length=45), _text]
Text50 = Annotated[str, Field(max_length=50), _text]
Text64 = Annotated[str, Field(max_length=64), _text]
Text100 = Annotated[str, Field(max_length=100), _text]
Text255 = Annotated[str, Field(max_length=255), _text]
Text512 = Annotated[str, Field(max_length=512), _text]
Text5000 = Annotated[str, Field(max_length=5000), _text]


def same(one: str, other: str) -> bool:
    """Whether two CiStrings are equal."""
    return one.casefold() == other.casefold()


def one_of(values: str, new: str = "", old: str = "", is_open: bool = False) -> AfterValidator:
    """An enum: `values` of both versions, those `new` in 2.3.0, those only in the `old` 2.2.1.

    `is_open`: 2.3.0 takes any other value as well, as a text.
    """
    common, newer, older = (frozenset(each.split()) for each in (values, new, old))

    def check(value: str, info: ValidationInfo) -> str:
        known = common | (frozenset() if info.context == Version.V221 else newer)
        known |= frozenset() if info.context == Version.V230 else older
        if value in known or (is_open and info.context == Version.V230 and value):
            return value
        raise ValueError(f"is none of {', '.join(sorted(known))}")

    return AfterValidator(check)


# --- objects ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Only:
    """Marks a field that one version has and the other does not; `needed`: there it must be given."""

    version: Version
    needed: bool = False


SINCE_230, NEEDED_SINCE_230 = Only(Version.V230), Only(Version.V230, needed=True)
UNTIL_221, NEEDED_UNTIL_221 = Only(Version.V221), Only(Version.V221, needed=True)


class Object(BaseModel):
    """Any object of OCPI. What is not known is kept and given back, also a known field in a version that has none such."""

    model_config = ConfigDict(frozen=True, extra="allow")
    KEY: ClassVar[str] = "id"  # the field by which an owner's objects are told apart

    @model_validator(mode="wrap")
    @classmethod
    def _of_a_version(cls, data: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        version = info.context
        if version is None or not isinstance(data, Mapping):
            return handler(data)
        marks = _marks(cls)
        foreign = {name: data[name] for name, mark in marks.items() if mark.version != version and name in data}
        for name, mark in marks.items():
            if mark.needed and mark.version == version and data.get(name) is None:
                raise ValueError(f"{name} is needed in {version}")
        checked = handler({name: value for name, value in data.items() if name not in foreign})
        if foreign and checked.__pydantic_extra__ is not None:
            checked.__pydantic_extra__.update(foreign)
        return checked


@cache
def _marks(kind: type[Object]) -> dict[str, Only]:
    return {name: mark for name, field in kind.model_fields.items() for mark in field.metadata if isinstance(mark, Only)}


def read(kind: type[Model], data: object, version: Version) -> Model:
    """An object from decoded JSON (`decode`).

    Raises:
        Refused: 2001, naming the field and what is wrong with it.
    """
    try:
        return kind.model_validate(data, context=version)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or kind.__name__
        raise Refused(Status.BAD_PARAMETERS, f"{field}: {first['msg']}") from None


def write(thing: Object, version: Version) -> dict[str, Any]:
    """As data for `encode`: fields that were given and that the version has, and all that is unknown."""
    return _written(thing, thing.model_dump(exclude_unset=True), version)


def _written(thing: Object, dumped: dict[str, Any], version: Version) -> dict[str, Any]:
    marks, extra = _marks(type(thing)), thing.__pydantic_extra__ or {}
    kept: dict[str, Any] = {}
    for name, value in dumped.items():
        if name not in extra:
            mark = marks.get(name)
            if value is None or (mark is not None and mark.version != version):
                continue
            kept[name] = _inner(getattr(thing, name), value, version)
        else:
            kept[name] = value
    return kept


def _inner(field: object, dumped: Any, version: Version) -> Any:
    if isinstance(field, Object):
        return _written(field, dumped, version)
    if isinstance(field, tuple):
        return [_inner(each, data, version) for each, data in zip(field, dumped, strict=True)]
    return dumped


# --- what many objects have -------------------------------------------------------------------------------------------------


class DisplayText(Object):
    language: Text2
    text: Text512


class Image(Object):
    url: Url
    category: Annotated[str, one_of("CHARGER ENTRANCE LOCATION NETWORK OPERATOR OTHER OWNER", is_open=True)]
    type: Ci4
    thumbnail: Url | None = None
    width: Annotated[Count, Field(le=99_999)] | None = None
    height: Annotated[Count, Field(le=99_999)] | None = None


class BusinessDetails(Object):
    name: Text100
    website: Url | None = None
    logo: Image | None = None


class TaxAmount(Object):
    name: str
    amount: Number
    account_number: str | None = None
    percentage: Number | None = None


class Price(Object):
    """An amount of money. In 2.2.1 `excl_vat` and perhaps `incl_vat`, in 2.3.0 `before_taxes` and the taxes upon it."""

    excl_vat: Annotated[Number | None, NEEDED_UNTIL_221] = None
    incl_vat: Annotated[Number | None, UNTIL_221] = None
    before_taxes: Annotated[Number | None, NEEDED_SINCE_230] = None
    taxes: Annotated[tuple[TaxAmount, ...], SINCE_230] = ()

    @classmethod
    def of(cls, version: Version, before: Decimal, after: Decimal | None, percentage: Decimal | None = None) -> "Price":
        """`after` None: no tax is known of."""
        if version is Version.V221:
            return cls(excl_vat=before) if after is None else cls(excl_vat=before, incl_vat=after)
        if after is None or after == before:
            return cls(before_taxes=before)
        tax = TaxAmount(name="VAT", amount=after - before, percentage=percentage)
        return cls(before_taxes=before, taxes=(tax,))

    @property
    def before(self) -> Decimal:
        value = self.before_taxes if self.excl_vat is None else self.excl_vat
        return Decimal(0) if value is None else value

    @property
    def after(self) -> Decimal:
        """With tax; what is not said to be taxed counts as it is."""
        if self.excl_vat is not None:
            return self.excl_vat if self.incl_vat is None else self.incl_vat
        return self.before + sum((each.amount for each in self.taxes), Decimal(0))


class EnergySource(Object):
    source: Annotated[str, one_of("NUCLEAR GENERAL_FOSSIL COAL GAS GENERAL_GREEN SOLAR WIND WATER")]
    percentage: Annotated[NotNegative, Field(le=100)]


class EnvironmentalImpact(Object):
    category: Annotated[str, one_of("NUCLEAR_WASTE CARBON_DIOXIDE", is_open=True)]
    amount: NotNegative  # g/kWh


class EnergyMix(Object):
    is_green_energy: Bool
    energy_sources: tuple[EnergySource, ...] = ()
    environ_impact: tuple[EnvironmentalImpact, ...] = ()
    supplier_name: Text64 | None = None
    energy_product_name: Text64 | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.energy_sources and sum(each.percentage for each in self.energy_sources) != 100:
            raise ValueError("the energy sources do not add up to 100 %")
        return self


class Owned(Object):
    """An object of a party, which alone may change it."""

    country_code: Country
    party_id: PartyId
