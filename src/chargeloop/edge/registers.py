"""What a meter's registers mean: the files of `meters/`, and readings out of registers."""

import math
import struct
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec

from chargeloop.model import BadInput

FOLDER = Path(__file__).parent / "meters"
PHASES = (1, 2, 3)
FORMATS = {
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "float32": "f",
    "int64": "q",
    "uint64": "Q",
    "float64": "d",
}
SUNSPEC_SCALE_UNKNOWN = -0x8000
Address: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class Quantity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one quantity is. Its value is the register's times `scale`, and ten to the power of what is at `scale_address`."""

    address: Address
    type: Literal["int16", "uint16", "int32", "uint32", "float32", "int64", "uint64", "float64"]
    scale: float = 1.0
    scale_address: Address | None = None

    @property
    def words(self) -> int:
        return struct.calcsize(">" + FORMATS[self.type]) // 2


class Quantities(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`power_w`: of all phases, positive when the site draws. Currents have no sign: the power of a phase gives it."""

    power_w: Quantity
    current_l1_a: Quantity | None = None
    current_l2_a: Quantity | None = None
    current_l3_a: Quantity | None = None
    power_l1_w: Quantity | None = None
    power_l2_w: Quantity | None = None
    power_l3_w: Quantity | None = None

    def of_phase(self, phase: int) -> tuple[Quantity | None, Quantity | None]:
        """Current and power of L1, L2 or L3."""
        return getattr(self, f"current_l{phase}_a"), getattr(self, f"power_l{phase}_w")


class RegisterMap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file. `words`: which of a value's registers comes first. `swap_bytes`: of each register. `sunspec_model`: addresses

    count from that model's id. `source`: where the maker says so.
    """

    source: Annotated[str, msgspec.Meta(min_length=10)]
    quantities: Quantities
    function: Literal["holding", "input"] = "holding"
    words: Literal["big", "little"] = "big"
    swap_bytes: bool = False
    sunspec_model: int | None = None

    @property
    def has_currents(self) -> bool:
        return all(self.quantities.of_phase(phase)[0] is not None for phase in PHASES)

    def span(self) -> tuple[int, int]:
        """First address, and how many registers hold all quantities."""
        all_ = [getattr(self.quantities, name) for name in self.quantities.__struct_fields__]
        used = [each for each in all_ if each is not None]
        first = min(min(each.address, each.address if each.scale_address is None else each.scale_address) for each in used)
        last = max(max(each.address + each.words, (each.scale_address or 0) + 1) for each in used)
        return first, last - first


@dataclass(frozen=True, slots=True)
class Reading:
    """What the meter says. `amperes`: of each phase, negative where it feeds in; empty where the meter does not tell."""

    kw: float
    amperes: Mapping[int, float]


def read_map(name: str, beside: Path | None = None) -> RegisterMap:
    """A map of ours by its name, or a file, relative to the folder `beside`.

    Raises:
        BadInput: there is none, or it is damaged.
    """
    path = FOLDER / f"{name}.toml"
    if not path.is_file():
        path = (beside or Path()) / name
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), RegisterMap)
    except OSError:
        known = ", ".join(sorted(each.stem for each in FOLDER.glob("*.toml")))
        raise BadInput("meter.map", f"there is no file {path}, and ours are {known}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise BadInput(f"meter.map {path.name}", str(error)) from None


def reading_of(map_: RegisterMap, registers: Mapping[int, int]) -> Reading:
    """`registers`: by address, as in the map.

    Raises:
        BadInput: what is there is no number.
    """
    value = _value(map_, map_.quantities.power_w, registers)
    return Reading(value / 1000, {phase: _ampere(map_, phase, registers) for phase in PHASES if map_.has_currents})


def _ampere(map_: RegisterMap, phase: int, registers: Mapping[int, int]) -> float:
    current, power = map_.quantities.of_phase(phase)
    assert current is not None  # has_currents
    amperes = _value(map_, current, registers)
    return -amperes if power is not None and amperes > 0 and _value(map_, power, registers) < 0 else amperes


def _value(map_: RegisterMap, quantity: Quantity, registers: Mapping[int, int]) -> float:
    words = [registers[quantity.address + i] for i in range(quantity.words)]
    if map_.words == "little":
        words.reverse()
    raw = struct.pack(f"{'<' if map_.swap_bytes else '>'}{len(words)}H", *words)
    (number,) = struct.unpack(">" + FORMATS[quantity.type], raw)
    exponent = 0
    if quantity.scale_address is not None:
        (exponent,) = struct.unpack(">h", struct.pack(">H", registers[quantity.scale_address]))
    value = float(number) * quantity.scale * 10.0**exponent if exponent != SUNSPEC_SCALE_UNKNOWN else math.nan
    if not math.isfinite(value):
        raise BadInput("meter", f"register {quantity.address} holds no number")
    return value
