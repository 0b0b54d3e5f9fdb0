"""A meter on a real Modbus TCP socket."""

import asyncio
import struct
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

SIZE = 41_000


class SimulatedMeter:
    """Holds the registers of an SDM630 (floats) and of a SunSpec model 203 (whole numbers with a power of ten)."""

    def __init__(self) -> None:
        self.registers = [0] * SIZE
        device = SimDevice(id=0, simdata=SimData(0, count=SIZE, datatype=DataType.REGISTERS), action=self._answer)
        self._server: Any = ModbusTcpServer(device, address=("127.0.0.1", 0))
        self._serving: asyncio.Task[Any] | None = None
        self.port, self.kw, self.is_silent = 0, 0.0, False
        self.set(40000, [0x5375, 0x6E53, 1, 66])
        self.set(40070, [203, 105])
        self.set(40070 + 2 + 105, [0xFFFF, 0])
        self.say(0.0)

    async def start(self) -> "SimulatedMeter":
        self._serving = asyncio.create_task(self._server.serve_forever())
        while self._server.transport is None:
            await asyncio.sleep(0.01)
        listening: Any = self._server.transport
        self.port = listening.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        await self._server.shutdown()
        if self._serving is not None:
            await asyncio.wait([self._serving])

    def say(self, kw: float, amperes: tuple[float, ...] | None = None, volts: float = 230.0) -> None:
        """Load of the site; each phase's current, a third of it where none is given."""
        self.kw = kw
        phases = amperes or (kw * 1000 / (3 * volts),) * 3
        self._float(52, kw * 1000)
        for i, each in enumerate(phases):
            self._float(6 + 2 * i, abs(each))
            self._float(12 + 2 * i, each * volts)
        self.set(40073, [*(_word(abs(each) * 10) for each in phases), _word(-1)])
        self.set(40088, [_word(kw * 100), *(_word(each * volts / 10) for each in phases), 1])

    def set(self, address: int, words: list[int]) -> None:
        self.registers[address : address + len(words)] = words

    def _float(self, address: int, value: float) -> None:
        self.set(address, list(struct.unpack(">2H", struct.pack(">f", value))))

    async def _answer(
        self, function_code: int, start: int, address: int, count: int, registers: list[int], values: Any
    ) -> ExcCodes | None:
        registers[address - start : address - start + count] = self.registers[address : address + count]
        return ExcCodes.DEVICE_FAILURE if self.is_silent else None


def _word(value: float) -> int:
    return round(value) & 0xFFFF
