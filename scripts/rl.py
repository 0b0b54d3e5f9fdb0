"""`make rl`: make .venv-rl, which has what training needs beside the platform, and run `scripts.train` in it.

The versions are those of the lock; what is in no lock, torch above all, is as pyproject.toml says (extra `rl`). Where pip is
told of a folder or an index with torch for CPUs, that is taken; the usual one brings gigabytes for GPUs, which are not used.
"""

import os
import subprocess
import sys

from scripts.setup import ROOT, step, uv

VENV = ROOT / ".venv-rl"
PYTHON = VENV / "bin" / "python"


def install() -> None:
    uv("venv", "--quiet", "--clear", "--python", sys.executable, str(VENV))
    wanted = ("--requirements", "pyproject.toml", "--extra", "rl", "--constraints", "requirements/dev.txt")
    uv("pip", "install", "--quiet", "--python", str(PYTHON), *wanted)


def main() -> int:
    try:
        step(
            "Installing what training needs",
            [ROOT / "pyproject.toml", ROOT / "requirements" / "dev.txt"],
            install,
            makes=PYTHON,
        )
    except subprocess.CalledProcessError as error:
        print(f"\n{error.output}\nThe step above failed: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        return 1
    where = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run([PYTHON, "-m", "scripts.train", *sys.argv[1:]], cwd=ROOT, env=where, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
