"""A wheel holds all that runs: modules, data files, migrations, makers' quirks, and the pages where they are built."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
MADE_LOCALLY = {".pyc", ".nbi", ".nbc"}  # by Python and numba, for this machine


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What is in a wheel of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_file_of_the_package_is_in_it(names: set[str]) -> None:
    files = [path for path in (SOURCE / "chargeloop").rglob("*") if path.is_file() and path.suffix not in MADE_LOCALLY]
    assert [path for path in files if path.relative_to(SOURCE).as_posix() not in names] == []


@pytest.mark.parametrize(
    "part",
    ["gateway/ocpp/quirks/go-e.toml", "persistence/migrations/script.py.mako", "persistence/migrations/env.py", "py.typed"],
)
def test_files_that_are_no_modules_of_ours_are_there(names: set[str], part: str) -> None:
    assert f"chargeloop/{part}" in names
