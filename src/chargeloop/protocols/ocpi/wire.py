"""JSON without binary floats, the envelope around every answer, and the headers that a request is routed by."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import msgspec

from chargeloop.protocols.ocpi.kinds import read_time, same, write_time
from chargeloop.protocols.ocpi.status import Refused, Status

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")
JSON = "application/json"


def decode(body: bytes | str) -> Any:
    """JSON, numbers with a point as Decimal.

    Raises:
        Refused: 2001 and HTTP 400, it is no JSON.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, ArithmeticError, UnicodeError, RecursionError) as error:
        raise Refused(Status.BAD_PARAMETERS, f"is no JSON: {error}", http=400) from None


def encode(data: object) -> bytes:
    return _encoder.encode(data)


class Answer(NamedTuple):
    """What came in an envelope. `data` None: there was none."""

    status: int
    data: Any
    message: str | None
    timestamp: datetime


def envelope(status: int, at: datetime, data: object = None, message: str | None = None) -> dict[str, Any]:
    """`data` None: none is sent."""
    parts = {"data": data, "status_code": int(status), "status_message": message, "timestamp": write_time(at)}
    return {name: value for name, value in parts.items() if value is not None}


def opened(data: object) -> Answer:
    """An envelope as it was decoded.

    Raises:
        Refused: 3000, it is none.
    """
    try:
        if not isinstance(data, dict):
            raise ValueError("it is no object")
        status, timestamp = data["status_code"], read_time(data["timestamp"])
        if isinstance(status, bool) or not isinstance(status, int) or not 1000 <= status <= 9999:
            raise ValueError("status_code has four digits")
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(Status.SERVER_ERROR, f"the answer has no envelope of OCPI: {error}") from None
    message = data.get("status_message")
    return Answer(status, data.get("data"), message if isinstance(message, str) else None, timestamp)


# --- who speaks to whom -----------------------------------------------------------------------------------------------------


class Party(NamedTuple):
    country_code: str
    party_id: str

    def __str__(self) -> str:
        return f"{self.country_code}*{self.party_id}"

    @property
    def key(self) -> "Party":
        """As it is compared."""
        return Party(self.country_code.upper(), self.party_id.upper())

    def is_same(self, other: "Party | None") -> bool:
        return other is not None and same(self.country_code, other.country_code) and same(self.party_id, other.party_id)


@dataclass(frozen=True, slots=True)
class Headers:
    """`to` None: left out between two single parties, or open routing at a hub."""

    request_id: str
    correlation_id: str
    to: Party | None = None
    sender: Party | None = None

    def on_wire(self) -> dict[str, str]:
        headers = {"X-Request-ID": self.request_id, "X-Correlation-ID": self.correlation_id}
        if self.to is not None:
            headers |= {"OCPI-to-country-code": self.to.country_code, "OCPI-to-party-id": self.to.party_id}
        if self.sender is not None:
            headers |= {"OCPI-from-country-code": self.sender.country_code, "OCPI-from-party-id": self.sender.party_id}
        return headers

    def answered_by(self, party: Party | None) -> "Headers":
        """Of the response: the same ids, addressee and sender swapped. `party`: who answers, where nobody was addressed."""
        return replace(self, to=self.sender, sender=self.to or party) if self.sender or self.to else self


def read_headers(headers: Mapping[str, str]) -> Headers:
    """Names in lower case. Ids that are missing stay empty.

    Raises:
        Refused: 2001, a party is named by half.
    """

    def party(which: str) -> Party | None:
        country, identifier = headers.get(f"ocpi-{which}-country-code"), headers.get(f"ocpi-{which}-party-id")
        if country is None and identifier is None:
            return None
        if country is None or identifier is None or len(country) != 2 or len(identifier) != 3:
            raise Refused(Status.BAD_PARAMETERS, f"OCPI-{which}-country-code and -party-id have 2 and 3 characters")
        return Party(country, identifier)

    return Headers(headers.get("x-request-id", ""), headers.get("x-correlation-id", ""), party("to"), party("from"))


# --- URLs -------------------------------------------------------------------------------------------------------------------


def joined(url: str, *parts: str) -> str:
    """An endpoint's URL, and parts of a path, each encoded, with exactly one slash between them."""
    return "/".join([url.rstrip("/"), *(quote(each, safe="") for each in parts)])


def path_parts(path: str) -> tuple[str, ...]:
    """The parts of a raw path, decoded."""
    return tuple(unquote(each) for each in path.strip("/").split("/")) if path.strip("/") else ()
