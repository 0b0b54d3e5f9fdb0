"""Chargers of all versions that do whatever may happen, on real sockets and a real database; they know what they charged."""

import asyncio
import json
import shutil
from collections import defaultdict
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from chargeloop.gateway.ocpp import OcppGateway
from chargeloop.model import SessionEnded, SessionStarted
from chargeloop.persistence import Store

BEGIN = datetime(2025, 6, 10, 9, 0, tzinfo=UTC)
MODULUS = 1_000_000  # where the registers begin anew
VERSIONS = {"A": "ocpp1.6", "B": "ocpp2.0.1", "C": "ocpp2.1"}
CONNECTORS = (1, 2)
T = TypeVar("T")


@cache
def migrated() -> Path:
    """An empty database, made once."""
    path = Path(mkdtemp(prefix="chargeloop-random-")) / "empty.db"

    async def make() -> None:
        await (await Store.open(path)).close()

    asyncio.run(make())
    return path


@dataclass
class Charge:
    """A transaction as its charger knows it. `wire_id`: of 1.6, once the server has said it."""

    connector: int
    number: int
    start_wh: int
    used_wh: int = 0
    seq_no: int = 0
    wire_id: int | None = None
    is_over: bool = False


@dataclass
class Message:
    """To be told until it is answered."""

    message_id: str
    kind: str
    charge: Charge
    register_wh: int
    at: datetime
    seq_no: int


@dataclass
class Point:
    """A charger: what it has to tell, and what it was told is stored."""

    name: str
    version: str
    socket: ClientConnection | None = None
    registers: dict[int, int] = field(default_factory=lambda: {1: 1000, 2: 999_000})
    running: dict[int, Charge] = field(default_factory=dict)
    over: list[Charge] = field(default_factory=list)
    queue: list[Message] = field(default_factory=list)
    told: list[Message] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)

    @property
    def is_16(self) -> bool:
        return self.version == "ocpp1.6"

    def call(self, message: Message, message_id: str | None = None) -> list[Any]:
        action, payload = self._of_16(message) if self.is_16 else self._of_2(message)
        return [2, message_id or message.message_id, action, payload]

    def _of_16(self, said: Message) -> tuple[str, dict[str, Any]]:
        at, charge = said.at.isoformat(), said.charge
        wire_id = charge.wire_id if charge.wire_id is not None else -1
        match said.kind:
            case "start":
                start = {"connectorId": charge.connector, "idTag": f"T{charge.number}", "meterStart": said.register_wh}
                return "StartTransaction", {**start, "timestamp": at}
            case "stop":
                return "StopTransaction", {"transactionId": wire_id, "meterStop": said.register_wh, "timestamp": at}
        sample = {"timestamp": at, "sampledValue": [{"value": str(said.register_wh)}]}
        return "MeterValues", {"connectorId": charge.connector, "transactionId": wire_id, "meterValue": [sample]}

    def _of_2(self, said: Message) -> tuple[str, dict[str, Any]]:
        kind, trigger = {
            "start": ("Started", "Authorized"),
            "meter": ("Updated", "MeterValuePeriodic"),
            "stop": ("Ended", "EVDeparted"),
        }[said.kind]
        charge, at = said.charge, said.at.isoformat()
        payload = {
            "eventType": kind,
            "timestamp": at,
            "triggerReason": trigger,
            "seqNo": said.seq_no,
            "transactionInfo": {"transactionId": f"{self.name}-{charge.number}"},
            "evse": {"id": charge.connector, "connectorId": 1},
            "meterValue": [{"timestamp": at, "sampledValue": [{"value": said.register_wh}]}],
        }
        token = {"idToken": {"idToken": f"T{charge.number}", "type": "ISO14443"}}
        return "TransactionEvent", payload | (token if said.kind == "start" else {})


class RandomChargers(RuleBasedStateMachine):
    """Rules are what chargers, lines and servers do; what must always hold is below them."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self._database = Path(self._folder.name) / "random.db"
        shutil.copy(migrated(), self._database)
        self._runner = asyncio.Runner()
        self.now, self._numbers = BEGIN, 0
        self.points = {name: Point(name, version) for name, version in VERSIONS.items()}
        self._run(self._serve())

    def teardown(self) -> None:
        try:
            self._run(self._everybody_ends())
            self.what_ran_is_what_was_charged()
        finally:
            self._run(self._stop())
            self._runner.close()
            self._folder.cleanup()

    # --- what happens ---------------------------------------------------------------------------------------------------

    points_ = st.sampled_from(sorted(VERSIONS))
    connectors = st.sampled_from(CONNECTORS)

    @rule(name=points_)
    def comes(self, name: str) -> None:
        self._run(self._connect(self.points[name]))

    @rule(name=points_)
    def is_cut(self, name: str) -> None:
        self._run(self._cut(self.points[name]))

    @rule(name=points_, connector=connectors)
    def begins(self, name: str, connector: int) -> None:
        point = self.points[name]
        if connector not in point.running:
            charge = Charge(connector, self._number(), point.registers[connector])
            point.running[connector] = charge
            self._tell(point, charge, "start")

    @rule(name=points_, connector=connectors, wh=st.integers(0, 5000))
    def measures(self, name: str, connector: int, wh: int) -> None:
        self._draw(self.points[name], connector, wh, "meter")

    @rule(name=points_, connector=connectors, wh=st.integers(0, 5000))
    def ends(self, name: str, connector: int, wh: int) -> None:
        self._draw(self.points[name], connector, wh, "stop")

    @rule(name=points_, data=st.data())
    def says_it_again(self, name: str, data: st.DataObject) -> None:
        """As after an answer that was lost: with the same id, or with another."""
        point = self.points[name]
        if point.told and point.socket is not None:
            message = data.draw(st.sampled_from(point.told[-3:]))
            message_id = data.draw(st.sampled_from([message.message_id, f"again-{self._number()}"]))
            self._run(self._ask(point, point.call(message, message_id)))

    @rule(name=points_)
    def is_cut_before_the_answer(self, name: str) -> None:
        point = self.points[name]
        if point.queue and point.socket is not None:
            self._run(self._say_and_cut(point, point.call(point.queue[0])))

    @rule(name=points_, wire_id=st.sampled_from([0, -1, 999_999, 2**31 - 1]), kind=st.sampled_from(["meter", "stop"]))
    def speaks_of_an_unknown_transaction(self, name: str, wire_id: int, kind: str) -> None:
        """Of a charger where nothing runs: it changes nothing."""
        point = self.points[name]
        if point.is_16 and point.socket is not None and not point.running and not point.queue:
            stranger = Charge(1, self._number(), 0, wire_id=wire_id)
            message = Message(f"odd-{stranger.number}", kind, stranger, point.registers[1], self._tick(), 0)
            self._run(self._ask(point, point.call(message)))

    @rule()
    def server_is_restarted(self) -> None:
        self._run(self._restart())

    @rule(minutes=st.integers(1, 60))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    # --- what always holds ----------------------------------------------------------------------------------------------

    @invariant()
    def no_evse_has_two_open_sessions(self) -> None:
        open_at = defaultdict[str, set[str]](set)
        for event in self._events():
            match event:
                case SessionStarted():
                    open_at[event.evse_id].add(event.session_id)
                case SessionEnded():
                    open_at[event.evse_id].discard(event.session_id)
        assert all(len(each) <= 1 for each in open_at.values()), open_at
        for name, point in self.points.items():
            ledger = self._gateway.chargers[name].ledger
            if ledger is not None and point.socket is not None:
                assert {each.session_id for each in ledger.open} == open_at[f"{name}1"] | open_at[f"{name}2"]

    @invariant()
    def what_was_answered_is_stored(self) -> None:
        for name, point in self.points.items():
            stored = {frame.message_id for _, frame in self._run(self._store.frames(name, limit=10_000))}
            assert point.acknowledged <= stored

    @invariant()
    def energy_is_never_negative(self) -> None:
        begun = {each.session_id: each.meter_wh for each in self._events() if isinstance(each, SessionStarted)}
        assert all(each.meter_wh >= begun[each.session_id] for each in self._events() if isinstance(each, SessionEnded))

    @precondition(lambda self: any(point.socket for point in self.points.values()))
    @invariant()
    def whoever_is_connected_is_answered(self) -> None:
        for point in self.points.values():
            if point.socket is not None:
                answer = self._run(self._ask(point, [2, f"h-{self._number()}", "Heartbeat", {}]))
                assert answer is not None
                assert answer[0] == 3

    def what_ran_is_what_was_charged(self) -> None:
        """At the end, when everything has been told: each charge is one session, with its energy."""
        begun = {each.session_id: each for each in self._events() if isinstance(each, SessionStarted)}
        used = {
            begun[each.session_id].id_token: each.meter_wh - begun[each.session_id].meter_wh
            for each in self._events()
            if isinstance(each, SessionEnded)
        }
        expected = {f"T{each.number}": each.used_wh for point in self.points.values() for each in point.over}
        assert used == expected

    # --- how ------------------------------------------------------------------------------------------------------------

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def _events(self) -> list[Any]:
        async def read() -> list[Any]:
            return [event async for _, event in self._store.events_after(0)]

        return self._run(read())

    def _draw(self, point: Point, connector: int, wh: int, kind: str) -> None:
        charge = point.running.get(connector)
        if charge is None:
            return
        charge.used_wh += wh
        point.registers[connector] = (point.registers[connector] + wh) % MODULUS
        self._tell(point, charge, kind)
        if kind == "stop":
            point.over.append(point.running.pop(connector))

    def _tell(self, point: Point, charge: Charge, kind: str) -> None:
        number = self._number()
        register = point.registers[charge.connector]
        point.queue.append(Message(f"m-{number}", kind, charge, register, self._tick(), charge.seq_no))
        charge.seq_no += 1
        self._run(self._tell_all(point))

    async def _tell_all(self, point: Point) -> None:
        """The oldest first, as long as each is answered."""
        while point.queue and point.socket is not None:
            message = point.queue[0]
            answer = await self._ask(point, point.call(message))
            if answer is None:
                return
            assert answer[0] == 3, answer
            if message.kind == "start" and point.is_16:
                message.charge.wire_id = answer[2]["transactionId"]
            point.told.append(point.queue.pop(0))

    async def _ask(self, point: Point, call: list[Any]) -> list[Any] | None:
        """The answer; None where the line is cut."""
        assert point.socket is not None
        try:
            await point.socket.send(json.dumps(call))
            while True:
                said: list[Any] = json.loads(await asyncio.wait_for(point.socket.recv(), 10))
                if said[0] != 2:
                    break
                await point.socket.send(json.dumps([4, said[1], "NotImplemented", "", {}]))
        except ConnectionClosed:
            point.socket = None
            return None
        assert said[1] == call[1], (said, call)
        point.acknowledged.add(call[1])
        return said

    async def _say_and_cut(self, point: Point, call: list[Any]) -> None:
        assert point.socket is not None
        await point.socket.send(json.dumps(call))
        await self._cut(point)

    async def _connect(self, point: Point) -> None:
        if point.socket is not None:
            return
        url = f"ws://127.0.0.1:{self._gateway.port}/ocpp/{point.name}"
        point.socket = await connect(url, subprotocols=[Subprotocol(point.version)], proxy=None)
        boot = {"chargePointVendor": "R", "chargePointModel": "1"}
        if not point.is_16:
            boot = {"reason": "PowerUp", "chargingStation": {"vendorName": "R", "model": "1"}}  # type: ignore[dict-item]
        answer = await self._ask(point, [2, f"b-{self._number()}", "BootNotification", boot])
        assert answer is not None
        assert answer[2]["status"] == "Accepted"
        await self._tell_all(point)

    async def _cut(self, point: Point) -> None:
        if point.socket is not None:
            point.socket.transport.abort()
            with suppress(ConnectionClosed):
                await point.socket.wait_closed()
            point.socket = None

    async def _everybody_ends(self) -> None:
        for point in self.points.values():
            await self._connect(point)
            await self._tell_all(point)
            for connector in list(point.running):
                charge = point.running.pop(connector)
                register = point.registers[connector]
                message = Message(f"m-{self._number()}", "stop", charge, register, self._tick(), charge.seq_no)
                point.queue.append(message)
                point.over.append(charge)
            await self._tell_all(point)
            assert point.queue == []

    async def _serve(self) -> None:
        self._store = await Store.open(self._database)
        stations = {f"{name}{connector}": "S1" for name in VERSIONS for connector in CONNECTORS}
        self._gateway = OcppGateway(self._store, lambda: self.now, stations.get, call_timeout_s=0.5)
        await self._gateway.start("127.0.0.1", 0)
        for name in VERSIONS:
            if name not in self._gateway.chargers:
                await self._gateway.adopt(name, [f"{name}{connector}" for connector in CONNECTORS])

    async def _stop(self) -> None:
        for point in self.points.values():
            await self._cut(point)
        await self._gateway.stop()
        await self._store.close()

    async def _restart(self) -> None:
        await self._stop()
        await self._serve()


TestRandomChargers = RandomChargers.TestCase
TestRandomChargers.settings = settings(
    max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
