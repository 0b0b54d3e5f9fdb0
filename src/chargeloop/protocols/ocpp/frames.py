"""OCPP-J 1.6 frames: what one WebSocket text message holds."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

from chargeloop.model import ChargeloopError

SUBPROTOCOL = "ocpp1.6"
NO_ID = "-1"  # answers a frame whose id cannot be read, as OCPP 2.0.1 lays down; 1.6 has no rule
ID_LENGTH, DESCRIPTION_LENGTH = 36, 255


class ErrorCode(StrEnum):
    """Error codes under their 1.6 wire names. Two are misspelt in the specification, and the errata keep them so."""

    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    INTERNAL_ERROR = "InternalError"
    PROTOCOL_ERROR = "ProtocolError"
    SECURITY_ERROR = "SecurityError"
    FORMAT_VIOLATION = "FormationViolation"
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    OCCURRENCE_CONSTRAINT_VIOLATION = "OccurenceConstraintViolation"
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"
    GENERIC_ERROR = "GenericError"

    @classmethod
    def _missing_(cls, value: object) -> "ErrorCode":
        """Both spellings of the misspelt ones; anything unknown is a generic error."""
        return {
            "FormatViolation": cls.FORMAT_VIOLATION,
            "OccurrenceConstraintViolation": cls.OCCURRENCE_CONSTRAINT_VIOLATION,
        }.get(str(value), cls.GENERIC_ERROR)


@dataclass(frozen=True, slots=True)
class Call:
    message_id: str
    action: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CallResult:
    message_id: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CallError:
    message_id: str
    code: ErrorCode
    description: str = ""
    details: dict[str, Any] = field(default_factory=dict)


Frame: TypeAlias = Call | CallResult | CallError


class WireError(ChargeloopError):
    """A frame or message that breaks the protocol. `message_id`: to be answered with a CallError; None: not to be answered."""

    def __init__(self, code: ErrorCode, what: str, message_id: str | None = None) -> None:
        super().__init__(f"{code}: {what}")
        self.code, self.what, self.message_id = code, what, message_id

    def answer(self) -> CallError | None:
        return None if self.message_id is None else CallError(self.message_id, self.code, self.what)


def parse(text: str | bytes) -> Frame | None:
    """Read one frame; None for a message type that 1.6 does not know, which is to be ignored.

    Raises:
        WireError: no frame at all, or one whose parts don't fit.
    """
    try:
        parts = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(ErrorCode.FORMAT_VIOLATION, f"not JSON: {error}", NO_ID) from None
    match parts:
        case [2, str(message_id), str(action), dict(payload)] if message_id and len(message_id) <= ID_LENGTH:
            return Call(message_id, action, payload)
        case [2, str(message_id), *_] if message_id and len(message_id) <= ID_LENGTH:
            raise WireError(ErrorCode.FORMAT_VIOLATION, "a call is [2, id, action, {payload}]", message_id)
        case [3, str(message_id), dict(payload)]:
            return CallResult(message_id, payload)
        case [4, str(message_id), str(code), *rest]:
            details = rest[1] if len(rest) > 1 and isinstance(rest[1], dict) else {}
            return CallError(message_id, ErrorCode(code), str(rest[0]) if rest else "", details)
        case [3 | 4, *_]:
            raise WireError(ErrorCode.FORMAT_VIOLATION, "a damaged answer")  # only calls may be answered
        case [int(kind), *_] if kind != 2 and not isinstance(kind, bool):
            return None
    raise WireError(ErrorCode.FORMAT_VIOLATION, "a frame is a JSON array of type, id and what belongs to it", NO_ID)


def encode(frame: Frame) -> str:
    """Text of a frame."""
    parts: list[Any]
    match frame:
        case Call():
            parts = [2, frame.message_id, frame.action, frame.payload]
        case CallResult():
            parts = [3, frame.message_id, frame.payload]
        case CallError():
            parts = [4, frame.message_id, str(frame.code), frame.description[:DESCRIPTION_LENGTH], frame.details]
    return msgspec.json.encode(parts).decode()
