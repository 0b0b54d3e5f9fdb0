"""The figures that the built-in city is drawn from, made by scripts/make_city.py."""

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def figures() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((files("chargeloop.city") / "figures.json").read_text(encoding="utf-8"))
    return found
