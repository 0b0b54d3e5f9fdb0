"""The site's meter on Modbus TCP."""

from pathlib import Path
from typing import TYPE_CHECKING

from chargeloop.edge.config import Meter
from chargeloop.edge.registers import Reading, read_map, reading_of
from chargeloop.model import BadInput, Unreachable

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusTcpClient

TIMEOUT_S = 0.7  # within the second of the loop
SUNSPEC_AT = (40000, 50000, 0)
SUNSPEC = [0x5375, 0x6E53]  # "SunS"
END_OF_MODELS = 0xFFFF
MOST_MODELS = 50


class ModbusMeter:
    """Connects when it is read, and again after a fault."""

    def __init__(self, meter: Meter, beside: Path | None = None) -> None:
        """Raises:
        BadInput: its register map is not there or damaged.
        """
        self.map, self._meter = read_map(meter.map, beside), meter
        self._client: AsyncModbusTcpClient | None = None
        self._base: int | None = None if self.map.sunspec_model is not None else 0

    async def read(self) -> Reading:
        """Raises:
        Unreachable: it is not there, does not answer, or refuses.
        BadInput: what it answers is no number.
        """
        client = await self._connected()
        if self._base is None:
            self._base = await self._model(client)
        first, count = self.map.span()
        values = await self._registers(client, self._base + first, count)
        return reading_of(self.map, {first + i: value for i, value in enumerate(values)})

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    async def _connected(self) -> "AsyncModbusTcpClient":
        if self._client is None:
            from pymodbus.client import AsyncModbusTcpClient  # noqa: PLC0415 (heavy)

            meter = self._meter
            self._client = AsyncModbusTcpClient(meter.host, port=meter.port, timeout=TIMEOUT_S, retries=0, reconnect_delay=0)
        if not self._client.connected and not await self._client.connect():
            raise Unreachable(f"meter at {self._meter.host}:{self._meter.port}: no connection")
        return self._client

    async def _registers(self, client: "AsyncModbusTcpClient", address: int, count: int) -> list[int]:
        from pymodbus.exceptions import ModbusException  # noqa: PLC0415 (heavy)

        read = client.read_input_registers if self.map.function == "input" else client.read_holding_registers
        try:
            answer = await read(address, count=count, device_id=self._meter.unit)
        except ModbusException as error:
            self.close()  # an answer that comes late must not be taken for the next one's
            raise Unreachable(f"meter at {self._meter.host}:{self._meter.port}: {error}") from None
        if answer.isError() or len(answer.registers) != count:
            raise Unreachable(
                f"meter at {self._meter.host}:{self._meter.port}: refuses registers {address} to {address + count}"
            )
        return list(answer.registers)

    async def _model(self, client: "AsyncModbusTcpClient") -> int:
        """Address of the id of its SunSpec model."""
        for start in SUNSPEC_AT:
            try:
                if await self._registers(client, start, 2) != SUNSPEC:
                    continue
            except Unreachable:
                if not client.connected:
                    raise
                continue
            address = start + 2
            for _ in range(MOST_MODELS):
                model, length = await self._registers(client, address, 2)
                if model == self.map.sunspec_model:
                    return address
                if model == END_OF_MODELS:
                    break
                address += 2 + length
        raise BadInput("meter", f"has no SunSpec model {self.map.sunspec_model}")
