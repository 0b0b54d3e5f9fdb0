"""Our OCPP gateway as it ships, alone in a process, on an SQLite file: each message durable before it is answered."""

import argparse
import asyncio
import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import structlog

from benchmarks.gateway_load import identity, key_of
from chargeloop.gateway.ocpp import OcppGateway, prepare_process
from chargeloop.persistence import Store
from chargeloop.pki import Credentials, Pair, Tls


async def _serve(folder: Path, port: int, count: int, credentials: Credentials | None) -> None:
    store = await Store.open(folder / "gateway.db")
    gateway = OcppGateway(store, lambda: datetime.now(UTC), lambda _evse_id: "S1")
    if not (folder / "passwords.json").exists():
        await _adopt(gateway, folder, count, security_profile=1 if credentials is None else 2)
    if credentials is None:
        await gateway.start("127.0.0.1", port)
    else:
        await gateway.start("127.0.0.1", 0, credentials, port)
    prepare_process()
    print(gateway.port if credentials is None else gateway.tls_port, flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    await gateway.stop()
    await store.close()


async def _adopt(gateway: OcppGateway, folder: Path, count: int, security_profile: int) -> None:
    """Let all charge points in, each with a password of its own."""
    names = [identity(number) for number in range(count)]
    adopted = await asyncio.gather(*(gateway.adopt(each, [each], security_profile) for each in names))
    passwords = {registration.charger_id: password for registration, password in adopted}
    (folder / "passwords.json").write_text(json.dumps(passwords))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="of the database; the charge points' passwords are written beside it")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--count", type=int, required=True, help="charge points that are adopted")
    parser.add_argument("--certificate", type=Path)
    args = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # nobody reads on at stdout
    credentials = None
    if args.certificate:
        pair = Pair(args.certificate, key_of(args.certificate))
        credentials = Credentials(Tls((pair,), client_ca=args.certificate))  # as it ships: asks for client certificates
    asyncio.run(_serve(args.folder, args.port, args.count, credentials))


if __name__ == "__main__":
    main()
