"""What pyproject.toml asks for is what the code imports: nothing is missing, and nothing is left over."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OURS = {"chargeloop", "tests", "benchmarks", "scripts"}
# tzdata: time zones for the standard library where the system has none; pyarrow: with what pandas reads parquet.
USED_BY_OTHERS = {"tzdata", "pyarrow", "psycopg", "ocpp"}  # whom SQLAlchemy finds by a name; whose files of schemas we read
ONLY_TO_TRAIN = {"gymnasium"}  # one module, which nothing else in the platform imports
BRINGS = {"starlette": "fastapi", "pydantic-core": "pydantic"}  # a dependency's own foundation, which it hands out


@cache
def distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


def imported(folders: Iterable[str]) -> set[str]:
    """Names of the distributions that the Python files below `folders` import, wherever in a file."""
    names: set[str] = set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    names |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    names.add(node.module.split(".")[0])
    foreign = names - set(sys.stdlib_module_names) - OURS
    found = {distribution.lower().replace("_", "-") for name in foreign for distribution in distributions().get(name, [name])}
    return {BRINGS.get(name, name) for name in found}


def asked_for(requirements: list[str]) -> set[str]:
    return {re.split(r"[\s\[<>=!~;]", requirement)[0] for requirement in requirements}


def test_the_platform_needs_what_it_imports() -> None:
    assert imported(["src"]) - ONLY_TO_TRAIN == asked_for(PROJECT["dependencies"]) - USED_BY_OTHERS


def test_tests_and_tools_need_what_they_import() -> None:
    extras = PROJECT["optional-dependencies"]
    everything = asked_for(PROJECT["dependencies"]) | asked_for(extras["dev"]) | asked_for(extras["rl"])
    assert imported(["tests", "benchmarks", "scripts"]) <= everything
