import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import setup

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the first half of the set-up and nothing else."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "setup.sh", tmp_path / "scripts")
    return tmp_path


def fake_python(folder: Path, script: str) -> Path:
    python = folder / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    return python


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 1", "Python 3.11 or newer"),
        ('case "$2" in *version_info*) exit 0;; *) exit 1;; esac', "apt install python3-venv"),
    ],
)
def test_an_unfit_python_gets_one_line_that_says_what_to_do(checkout: Path, script: str, said: str) -> None:
    environment = {**os.environ, "PYTHON": str(fake_python(checkout, script))}
    done = subprocess.run(
        ["sh", "scripts/setup.sh"], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert (done.stdout + done.stderr).count("\n") == 1
    assert not (checkout / ".venv").exists()


def test_a_step_runs_again_only_when_its_files_or_its_product_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "STAMPS", tmp_path / "stamps")
    source, product = tmp_path / "source", tmp_path / "product"
    source.write_text("one")
    runs = 0

    def bake() -> None:
        nonlocal runs
        runs += 1
        product.touch()

    def again() -> int:
        setup.step("Baking", [source], bake, makes=product)
        return runs

    assert (again(), again()) == (1, 1)
    source.write_text("two")
    assert (again(), again()) == (2, 2)
    product.unlink()
    assert (again(), again()) == (3, 3)
    assert capsys.readouterr().out.count("Baking ...") == 3


def test_a_step_that_fails_is_not_taken_for_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "STAMPS", tmp_path / "stamps")

    def fail() -> None:
        setup.call([sys.executable, "-c", "print('why'); raise SystemExit(3)"])

    for _ in range(2):
        with pytest.raises(subprocess.CalledProcessError) as caught:
            setup.step("Failing", [], fail)
        assert caught.value.output == "why\n"


def test_skipped_folders_are_no_sources(tmp_path: Path) -> None:
    for name in ("a.ts", "deep/b.ts", "node_modules/c.ts", "deep/node_modules/d.ts"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = {path.relative_to(tmp_path).as_posix() for path in setup.sources(tmp_path, "node_modules")}
    assert found == {"a.ts", "deep/b.ts"}


def test_uv_is_told_the_index_that_pip_is_configured_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example/simple")
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    assert setup.pip_settings()["UV_DEFAULT_INDEX"] == "https://packages.example/simple"
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://other.example/simple")
    assert "UV_DEFAULT_INDEX" not in setup.pip_settings(), "what uv is told already stays"
