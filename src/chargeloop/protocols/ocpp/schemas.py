"""Message checks: the JSON schemas of the Open Charge Alliance, compiled once to decoders that check while they read.

The schemas come with the `ocpp` package. A decoder gives plain dictionaries in wire names; members no schema knows are dropped.
"""

import importlib.util
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, Required, TypedDict

import msgspec

from chargeloop.protocols.ocpp.frames import ErrorCode, Version, WireError

FOLDERS = {Version.V16: "v16", Version.V201: "v201", Version.V21: "v21"}
# What stations may call; everything else goes to them. DataTransfer goes both ways.
_NAMES = json.loads((Path(__file__).parent / "from_station.json").read_text(encoding="utf-8"))
CALLED_BY_STATION = {version: frozenset(_NAMES[version]) for version in Version}
SENT = frozenset({"NotifyPeriodicEventStream"})  # 2.1 only, and never answered
# Enumerations in which real stations deviate, harmlessly: text for the reader to judge.
LENIENT = {
    "StatusNotification": frozenset({"errorCode"}),
    "MeterValues": frozenset({"context", "format", "measurand", "phase", "location", "unit"}),
    "TransactionEvent": frozenset({"context", "measurand", "phase", "location", "triggerReason", "stoppedReason"}),
    "StopTransaction": frozenset({"context", "format", "measurand", "phase", "location", "unit", "reason"}),
}
LONGEST_NAME = 64  # of an action; file systems have a limit too
MAY_BE_EMPTY = frozenset({"sampledValue"})  # met in the field; says nothing, harms nobody
BASE: dict[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool}


@dataclass(frozen=True, slots=True)
class Checked:
    """A payload and what was wrong with it; nothing is, unless it was read leniently."""

    payload: dict[str, Any]
    problems: tuple[str, ...] = ()


def request(version: Version, action: str, payload: bytes | msgspec.Raw) -> dict[str, Any]:
    """Check and read a call's payload.

    Raises:
        WireError: with the code that the standard has for what is wrong.
    """
    return _read(_decoder(version, action, ""), payload)


def response(version: Version, action: str, payload: bytes | msgspec.Raw) -> dict[str, Any]:
    """Check and read the answer to a call.

    Raises:
        WireError: the answer does not fit its schema.
    """
    return _read(_decoder(version, action, "Response"), payload)


def salvage(version: Version, action: str, payload: bytes | msgspec.Raw) -> Checked:
    """Read what can be read of a payload that does not fit: of each member, and of each element of a list, what is sound.

    For messages that must not be refused for their content, for the station would discard them and the money with them.
    """
    try:
        raw = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Checked({}, (f"not JSON: {error}",))
    if not isinstance(raw, dict):
        return Checked({}, ("the payload is no object",))
    problems: list[str] = []
    members = _members(version, action)
    kept = {}
    for name, value in raw.items():
        if name in members:
            kind, _ = members[name]
            sound = _sound(value, kind, name, problems)
            if sound is not None:
                kept[name] = sound
    problems += [f"no {name}" for name, (_, required) in members.items() if required and name not in raw]
    return Checked(kept, tuple(problems))


def check(version: Version, action: str, payload: dict[str, Any], kind: Literal["", "Response"] = "") -> None:
    """Check what is about to be sent.

    Raises:
        WireError: the payload does not fit, or has a member that the schema doesn't know.
    """
    _read(_decoder(version, action, kind), msgspec.json.encode(payload))
    unknown = payload.keys() - schema(version, action, kind)["properties"].keys()
    if unknown:
        raise WireError(ErrorCode.FORMAT_VIOLATION, f"{action} has no {', '.join(sorted(unknown))}")


def from_station(version: Version) -> frozenset[str]:
    """The actions that stations of a version call."""
    return CALLED_BY_STATION[version]


def is_from_station(version: Version, action: str, *, is_sent: bool = False) -> bool:
    """Whether stations of that version call it, or send it (2.1) without wanting an answer."""
    return action in (SENT if is_sent and version is Version.V21 else CALLED_BY_STATION[version])


def actions_to_station(version: Version) -> tuple[str, ...]:
    """What the platform may call, in alphabetical order."""
    names = (path.name.removesuffix(".json").removesuffix("Request") for path in _folder(version).glob("*.json"))
    return tuple(
        sorted({name for name in names if not name.endswith("Response")} - CALLED_BY_STATION[version] - SENT | {"DataTransfer"})
    )


@cache
def schema(version: Version, action: str, kind: Literal["", "Response"] = "") -> dict[str, Any]:
    """The JSON schema of an action's call or answer.

    Raises:
        WireError: the version has no such action.
    """
    name = action + (kind or ("" if version is Version.V16 else "Request"))
    path = _folder(version) / f"{name}.json"
    if not action.isalnum() or len(action) > LONGEST_NAME or not path.is_file():
        raise WireError(ErrorCode.NOT_IMPLEMENTED, f"{version} has no action {action[:50]!r}")
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))
    return read


@cache
def _folder(version: Version) -> Path:
    package = importlib.util.find_spec("ocpp")
    assert package is not None  # a dependency of ours
    assert package.origin is not None
    return Path(package.origin).parent / FOLDERS[version] / "schemas"


# --- compiling ------------------------------------------------------------------------------------------------------------


@cache
def _decoder(version: Version, action: str, kind: Literal["", "Response"]) -> msgspec.json.Decoder[Any]:
    whole = schema(version, action, kind)
    return msgspec.json.Decoder(_Compiler(action, whole.get("definitions", {})).type_of(whole, action))


@cache
def _members(version: Version, action: str) -> dict[str, tuple[Any, bool]]:
    """Type of each member of a call, and whether it is required."""
    whole = schema(version, action)
    compiler = _Compiler(action, whole.get("definitions", {}))
    required = whole.get("required", ())
    return {name: (compiler.type_of(each, name), name in required) for name, each in whole.get("properties", {}).items()}


class _Compiler:
    """Types of one schema; those with a name are made once."""

    def __init__(self, action: str, definitions: dict[str, Any]) -> None:
        self._definitions, self._named = definitions, dict[str, Any]()
        self._lenient = LENIENT.get(action, frozenset())

    def type_of(self, part: dict[str, Any], name: str) -> Any:  # noqa: PLR0911 (one line for each kind of type)
        if "$ref" in part:
            return self._definition(part["$ref"].rsplit("/", 1)[1], name)
        if part.get("type") == "object" or "properties" in part:
            return self._object(part, name)
        if part.get("type") == "array":
            least = 0 if name in MAY_BE_EMPTY else part.get("minItems")
            return _limited(list[self.type_of(part["items"], name)], min_length=least, max_length=part.get("maxItems"))  # type: ignore[misc]
        if "enum" in part and name not in self._lenient:
            return Literal[tuple(part["enum"])]
        if part.get("format") == "date-time":
            return datetime
        if "type" not in part:
            return Any  # vendor data
        kind = BASE[part["type"]]
        least, most = (kind(part[name]) if name in part else None for name in ("minimum", "maximum"))  # 0.0 of an integer
        return _limited(kind, max_length=part.get("maxLength"), ge=least, le=most)

    def _definition(self, definition: str, name: str) -> Any:
        key = f"{definition}.{name}" if name in self._lenient else definition
        if key not in self._named:
            self._named[key] = self.type_of(self._definitions[definition], name)
        return self._named[key]

    def _object(self, part: dict[str, Any], name: str) -> Any:
        if name == "customData" or not part.get("properties"):
            return dict[str, Any]
        required = part.get("required", ())
        fields = {
            member: (Required if member in required else NotRequired)[self.type_of(each, member)]
            for member, each in part["properties"].items()
        }
        return TypedDict(name, fields)  # type: ignore[operator]


def _limited(kind: Any, **limits: float | None) -> Any:
    given = {name: value for name, value in limits.items() if value is not None}
    return Annotated[kind, msgspec.Meta(**given)] if given else kind  # type: ignore[call-overload]


# --- reading ------------------------------------------------------------------------------------------------------------


def _read(decoder: msgspec.json.Decoder[Any], payload: bytes | msgspec.Raw) -> dict[str, Any]:
    try:
        read: dict[str, Any] = decoder.decode(payload)
    except msgspec.ValidationError as error:
        raise WireError(_code(str(error)), str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(ErrorCode.FORMAT_VIOLATION, f"not JSON: {error}") from None
    return read


def _code(what: str) -> ErrorCode:
    if "missing required field" in what or "`array` of length" in what:
        return ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION
    if ", got `" in what:
        return ErrorCode.TYPE_CONSTRAINT_VIOLATION
    return ErrorCode.PROPERTY_CONSTRAINT_VIOLATION


def _sound(value: Any, kind: Any, where: str, problems: list[str]) -> Any:
    """A value of that type; of a list, its sound elements; None where nothing is."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        problems.append(f"{where}: {error}")
    if isinstance(value, list):
        element = msgspec.inspect.type_info(kind)
        if isinstance(element, msgspec.inspect.ListType):
            each_kind = _element_of(kind)
            return [each for each in (_sound(each, each_kind, where, problems) for each in value) if each is not None]
    return value[:255] if isinstance(value, str) and kind is not datetime and _is_text(kind) else None


def _element_of(kind: Any) -> Any:
    listed = kind.__origin__ if hasattr(kind, "__metadata__") else kind
    return listed.__args__[0]


def _is_text(kind: Any) -> bool:
    return kind is str or (hasattr(kind, "__metadata__") and kind.__origin__ is str)
