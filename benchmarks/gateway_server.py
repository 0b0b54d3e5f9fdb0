"""Our OCPP gateway as it ships, alone in a process, on an SQLite file: each message durable before it is answered."""

import argparse
import asyncio
import signal
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.gateway_load import identity, raise_open_files
from chargeloop.gateway.ocpp import OcppGateway
from chargeloop.persistence import Store


async def _serve(database: Path, port: int, count: int) -> None:
    store = await Store.open(database)
    known = frozenset(identity(number) for number in range(count))
    gateway = OcppGateway(store, lambda: datetime.now(UTC), lambda evse_id: "S1" if evse_id in known else None)
    await gateway.enrol(sorted(known))
    await gateway.start("127.0.0.1", port)
    print(gateway.port, flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    await gateway.stop()
    await store.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("database", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--count", type=int, required=True, help="charge points that are known")
    args = parser.parse_args()
    raise_open_files()
    asyncio.run(_serve(args.database, args.port, args.count))


if __name__ == "__main__":
    main()
