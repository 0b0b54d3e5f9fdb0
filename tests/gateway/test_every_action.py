"""Every call that chargers make, in every version, at its smallest: the answer fits its schema."""

import json
from typing import Any

import pytest
from ocpp.messages import CallResult, validate_payload

from chargeloop.gateway.ocpp import OcppGateway
from chargeloop.protocols.ocpp import Version, from_station, schema
from tests.gateway.conftest import Dial

ACTIONS = [(version, action) for version in Version for action in sorted(from_station(version))]


def smallest(version: Version, action: str) -> Any:
    whole = schema(version, action)
    return _least(whole, whole.get("definitions", {}))


def _least(part: dict[str, Any], named: dict[str, Any]) -> Any:
    if "$ref" in part:
        return _least(named[part["$ref"].rsplit("/", 1)[1]], named)
    if "enum" in part:
        return part["enum"][0]
    text = "2025-06-10T09:20:00Z" if part.get("format") == "date-time" else "x"
    plain = {"string": text, "integer": 1, "number": 1.0, "boolean": True, None: "x"}
    kind = part.get("type")
    if kind == "object":
        return {name: _least(part["properties"][name], named) for name in part.get("required", ())}
    return [_least(part["items"], named)] * part.get("minItems", 0) if kind == "array" else plain[kind]


@pytest.mark.parametrize(("version", "action"), ACTIONS)
async def test_the_smallest_call_is_answered(dial: Dial, gateway: OcppGateway, version: Version, action: str) -> None:
    wire = await dial(version=str(version))
    kind, message_id, payload = (await wire.ask(action, smallest(version, action)))[:3]
    assert kind == 3
    await validate_payload(CallResult(message_id, payload, action), version.removeprefix("ocpp"))
    assert (await wire.ask("Heartbeat", {}))[0] == 3
    assert not [each for each in gateway.chargers["E1"].problems if "failed on it" in each]


async def test_streams_are_not_answered(dial: Dial) -> None:
    wire = await dial(version="ocpp2.1")
    stream = {"id": 1, "pending": 0, "basetime": "2025-06-10T09:20:00Z", "data": [{"t": 1.0, "v": "7"}]}
    await wire.socket.send(json.dumps([6, "s", "NotifyPeriodicEventStream", stream]))
    assert (await wire.ask("Heartbeat", {}, "h"))[1] == "h"
