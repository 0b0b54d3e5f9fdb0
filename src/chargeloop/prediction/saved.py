"""Fitted forecasters as bytes: a zip of plain arrays (NumPy's .npz) with a header in JSON. Nothing in it can be run.

The header says the format's version, the kind of forecaster and until when it has learned. A file of another version, or of a
forecaster that has other parts by now, is refused: it is fitted anew in minutes.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any, NamedTuple, get_type_hints

import numpy as np

from chargeloop.model import BadInput
from chargeloop.prediction.blend import Blend
from chargeloop.prediction.boosted import SPANS, Boosted
from chargeloop.prediction.forecaster import Forecaster
from chargeloop.prediction.naive import Naive
from chargeloop.prediction.profile import HourOfWeek
from chargeloop.prediction.regression import Regression

FORMAT, VERSION = "chargeloop forecaster", 1
HEADER = "header"
KINDS: Mapping[str, type] = {"blend": Blend, "regression": Regression, "hour_of_week": HourOfWeek, "naive": Naive}
BROKEN = (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError)


class Saved(NamedTuple):
    """`until`: the model has seen no hour that ended later."""

    kind: str
    model: Forecaster
    time_zone: str
    until: datetime


def kind_of(model: Forecaster) -> str:
    """Its name among `KINDS`."""
    return next(name for name, kind in KINDS.items() if type(model) is kind)


def pack_forecaster(model: Forecaster, until: datetime) -> bytes:
    """`until`: the end of the record that it was fitted to."""
    arrays: dict[str, Any] = {}
    plain: dict[str, Any] = {}
    _take_apart(model, "", arrays, plain)
    head = {"format": FORMAT, "version": VERSION, "kind": kind_of(model), "until": until.isoformat(), "values": plain}
    file = io.BytesIO()
    np.savez_compressed(file, **{HEADER: _text(json.dumps(head))}, **arrays)
    return file.getvalue()


def unpack_forecaster(body: bytes, where: str) -> Saved:
    """
    Raises:
        BadInput: naming `where`: no saved forecaster, a damaged one, or one of another version.
    """
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as file:
            if not isinstance(file, np.lib.npyio.NpzFile) or HEADER not in file.files:
                raise BadInput(where, "is no saved forecaster of Chargeloop")
            head = json.loads(file[HEADER].tobytes())
            if not isinstance(head, dict) or head.get("format") != FORMAT:
                raise BadInput(where, "is no saved forecaster of Chargeloop")
            if head.get("version") != VERSION or head.get("kind") not in KINDS:
                version, kind = head.get("version"), head.get("kind")
                raise BadInput(where, f"is a {kind!r} in version {version}, not {VERSION}: fit it anew")
            arrays = {name: file[name] for name in file.files if name != HEADER}
    except BROKEN:
        raise BadInput(where, "is no saved forecaster of Chargeloop, or a damaged one: fit it anew") from None
    try:
        model: Any = _put_together(KINDS[head["kind"]], "", arrays, head["values"])
        return Saved(head["kind"], model, model.time_zone, datetime.fromisoformat(head["until"]))
    except (KeyError, TypeError, ValueError):
        raise BadInput(where, "was made by another version of Chargeloop: fit it anew") from None


def _take_apart(part: Any, name: str, arrays: dict[str, Any], plain: dict[str, Any]) -> None:
    """Fields of records, and of records in them, by a dotted name."""
    if isinstance(part, Boosted):
        for n, booster in enumerate(part.boosters):
            arrays[f"{name}.{n}"] = _text(booster.model_to_string())
    elif isinstance(part, np.ndarray):
        arrays[name] = part
    elif is_dataclass(part):
        for field in fields(part):
            _take_apart(getattr(part, field.name), f"{name}.{field.name}".lstrip("."), arrays, plain)
    else:
        plain[name] = part.isoformat() if isinstance(part, datetime) else part


def _put_together(kind: Any, name: str, arrays: Mapping[str, Any], plain: Mapping[str, Any]) -> Any:
    """
    Raises:
        KeyError, TypeError, ValueError: a part is missing, or is no such part.
    """
    if kind is Boosted:
        return Boosted(tuple(_booster(arrays[f"{name}.{n}"].tobytes().decode()) for n in range(len(SPANS))))
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        parts = {
            field.name: _put_together(hints[field.name], f"{name}.{field.name}".lstrip("."), arrays, plain)
            for field in fields(kind)
        }
        return kind(**parts)  # type: ignore[operator]
    if name in arrays:
        return arrays[name]
    value = plain[name]
    return datetime.fromisoformat(value) if kind is datetime else tuple(value) if isinstance(value, list) else value


def _booster(text: str) -> Any:
    import lightgbm  # noqa: PLC0415 (six seconds of CPU)

    try:
        return lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as error:
        raise ValueError(str(error)) from None


def _text(text: str) -> Any:
    return np.frombuffer(text.encode(), dtype=np.uint8)
