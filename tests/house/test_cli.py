import json
import subprocess
import sys

import pytest

from chargeloop import __version__, cli
from chargeloop.cli import SUBCOMMANDS, main, parser_of
from chargeloop.model import BadInput, Unreachable

HEAVY = ("fastapi", "numba", "numpy", "pandas", "pydantic", "scipy", "sqlalchemy")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import json, sys\nfrom chargeloop.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    sys.stderr.write(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(json.loads(done.stderr))
    assert all(name in done.stdout for name in SUBCOMMANDS)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"usage: chargeloop {name}" in shown
    assert f"example: {SUBCOMMANDS[name].example}" in shown


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_the_example_of_every_subcommand_parses(name: str) -> None:
    _, parser = parser_of(name)
    parser.parse_args(SUBCOMMANDS[name].example.split()[2:])


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"chargeloop {__version__}\n"


@pytest.mark.parametrize("argv", [["fly"], [], ["doctor", "--fly"]])
def test_a_wrong_command_line_is_bad_input(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (BadInput("roads.csv: row 3", "no such node"), 2, "chargeloop: roads.csv: row 3: no such node\n"),
        (Unreachable("port 9000 is taken"), 1, "chargeloop: port 9000 is taken\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_meant_for_people_are_one_line_and_a_status(
    error: BaseException, status: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(argv: list[str]) -> int:
        raise error

    monkeypatch.setattr(cli, "run", fail)
    assert main([]) == status
    assert capsys.readouterr().err == said


def test_other_errors_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(argv: list[str]) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "run", fail)
    with pytest.raises(ZeroDivisionError):
        main([])


def test_bad_settings_stop_a_command_with_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CHARGELOOP_HTTP_PORT", "eighty")
    assert main(["serve"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("chargeloop: CHARGELOOP_HTTP_PORT: ")
    assert said.count("\n") == 1


def test_python_m_chargeloop_is_the_same_command() -> None:
    done = subprocess.run([sys.executable, "-m", "chargeloop", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"chargeloop {__version__}\n"
