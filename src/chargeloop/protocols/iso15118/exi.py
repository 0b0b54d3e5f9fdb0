"""EXI as ISO 15118-2 uses it: schema-informed, not strict, bit-packed, no options in the header, no table of strings.

A state of a grammar has one code for each event that may come next, and one more for whatever the schema doesn't foresee;
that one is refused here. Sources: EXI 1.0 (W3C), 8.4 and 8.5; ISO 15118-2, 7.9.1.
"""

from collections.abc import Sequence
from typing import Any, cast

from chargeloop.model import BadInput
from chargeloop.protocols.iso15118.bits import BitReader, BitWriter
from chargeloop.protocols.iso15118.messages import Emaid, Message, Signable, SignedInfo
from chargeloop.protocols.iso15118.schema import (
    DOCUMENT_PLACE,
    DOCUMENT_WIDTH,
    MESSAGES,
    TYPES,
    URI,
    XML_SIGNATURE,
    Binary,
    Complex,
    Fragments,
    ListOf,
    Method,
    OneOf,
    Part,
    Text,
    Whole,
    Word,
)

HEADER = 0x80  # no cookie, no options, version 1
MOST_BYTES = 8250  # OCPP 2.1 carries 11000 characters of base 64
ALGORITHM = Part("algorithm", URI, is_element=False)
# An eMAID has two types, so that its fragment's grammar is one for any element: widths and codes of its attribute Id, its
# text and its end (EXI 1.0, 8.5.3).
RELAXED_ID, RELAXED_TEXT, RELAXED_END = (4, 9), (256, 9), (244, 8)


def encode(message: Message) -> bytes:
    """A message as an EXI document.

    Raises:
        BadInput: a value that the schema doesn't allow.
    """
    out = BitWriter()
    out.bits(HEADER, 8)
    out.bits(DOCUMENT_PLACE, DOCUMENT_WIDTH)
    _put_object(out, message)
    return out.to_bytes()


def decode(exi: bytes) -> Message:
    """A message out of an EXI document.

    Raises:
        BadInput: it is too long or cut short, another message than `Body` names, or not as the schema says.
    """
    if len(exi) > MOST_BYTES:
        raise BadInput("EXI", f"has {len(exi)} bytes, more than {MOST_BYTES}")
    source = BitReader(exi)
    if source.bits(8) != HEADER:
        raise BadInput("EXI", "is none, or has options")
    if source.bits(DOCUMENT_WIDTH) != DOCUMENT_PLACE:
        raise BadInput("EXI", "is no V2G_Message")
    message = cast(Message, _take_object(source, Message))
    source.finish()
    return message


def fragment(element: Signable) -> bytes:
    """What the digest of a signed element is of: the element alone, as an EXI fragment.

    Raises:
        BadInput: a value that the schema doesn't allow.
    """
    return _relaxed(element) if isinstance(element, Emaid) else _fragment(MESSAGES, element)


def signed_info(info: SignedInfo) -> bytes:
    """What a signature is over: a fragment too, but by the schema of XML signatures alone.

    Raises:
        BadInput: a value that the schema doesn't allow.
    """
    return _fragment(XML_SIGNATURE, info)


def _fragment(schema: Fragments, element: object) -> bytes:
    out = BitWriter()
    out.bits(HEADER, 8)
    out.bits(schema.places[type(element)], schema.width)
    _put_object(out, element)
    out.bits(schema.end, schema.width)
    return out.to_bytes()


def _relaxed(emaid: Emaid) -> bytes:
    out = BitWriter()
    out.bits(HEADER, 8)
    out.bits(MESSAGES.places[Emaid], MESSAGES.width)
    out.bits(*RELAXED_ID)
    out.text(emaid.id)
    out.bits(*RELAXED_TEXT)
    out.text(emaid.value)
    out.bits(*RELAXED_END)
    out.bits(MESSAGES.end, MESSAGES.width)
    return out.to_bytes()


def _next(parts: Sequence[Part], at: int, seen: int) -> list[int]:
    """The parts that may come next, by index, when that `at` has been `seen` so often; their number stands for the end."""
    may = []
    for index in range(at, len(parts)):
        times = seen if index == at else 0
        if times < parts[index].most:
            may.append(index)
        if times < parts[index].least:
            return may
    return [*may, len(parts)]


def _expected(kind: Complex, may: Sequence[int]) -> str:
    return kind.parts[min(may[0], len(kind.parts) - 1)].field


def _width(productions: int) -> int:
    """Of a code, with the one more."""
    return productions.bit_length()


def _put_object(out: BitWriter, value: object) -> None:
    kind = TYPES[type(value)]
    _put_parts(out, kind, [_occurrences(part, getattr(value, part.field)) for part in kind.parts])


def _occurrences(part: Part, value: Any) -> Sequence[object]:
    if part.most > 1:
        return cast(Sequence[object], value)
    absent = value is None or (part.least == 0 and value == ())
    return () if absent else (value,)


def _put_parts(out: BitWriter, kind: Complex, occurrences: Sequence[Sequence[object]], after: int = 0) -> None:
    at, seen = 0, 0
    for index, part in enumerate(kind.parts):
        for value in occurrences[index]:
            _put_event(out, kind, (at, seen), index, after)
            at, seen = index, (seen + 1 if index == at else 1)
            _put_value(out, part, value)
    _put_event(out, kind, (at, seen), len(kind.parts), after)


def _put_event(out: BitWriter, kind: Complex, state: tuple[int, int], index: int, after: int) -> None:
    may = _next(kind.parts, *state)
    if index not in may:
        raise BadInput(_expected(kind, may), "is missing, or occurs too often")
    is_end = index == len(kind.parts)
    unused = kind.before + after if may[-1] == len(kind.parts) else 0
    out.bits(may.index(index) + (kind.before if is_end else 0), _width(len(may) + unused))


def _put_value(out: BitWriter, part: Part, value: Any) -> None:
    match part.kind:
        case ListOf(of, most):
            _put_parts(out, Complex((Part(part.field, of, 1, most),)), [value])
        case Method(before, after):
            _put_parts(out, Complex((ALGORITHM,), before), [(value,)], after)
        case OneOf(places, size):
            out.bits(places[type(value)], _width(size))
            _put_object(out, value)
            out.bits(0, _width(1))
        case type():
            _put_object(out, value)
        case simple if part.is_element:
            out.bits(0, _width(1))
            _put_simple(out, part.field, simple, value)
            out.bits(0, _width(1))
        case simple:
            _put_simple(out, part.field, simple, value)


def _put_simple(out: BitWriter, where: str, kind: Text | Binary | Whole | Word, value: Any) -> None:
    _check(where, kind, value)
    match kind:
        case Text():
            out.text(value)
        case Binary():
            out.octets(value)
        case Whole():
            out.integer(value)
        case Word(words):
            out.bits(words.index(value), (len(words) - 1).bit_length())


def _check(where: str, kind: Text | Binary | Whole | Word, value: Any) -> None:
    match kind:
        case Text(least, most):
            fits = least <= len(value) <= most
        case Binary(most):
            fits = len(value) <= most
        case Whole(low, high):
            fits = low <= value <= high
        case Word(words):
            fits = value in words
    if not fits:
        raise BadInput(where, "is not as the schema of ISO 15118-2 allows")


def _take_object(source: BitReader, of: type) -> object:
    kind = TYPES[of]
    found = _take_parts(source, kind)
    return of(**{part.field: _field(part, values) for part, values in zip(kind.parts, found, strict=True)})


def _field(part: Part, values: list[Any]) -> object:
    if part.most > 1:
        return tuple(values)
    absent = () if isinstance(part.kind, ListOf) else None
    return values[0] if values else absent


def _take_parts(source: BitReader, kind: Complex, after: int = 0) -> list[list[object]]:
    found: list[list[object]] = [[] for _ in kind.parts]
    at, seen = 0, 0
    while True:
        may = _next(kind.parts, at, seen)
        has_end = may[-1] == len(kind.parts)
        code = source.bits(_width(len(may) + (kind.before + after if has_end else 0)))
        if has_end and code == len(may) - 1 + kind.before:
            return found
        if code >= len(may) - has_end:
            raise BadInput("EXI", f"holds something else than {_expected(kind, may)}")
        at, seen = may[code], (seen + 1 if may[code] == at else 1)
        found[at].append(_take_value(source, kind.parts[at]))


def _take_value(source: BitReader, part: Part) -> object:
    match part.kind:
        case ListOf(of, most):
            return tuple(_take_parts(source, Complex((Part(part.field, of, 1, most),)))[0])
        case Method(before, after):
            return _take_parts(source, Complex((ALGORITHM,), before), after)[0][0]
        case OneOf(places, size):
            place = source.bits(_width(size))
            body = next((each for each, code in places.items() if code == place), None)
            if body is None:
                raise BadInput("EXI", "is no message about contract certificates")
            message = _take_object(source, body)
            _take_only(source)
            return message
        case type() as element:
            return _take_object(source, element)
        case simple if part.is_element:
            _take_only(source)
            value = _take_simple(source, part.field, simple)
            _take_only(source)
            return value
        case simple:
            return _take_simple(source, part.field, simple)


def _take_only(source: BitReader) -> None:
    """The one event that the schema foresees."""
    if source.bits(_width(1)):
        raise BadInput("EXI", "holds something that the schema doesn't foresee")


def _take_simple(source: BitReader, where: str, kind: Text | Binary | Whole | Word) -> object:
    value: object
    match kind:
        case Text():
            value = source.text(kind.most)
        case Binary():
            value = source.octets(kind.most)
        case Whole():
            value = source.integer(kind.high)
        case Word(words):
            place = source.bits((len(words) - 1).bit_length())
            value = words[place] if place < len(words) else ""
    _check(where, kind, value)
    return value
