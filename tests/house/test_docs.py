"""What the documentation shows is true: its Python runs, its commands parse, its links and tables are whole."""

import re
import shlex
from pathlib import Path

import pytest

from chargeloop.cli import SUBCOMMANDS, parser_of
from chargeloop.settings import SECRETS, Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_python_in_the_docs_runs(page: Path) -> None:
    shared: dict[str, object] = {}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), shared)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_in_the_docs_parse(page: Path) -> None:
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    commands = [shlex.split(line, comments=True) for line in lines if re.match(r"\S*chargeloop ", line)]
    for _, name, *arguments in commands:
        parser_of(name)[1].parse_args([each for each in arguments if each != "&"])


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_make_targets_in_the_docs_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_of_the_docs_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path) if path else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-")) for heading in headings}, target


def test_the_reference_has_every_command_and_setting() -> None:
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert [name for name in SUBCOMMANDS if f"`chargeloop {name}" not in reference] == []
    for name, field in Settings.model_fields.items():
        row = next(line for line in reference.splitlines() if f"`CHARGELOOP_{name.upper()}`" in line and line.startswith("|"))
        assert (f"`--{name.replace('_', '-')}`" in row) == (name not in SECRETS)
        assert field.default is None or f"`{field.default}`" in row


def test_the_reference_has_every_route_of_the_api() -> None:

    from chargeloop.api import accountable, chargers, city, drivers, live, ocsp, people, queue, records  # noqa: PLC0415 (heavy)

    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    routers = [part.router for part in (accountable, chargers, city, drivers, live, ocsp, people, queue, records)]
    routers += [live.open_router, people.login_router, queue.driver_router, records.money_router]
    paths = {route.path for router in routers for route in router.routes}
    assert sorted(path for path in paths if f"{path}`" not in reference) == []
