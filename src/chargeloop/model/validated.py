"""The one check at the edge: plain data in, frozen records out, or a `BadInput` that says where and what."""

from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from chargeloop.model.errors import BadInput


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    """The compiled validator of a record type or union (kept, since building one takes milliseconds)."""
    return TypeAdapter(kind)


def from_data(kind: Any, data: object, where: str) -> Any:
    """Check `data` (dicts, lists, scalars) against `kind`.

    Raises:
        BadInput: naming `where`, the field and what is wrong with it.
    """
    try:
        return adapter(kind).validate_python(data)
    except ValidationError as error:
        raise _bad_input(error, where) from None


def from_json(kind: Any, text: str | bytes, where: str) -> Any:
    """Like `from_data`, from JSON text, in strict mode (no "3" for 3)."""
    try:
        return adapter(kind).validate_json(text, strict=True)
    except ValidationError as error:
        raise _bad_input(error, where) from None


def to_json(record: object, kind: Any = None) -> str:
    """JSON text of a record; `kind` is needed where the record's own type is not the one to read it back with."""
    known: Any = type(record) if kind is None else kind
    return adapter(known).dump_json(record).decode()


def _bad_input(error: ValidationError, where: str) -> BadInput:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    shown = repr(first.get("input"))
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return BadInput(f"{where}: {field}" if field else where, f"{first['msg']}, got {shown[:80]}{more}")
