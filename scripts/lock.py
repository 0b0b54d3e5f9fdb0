"""`make lock`: compile what pyproject.toml asks for into exact versions with hashes, and without addresses.

run.txt is what a deployment installs, dev.txt adds what tests and tools need, uv.txt is what pip installs first, acnportal.txt
and statsforecast.txt are the environments of peers that energies and forecasts are compared with.
`make lock ARGS=--upgrade` takes the newest versions; without it versions stay unless pyproject.toml forbids them.
"""

import sys

from scripts.setup import ROOT, uv

LOCKS = ROOT / "requirements"


def compile_lock(name: str, *arguments: str) -> None:
    uv(
        *("pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"),
        *("--no-header", "--no-emit-index-url", "--no-emit-find-links", "--output-file", f"requirements/{name}.txt"),
        *arguments,
    )


def main() -> None:
    compile_lock("run", "pyproject.toml", *sys.argv[1:])
    compile_lock("dev", "pyproject.toml", "--extra", "dev", "--constraint", "requirements/run.txt", *sys.argv[1:])
    only_uv = next(line for line in (LOCKS / "dev.txt").read_text().splitlines() if line.startswith("uv=="))
    uv_in = LOCKS / "uv.in"
    uv_in.write_text(only_uv.rstrip(" \\") + "\n")
    compile_lock("uv", "requirements/uv.in", "--no-annotate")
    uv_in.unlink()
    for peer in ("acnportal", "statsforecast"):
        compile_lock(peer, f"requirements/{peer}.in", "--no-annotate", *sys.argv[1:])


if __name__ == "__main__":
    main()
