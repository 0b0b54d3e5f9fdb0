"""`python -m chargeloop.pki`, as an operator types it."""

import subprocess
import sys
from pathlib import Path

import pytest

from chargeloop.pki.__main__ import main
from tests.pki.openssl_ca import openssl


def test_from_nothing_to_a_server_a_charger_and_a_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / "pki", tmp_path / "out"
    common = ["--folder", str(folder)]
    assert main([*common, "--operator", "Stadtwerke Köln", "server", "localhost", "192.0.2.7", "--out", str(out)]) == 0
    assert capsys.readouterr().out.split() == [str(out / "localhost.pem"), str(out / "localhost.key")]
    assert main([*common, "station", "CP/7", "--out", str(out)]) == 0
    assert main([*common, "contract", "DE-8AA-CA2B3C4D5-L", "--out", str(out)]) == 0
    assert (out / "CP_7.key").stat().st_mode & 0o777 == 0o600
    for name, root in (("localhost", "stations"), ("CP_7", "stations"), ("DE-8AA-CA2B3C4D5-L", "contracts")):
        chain = out / f"{name}.pem"
        assert b"OK" in openssl("verify", "-CAfile", folder / root / "root.pem", "-untrusted", chain, chain)
    assert "Stadtwerke K" in openssl("x509", "-in", out / "CP_7.pem", "-noout", "-subject", "-nameopt", "utf8").decode()
    capsys.readouterr()

    assert main([*common, "list"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[1:3] + row.split()[4:] for row in rows] == [
        ["station", "good", "localhost"],
        ["station", "good", "CP/7"],
        ["contract", "good", "DE8AACA2B3C4D5L"],
    ]
    assert main([*common, "revoke", rows[1].split()[0], "--reason", "keyCompromise"]) == 0
    capsys.readouterr()
    assert main([*common, "list"]) == 0
    assert [row.split()[2] for row in capsys.readouterr().out.splitlines()] == ["good", "revoked", "good"]


def test_which_vehicle_may_fetch_which_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ["--folder", str(tmp_path / "pki")]
    contract = ["WMIV1234567890ABC", "DE-8AA-CA2B3C4D5-L"]
    for argv, said in (
        (["--operator", "S", "vehicle", *contract], "WMIV1234567890ABC may fetch DE-8AA-CA2B3C4D5-L"),
        (["vehicle", *contract], "WMIV1234567890ABC may already fetch DE-8AA-CA2B3C4D5-L"),
        (["vehicles"], "WMIV1234567890ABC     DE8AACA2B3C4D5L"),
        (["withdraw", *contract], "WMIV1234567890ABC has lost DE-8AA-CA2B3C4D5-L\n"),
        (["withdraw", *contract], "WMIV1234567890ABC has lost DE-8AA-CA2B3C4D5-L before"),
    ):
        assert main([*folder, *argv]) == 0
        assert capsys.readouterr().out.startswith(said)
    assert main([*folder, "vehicles"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--folder", "new", "list"], "--operator: name the operator"),
        (["--operator", "S", "revoke", "xyz"], "SERIAL: must be hex digits"),
        (["--operator", "S", "revoke", "77"], "SERIAL: no certificate of ours"),
        (["--operator", "S", "contract", "me"], "eMAID: "),
        (["--operator", "S", "vehicle", "WMI1", "DE-8AA-CA2B3C4D5-N"], "eMAID: 'DE-8AA-CA2B3C4D5-N' is mistyped"),
        (["--operator", "S", "withdraw", "WMI1", "DE-8AA-CA2B3C4D5"], "vehicle: WMI1 has no contract"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    argv: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"chargeloop.pki: {said}")
    assert error.count("\n") == 1


def test_files_are_never_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--operator", "S", "server", "localhost"]) == 0
    assert main(["server", "localhost"]) == 2
    assert "localhost.key: File exists" in capsys.readouterr().err


def test_it_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "chargeloop.pki", "--help"], capture_output=True, text=True, check=True)
    assert "usage: python -m chargeloop.pki" in done.stdout
