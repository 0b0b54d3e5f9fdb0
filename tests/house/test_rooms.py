"""Every room says what is public, every public name is tested, and no stage reads a clock or a global random generator."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "chargeloop"
STAGES = ("model", "physics", "pricing", "perception", "prediction", "recommendation", "guidance", "execution", "settlement")
# Rooms of rooms: they hold one package for each protocol.
CORRIDORS = ("protocols", "gateway")


def rooms() -> list[str]:
    parts = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
    inner = [f"{corridor}.{path.parent.name}" for corridor in CORRIDORS for path in (PACKAGE / corridor).glob("*/__init__.py")]
    return [name for name in parts if name not in CORRIDORS] + sorted(inner)


@pytest.fixture(scope="module")
def words_of_tests() -> set[str]:
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    return {word for text in texts for word in re.findall(r"\w+", text)}


@pytest.mark.parametrize("room", rooms())
def test_every_public_name_is_exported_and_tested(room: str, words_of_tests: set[str]) -> None:
    module = importlib.import_module(f"chargeloop.{room}")
    exported = module.__all__
    assert len(exported) == len(set(exported))
    assert [name for name in exported if not hasattr(module, name)] == []
    assert [name for name in exported if name not in words_of_tests] == [], "public names that no test mentions"


@pytest.mark.parametrize("room", [name for name in STAGES if (PACKAGE / name).is_dir()])
def test_no_stage_reads_a_clock_or_a_global_random_generator(room: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in (PACKAGE / room).rglob("*.py")
        for line, name in clocks_and_dice(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found, "now and rng are arguments"


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("datetime.now(UTC)", ["datetime.now"]),
        ("time.time()", ["time.time"]),
        ("np.random.normal(3)", ["np.random.normal"]),
        ("np.random.default_rng()", ["np.random.default_rng"]),
        ("np.random.default_rng(7)", []),
        ("import random", ["random"]),
        ("time.perf_counter()", []),
        ("now + rng.normal()", []),
    ],
)
def test_the_check_sees_clocks_and_dice(source: str, named: list[str]) -> None:
    assert [name for _, name in clocks_and_dice(ast.parse(source))] == named


def clocks_and_dice(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of each read of a wall clock or of a generator that is not an argument. Monotonic timers are allowed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name == "random")
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            is_clock = re.search(r"(^|\.)(datetime\.(now|utcnow)|date\.today|time\.(time|time_ns|localtime))$", name)
            is_dice = re.search(r"(^|\.)random\.[a-z_]+$", name) and not (name.endswith("default_rng") and node.args)
            if is_clock or is_dice:
                yield node.lineno, name
