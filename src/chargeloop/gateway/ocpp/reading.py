"""Reading the payloads of a charger's calls: checked, and salvaged where refusing would lose money."""

from typing import Any

import structlog

from chargeloop.gateway.ocpp.connection import payload_bytes
from chargeloop.model import BadInput
from chargeloop.protocols.ocpp import (
    Call,
    CallResult,
    ErrorCode,
    Send,
    Version,
    WireError,
    is_from_station,
    request,
    response,
    salvage,
)

# Never refused for their content: the charger would discard them, and the money with them.
KEPT_ANYHOW = frozenset({"StartTransaction", "StopTransaction", "TransactionEvent", "MeterValues"})
log = structlog.get_logger()


def read_call(version: Version, call: Call | Send, *, is_adopted: bool) -> tuple[dict[str, Any], str | None]:
    """A call's payload, and what was odd about it.

    Raises:
        WireError: no station of that version makes it, or it does not fit and is none of those that are kept anyhow.
    """
    raw = payload_bytes(call.payload)
    if not is_from_station(version, call.action, is_sent=isinstance(call, Send)):
        raise unknown_action(version, call.action)
    try:
        return request(version, call.action, raw), None
    except WireError as error:
        if call.action not in KEPT_ANYHOW or not is_adopted:
            raise
        checked = salvage(version, call.action, raw)
        if call.action == "MeterValues" and "transactionId" not in checked.payload:
            raise
        return checked.payload, f"kept though {error.code}: {'; '.join(checked.problems)}"


def read_answer(version: Version, action: str, frame: CallResult) -> tuple[dict[str, Any], str, str]:
    """A charger's answer, and what is wrong with it. It is read all the same: what is looked for in it may be sound."""
    raw = payload_bytes(frame.payload)
    try:
        return response(version, action, raw), "", ""
    except WireError as error:
        log.warning("charger answered nonsense", action=action, what=error.what)
        return (frame.payload if isinstance(frame.payload, dict) else {}), str(error.code), error.what


def request_of_201(action: str, text: str) -> dict[str, Any]:
    """A message of 2.0.1 inside one of 1.6.

    Raises:
        BadInput: it does not fit.
    """
    try:
        return request(Version.V201, action, text.encode())
    except WireError as error:
        raise BadInput(action, error.what) from None


def unknown_action(version: Version, action: str) -> WireError:
    """The error for a call that no station of that version makes."""
    try:
        request(version, action, b"{}")
    except WireError as error:
        if error.code is ErrorCode.NOT_IMPLEMENTED:
            return error
    return WireError(ErrorCode.NOT_SUPPORTED, f"{action} is nothing that a charger asks")


def names_of(said: dict[str, Any]) -> dict[str, str]:
    """What a charger calls itself as it boots."""
    station = said.get("chargingStation", {})
    return {
        "vendor": said.get("chargePointVendor") or station.get("vendorName", ""),
        "model": said.get("chargePointModel") or station.get("model", ""),
        "serial": said.get("chargePointSerialNumber") or said.get("chargeBoxSerialNumber") or station.get("serialNumber", ""),
        "firmware": said.get("firmwareVersion") or station.get("firmwareVersion", ""),
    }


def text_of(frame: bytes) -> str:
    """As the database can keep it."""
    return frame.decode("utf-8", "replace").replace("\x00", "\ufffd")
