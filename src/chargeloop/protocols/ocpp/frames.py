"""OCPP-J frames of all versions: what one WebSocket text message holds."""

from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from chargeloop.model import ChargeloopError

NO_ID = "-1"  # answers a frame whose id cannot be read, as OCPP 2.0.1 lays down; 1.6 has no rule
ID_LENGTH, DESCRIPTION_LENGTH = 36, 255


class Version(StrEnum):
    """Versions under the names of their WebSocket subprotocols."""

    V16 = "ocpp1.6"
    V201 = "ocpp2.0.1"
    V21 = "ocpp2.1"


class ErrorCode(StrEnum):
    """Error codes under their 2.x names."""

    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    INTERNAL_ERROR = "InternalError"
    PROTOCOL_ERROR = "ProtocolError"
    SECURITY_ERROR = "SecurityError"
    FORMAT_VIOLATION = "FormatViolation"
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    OCCURRENCE_CONSTRAINT_VIOLATION = "OccurrenceConstraintViolation"
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"
    MESSAGE_TYPE_NOT_SUPPORTED = "MessageTypeNotSupported"
    RPC_FRAMEWORK_ERROR = "RpcFrameworkError"
    GENERIC_ERROR = "GenericError"

    @classmethod
    def _missing_(cls, value: object) -> "ErrorCode":
        """Also the names of 1.6; anything unknown is a generic error."""
        return next((code for code, name in NAMES_16.items() if name == value), cls.GENERIC_ERROR)


# Two are misspelt in 1.6, and its errata keep them so; the last two it does not have.
NAMES_16 = {
    ErrorCode.FORMAT_VIOLATION: "FormationViolation",
    ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION: "OccurenceConstraintViolation",
    ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED: "GenericError",
    ErrorCode.RPC_FRAMEWORK_ERROR: "FormationViolation",
}


class Call(msgspec.Struct, frozen=True):
    """`payload`: JSON of an object, not looked into yet when it was received."""

    message_id: str
    action: str
    payload: msgspec.Raw | dict[str, Any]


class CallResult(msgspec.Struct, frozen=True):
    message_id: str
    payload: msgspec.Raw | dict[str, Any]


class CallError(msgspec.Struct, frozen=True):
    message_id: str
    code: ErrorCode
    description: str = ""
    details: dict[str, Any] = {}


class CallResultError(CallError, frozen=True):
    """2.1: the other side could not read our answer to its call."""


class Send(msgspec.Struct, frozen=True):
    """2.1: told and never answered."""

    message_id: str
    action: str
    payload: msgspec.Raw | dict[str, Any]


Frame: TypeAlias = Call | CallResult | CallError | CallResultError | Send


class WireError(ChargeloopError):
    """A frame or message that breaks the protocol. `message_id`: to be answered with a CallError; None: not to be answered."""

    def __init__(self, code: ErrorCode, what: str, message_id: str | None = None) -> None:
        super().__init__(f"{code}: {what}")
        self.code, self.what, self.message_id = code, what, message_id

    def answer(self) -> CallError | None:
        return None if self.message_id is None else CallError(self.message_id, self.code, self.what)


Id: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=ID_LENGTH)]
_CALL = msgspec.json.Decoder(tuple[Literal[2], Id, str, msgspec.Raw])
_RESULT = msgspec.json.Decoder(tuple[Literal[3], str, msgspec.Raw])
_PARTS = msgspec.json.Decoder(list[msgspec.Raw])


def parse(text: str | bytes) -> Frame | None:
    """Read one frame; None for a message type that is unknown, which is to be ignored.

    Raises:
        WireError: no frame at all, or one whose parts don't fit.
    """
    try:
        _, message_id, action, payload = _CALL.decode(text)
        if memoryview(payload)[0] == ord("{"):
            return Call(message_id, action, payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # another kind of frame, or a damaged one: told apart below, where time does not matter
    try:
        parts = [msgspec.json.decode(each) for each in _PARTS.decode(text)]
        msgspec.json.decode(text)  # whole, so that nothing damaged hides behind the parts
    except msgspec.ValidationError:
        raise WireError(
            ErrorCode.RPC_FRAMEWORK_ERROR, "a frame is a JSON array of type, id and what belongs to it", NO_ID
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(ErrorCode.RPC_FRAMEWORK_ERROR, f"not JSON: {error}", NO_ID) from None
    return _frame(parts)


def _frame(parts: list[Any]) -> Frame | None:
    match parts:
        case [2, str(message_id), str(action), dict(payload)] if message_id and len(message_id) <= ID_LENGTH:
            return Call(message_id, action, payload)
        case [2, str(message_id), *_] if message_id and len(message_id) <= ID_LENGTH:
            raise WireError(ErrorCode.FORMAT_VIOLATION, "a call is [2, id, action, {payload}]", message_id)
        case [3, str(message_id), dict(payload)]:
            return CallResult(message_id, payload)
        case [4 | 5 as kind, str(message_id), str(code), *rest]:
            details = rest[1] if len(rest) > 1 and isinstance(rest[1], dict) else {}
            frame = CallError if kind == 4 else CallResultError
            return frame(message_id, ErrorCode(code), str(rest[0]) if rest else "", details)
        case [6, str(message_id), str(action), dict(payload)]:
            return Send(message_id, action, payload)
        case [3 | 4 | 5 | 6, *_]:
            raise WireError(ErrorCode.FORMAT_VIOLATION, "a damaged answer")  # only calls may be answered
        case [int(kind), *_] if kind != 2 and not isinstance(kind, bool):
            return None
    raise WireError(ErrorCode.RPC_FRAMEWORK_ERROR, "a frame is a JSON array of type, id and what belongs to it", NO_ID)


def encode(frame: Frame, version: Version = Version.V16) -> bytes:
    """UTF-8 text of a frame."""
    match frame:
        case Call():
            return msgspec.json.encode((2, frame.message_id, frame.action, frame.payload))
        case CallResult():
            return msgspec.json.encode((3, frame.message_id, frame.payload))
        case Send():
            return msgspec.json.encode((6, frame.message_id, frame.action, frame.payload))
        case CallError():
            kind = 5 if isinstance(frame, CallResultError) else 4
            code = NAMES_16.get(frame.code, frame.code.value) if version is Version.V16 else frame.code.value
            return msgspec.json.encode((kind, frame.message_id, code, frame.description[:DESCRIPTION_LENGTH], frame.details))
