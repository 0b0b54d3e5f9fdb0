"""What makes and models do in their own way: read from the files of `quirks/`, matched by what a charger says of itself.

What all chargers are forgiven is not here; the ledger, the meter and the message checks see to it.
"""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from chargeloop.model import BadInput, StopReason
from chargeloop.persistence import Registration
from chargeloop.protocols.ocpp import Ended, Fact, Ledger, Started

FOLDER = Path(__file__).parent / "quirks"
REGISTER = "Energy.Active.Import.Register"
METERS = ("meterStart", "meterStop")


class Quirks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`register_in_kwh`: the register counts kWh, and says Wh. `local_time`: times without a zone are the place's own.

    `start_ends`: a second StartTransaction of the token that charges is the stop. `start_answer_delay_s`: how long the answer
    to StartTransaction waits. `rate_unit`: of limits, until the charger itself names one.
    """

    register_in_kwh: bool = False
    local_time: bool = False
    start_ends: bool = False
    start_answer_delay_s: Annotated[float, msgspec.Meta(ge=0, le=5)] = 0.0
    rate_unit: Literal["W", "A"] | None = None


class Make(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: whom it is about (`*` stands for anything, case does not count), and who found out."""

    source: Annotated[str, msgspec.Meta(min_length=10)]
    vendor: str
    model: str
    firmware: str
    quirks: Quirks

    def fits(self, vendor: str, model: str, firmware: str) -> bool:
        said = ((vendor, self.vendor), (model, self.model), (firmware, self.firmware))
        return all(fnmatchcase(is_.casefold(), pattern.casefold()) for is_, pattern in said)


def read_makes(folder: Path) -> tuple[Make, ...]:
    """All files of a folder, in the order of their names.

    Raises:
        BadInput: naming the file and what is wrong with it.
    """
    return tuple(_read(path) for path in sorted(folder.glob("*.toml")))


def _read(path: Path) -> Make:
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Make)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise BadInput(f"quirks file {path.name}", str(error)) from None


@cache
def known_makes() -> tuple[Make, ...]:
    return read_makes(FOLDER)


@cache
def quirks_of(vendor: str, model: str, firmware: str) -> Quirks:
    """Those of the first file that fits."""
    return next((each.quirks for each in known_makes() if each.fits(vendor, model, firmware)), Quirks())


def quirks_at(registration: Registration) -> Quirks:
    return quirks_of(registration.vendor, registration.model, registration.firmware)


# --- what they change in a message ------------------------------------------------------------------------------------------


def adjusted(said: dict[str, Any], quirks: Quirks, zone: str) -> dict[str, Any]:
    """A checked request as another charger would have sent it."""
    if quirks.local_time:
        said = _zoned(said, ZoneInfo(zone))
    if quirks.register_in_kwh:
        said = _in_kwh(said) | {name: said[name] * 1000 for name in METERS if name in said}
    return said


def as_end(fact: Fact, ledger: Ledger) -> Fact:
    """The stop that a second start stands for; its register says nothing."""
    if not isinstance(fact, Started) or ledger.knows(fact):
        return fact
    running = ledger.at_evse(ledger.evse_of(None, fact.connector))
    if running is None or running.id_token != fact.id_token or fact.at < running.started_at:
        return fact
    running.told = fact.told  # so that it is known when it is told again
    note = "ended by a second start, as chargers of this model do"
    return Ended(wire_id=running.wire_id, connector=fact.connector, at=fact.at, reason=StopReason.OTHER, notes=(note,))


def _zoned(value: Any, zone: ZoneInfo) -> Any:
    match value:
        case datetime() if value.tzinfo is None:
            return value.replace(tzinfo=zone)
        case dict():
            return {name: _zoned(each, zone) for name, each in value.items()}
        case list():
            return [_zoned(each, zone) for each in value]
    return value


def _in_kwh(value: Any) -> Any:
    match value:
        case Mapping() if "value" in value and value.get("measurand", REGISTER) == REGISTER:
            return {**value, "unit": "kWh"}
        case Mapping():
            return {name: _in_kwh(each) for name, each in value.items()}
        case list():
            return [_in_kwh(each) for each in value]
    return value
