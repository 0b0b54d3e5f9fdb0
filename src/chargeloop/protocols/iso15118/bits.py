"""Bits, the most significant one first, and the values that EXI makes of them (EXI 1.0, 7.1)."""

from chargeloop.model import BadInput

GROUP = 7  # bits of an unsigned integer in one byte; the eighth says that more follow


class BitWriter:
    """Grows by bits; the last byte is filled with zeros."""

    def __init__(self) -> None:
        self._value, self._size = 0, 0
        self._done = bytearray()

    def bits(self, value: int, width: int) -> None:
        self._value = self._value << width | value
        self._size += width
        whole, self._size = divmod(self._size, 8)
        self._done += (self._value >> self._size).to_bytes(whole)
        self._value &= (1 << self._size) - 1

    def unsigned(self, value: int) -> None:
        while value >> GROUP:
            self.bits(value & 0x7F | 0x80, 8)
            value >>= GROUP
        self.bits(value, 8)

    def integer(self, value: int) -> None:
        """A sign, then the magnitude; negative ones less one."""
        self.bits(value < 0, 1)
        self.unsigned(-value - 1 if value < 0 else value)

    def octets(self, value: bytes) -> None:
        self.unsigned(len(value))
        for octet in value:
            self.bits(octet, 8)

    def text(self, value: str) -> None:
        """As a string that no table holds: its length plus two, then its code points."""
        self.unsigned(len(value) + 2)
        for char in value:
            self.unsigned(ord(char))

    def to_bytes(self) -> bytes:
        rest = bytes([self._value << 8 - self._size]) if self._size else b""
        return bytes(self._done) + rest


class BitReader:
    """Reads what `BitWriter` writes. Whatever it is given, it takes no more time and memory than that is long."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def bits(self, width: int) -> int:
        """Raises:
        BadInput: here as below, there are not so many left.
        """
        end = self._at + width
        if end > 8 * len(self._data):
            raise BadInput("EXI", "ends too early")
        first, last = self._at // 8, -(-end // 8)
        self._at = end
        return int.from_bytes(self._data[first:last]) >> (8 * last - end) & (1 << width) - 1

    def unsigned(self, most: int) -> int:
        """Raises:
        BadInput: more than `most`.
        """
        value, place = 0, 0
        while True:
            octet = self.bits(8)
            value |= (octet & 0x7F) << place
            place += GROUP
            if value > most or place > most.bit_length() + 2 * GROUP:
                raise BadInput("EXI", f"holds a number or a length above {most}")
            if octet < 0x80:
                return value

    def integer(self, most: int) -> int:
        """Raises:
        BadInput: its magnitude is above `most`.
        """
        negative = self.bits(1)
        value = self.unsigned(most)
        return -value - 1 if negative else value

    def octets(self, most: int) -> bytes:
        return bytes(self.bits(8) for _ in range(self.unsigned(most)))

    def text(self, most: int) -> str:
        """Raises:
        BadInput: it is longer, refers to a table of strings, which ISO 15118-2 doesn't use, or is no Unicode.
        """
        size = self.unsigned(most + 2) - 2
        if size < 0:
            raise BadInput("EXI", "refers to a table of strings")
        points = [self.unsigned(0x10FFFF) for _ in range(size)]
        if any(0xD800 <= each <= 0xDFFF for each in points):
            raise BadInput("EXI", "holds text that is no Unicode")
        return "".join(map(chr, points))

    def finish(self) -> None:
        """Raises:
        BadInput: something follows but the zeros that fill the last byte.
        """
        left = 8 * len(self._data) - self._at
        if left >= 8 or self.bits(left):
            raise BadInput("EXI", "goes on after its end")
