"""The real gateway and the real store, on real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from chargeloop.gateway.ocpp import OcppGateway
from chargeloop.model import Event
from chargeloop.persistence import Store

NOW = datetime(2025, 6, 10, 9, 30, tzinfo=UTC)
KNOWN = frozenset({"E1", "E2", "E 3"})


Dial = Callable[..., Any]


class Wire:
    """A charge point's end of a socket, by hand."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._id = 0

    async def ask(self, action: str, payload: dict[str, Any], message_id: str | None = None) -> Any:
        """Send a call and return the next frame."""
        self._id += 1
        return await self.say(json.dumps([2, message_id or str(self._id), action, payload]))

    @staticmethod
    def encode(frame: list[Any]) -> str:
        return json.dumps(frame)

    @staticmethod
    def decode(text: str | bytes) -> Any:
        return json.loads(text)

    async def say(self, text: str) -> Any:
        await self.socket.send(text)
        return await self.heard()

    async def heard(self) -> Any:
        return json.loads(await asyncio.wait_for(self.socket.recv(), 5))

    async def start(self, meter: int = 1000, at: str = "2025-06-10T09:20:00Z", token: str = "T1") -> int:
        _, _, answer = await self.ask(
            "StartTransaction", {"connectorId": 1, "idTag": token, "meterStart": meter, "timestamp": at}
        )
        return int(answer["transactionId"])

    async def stop(self, transaction: int, meter: int = 6000, at: str = "2025-06-10T09:29:00Z", **more: Any) -> Any:
        return await self.ask("StopTransaction", {"transactionId": transaction, "meterStop": meter, "timestamp": at, **more})


def gateway_on(store: Store) -> OcppGateway:
    return OcppGateway(store, lambda: NOW, lambda evse_id: "S1" if evse_id in KNOWN else None, call_timeout_s=0.5)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    store = await Store.open(database_url)
    yield store
    await store.close()


@pytest.fixture
async def gateway(store: Store) -> AsyncIterator[OcppGateway]:
    gateway = gateway_on(store)
    await gateway.enrol(sorted(KNOWN))
    await gateway.start("127.0.0.1", 0)
    yield gateway
    await gateway.stop()


@pytest.fixture
async def dial(gateway: OcppGateway) -> AsyncIterator[Callable[..., Any]]:
    """Connect as a charge point."""
    sockets: list[ClientConnection] = []

    async def dialled(identity: str = "E1", port: int | None = None, version: str = "ocpp1.6") -> Wire:
        url = f"ws://127.0.0.1:{port or gateway.port}/ocpp/{identity}"
        sockets.append(await connect(url, subprotocols=[Subprotocol(version)], proxy=None))
        return Wire(sockets[-1])

    yield dialled
    for socket in sockets:
        await socket.close()


async def stored(store: Store) -> list[Event]:
    return [event async for _, event in store.events_after(0)]
