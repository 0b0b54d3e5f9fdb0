"""What may stand in tracked files."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import chargeloop

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("run", "dev", "uv")
MAX_LINES = 500
MAX_BYTES = 2_000_000

# Put together from pieces, so that this file does not name what it looks for.
NOT_OURS = {
    "a registry": "|".join(["pypi" + r"\.org", "python" + "hosted", "registry" + r"\.npmjs", r"--(?:extra-)?index-" + "url"]),
    "an address in a lock": r'"resolved":\s*"' + "http",
    "a path of one machine": r"(?<![\w.*$}~-])/(?:work|home|root|Users)/" + r"\w",
}


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("needs a git checkout, to know what is tracked")
    return [path for name in listing.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("kind", NOT_OURS)
def test_nothing_names_a_machine_or_a_registry(tracked: list[Path], kind: str) -> None:
    pattern = re.compile(NOT_OURS[kind])
    named = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in tracked
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="ignore").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not named, "\n".join(named)


def test_no_source_file_is_long(tracked: list[Path]) -> None:
    sources = [path for path in tracked if path.suffix in {".py", ".ts", ".tsx"}]
    lines = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in sources}
    assert not {path: count for path, count in lines.items() if count > MAX_LINES}


def test_no_tracked_file_is_data(tracked: list[Path]) -> None:
    large = [path for path in tracked if path.stat().st_size > MAX_BYTES]
    data = [path for path in tracked if path.suffix in {".parquet", ".pbf", ".csv", ".gz", ".db"}]
    assert not large + data


def test_the_changelog_tells_of_this_version() -> None:
    assert f"## {chargeloop.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_an_exact_version_and_hashes(name: str) -> None:
    entries = locked_entries(name)
    assert entries
    for entry in entries:
        assert re.match(r"[\w.-]+==[\w.!+-]+", entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_the_locks_cover_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {name_of(line) for line in project["dependencies"]}
    for_dev = {name_of(line) for line in project["optional-dependencies"]["dev"]}
    run, dev = (set(map(name_of, locked_entries(name))) for name in ("run", "dev"))
    assert needed <= run
    assert needed | for_dev <= dev
    assert run <= dev


def test_both_locks_name_the_same_versions() -> None:
    run, dev = ({name_of(entry): entry.split()[0] for entry in locked_entries(name)} for name in ("run", "dev"))
    assert {name: dev[name] for name in run} == run


def locked_entries(name: str) -> list[str]:
    """The requirements of a lock, each with its continuation lines."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return [entry for entry in re.split(r"\n(?=[\w])", text) if not entry.startswith("#")]


def name_of(requirement: str) -> str:
    found = re.match(r"[\w.-]+?(?=[\s\[<>=!~;]|$)", requirement)
    assert found, requirement
    return re.sub(r"[._-]+", "-", found[0]).lower()
