"""A server on the PyPI package `ocpp`, at its best setting with validation on. It stores nothing, which is generous to it.

Best: each message validated where it is read (`ASYNC_VALIDATION` would hand it to a thread and back), frames not compressed,
its log silent, and the event loop of uvloop.
"""

import argparse
import asyncio
import logging
import ssl
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import ocpp.messages
import uvloop
from ocpp.routing import on
from ocpp.v16 import ChargePoint as Base
from ocpp.v16 import call_result
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v16.enums import Action, AuthorizationStatus, RegistrationStatus
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from benchmarks.gateway_load import key_of, raise_open_files

TRANSACTIONS = count(1)
ACCEPTED = IdTagInfo(status=AuthorizationStatus.accepted)


class ChargePoint(Base):  # type: ignore[misc]  # the package has no types that mypy finds
    @on(Action.boot_notification)  # type: ignore[untyped-decorator]
    def booted(self, **_said: Any) -> call_result.BootNotification:
        now = datetime.now(UTC).isoformat()
        return call_result.BootNotification(current_time=now, interval=300, status=RegistrationStatus.accepted)

    @on(Action.start_transaction)  # type: ignore[untyped-decorator]
    def started(self, **_said: Any) -> call_result.StartTransaction:
        return call_result.StartTransaction(transaction_id=next(TRANSACTIONS), id_tag_info=ACCEPTED)

    @on(Action.meter_values)  # type: ignore[untyped-decorator]
    def told(self, **_said: Any) -> call_result.MeterValues:
        return call_result.MeterValues()


async def _serve(port: int, tls: ssl.SSLContext | None) -> None:
    async def connected(connection: ServerConnection) -> None:
        assert connection.request is not None
        try:
            await ChargePoint(connection.request.path.rpartition("/")[2], connection).start()
        except ConnectionClosed:
            return

    subprotocols = [Subprotocol("ocpp1.6")]
    async with serve(
        connected, "127.0.0.1", port, ssl=tls, subprotocols=subprotocols, compression=None, backlog=4096
    ) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--certificate", type=Path)
    args = parser.parse_args()
    raise_open_files()
    ocpp.messages.ASYNC_VALIDATION = False
    logging.getLogger("ocpp").setLevel(logging.CRITICAL)
    tls = None
    if args.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(args.certificate, key_of(args.certificate))
    uvloop.run(_serve(args.port, tls))


if __name__ == "__main__":
    main()
