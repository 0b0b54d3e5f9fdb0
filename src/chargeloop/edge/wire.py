"""Small things that are read out of messages of any version."""

from collections.abc import Mapping
from typing import Any

import msgspec

from chargeloop.protocols.ocpp import Call, CallResult


def payload_of(frame: Call | CallResult) -> dict[str, Any]:
    """A frame's payload as plain data; of a call or an answer as it was received."""
    payload: dict[str, Any] = frame.payload if isinstance(frame.payload, dict) else msgspec.json.decode(frame.payload)
    return payload


def token_in(said: Mapping[str, Any]) -> str | None:
    """The token that a message is about."""
    token = said.get("idTag", said.get("idToken"))
    token = token.get("idToken") if isinstance(token, dict) else token
    return token if isinstance(token, str) else None


def token_info_in(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """What an answer says about it."""
    info = answer.get("idTagInfo") or answer.get("idTokenInfo")
    return info if isinstance(info, dict) else None


def new_password_in(said: Mapping[str, Any]) -> str | None:
    """What a ChangeConfiguration (1.6) or SetVariables (2.x) makes the charger's password."""
    if said.get("key") == "AuthorizationKey":
        return str(said["value"])
    for each in said.get("setVariableData", ()):
        if each.get("variable", {}).get("name") == "BasicAuthPassword":
            return str(each["attributeValue"])
    return None
