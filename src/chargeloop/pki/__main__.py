"""`python -m chargeloop.pki`: certificates made, listed and revoked by hand, beside a running server or without one."""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from chargeloop.model import BadInput
from chargeloop.model.errors import ChargeloopError
from chargeloop.pki.authority import Authority
from chargeloop.pki.chain import identity
from chargeloop.pki.office import Pki, open_pki


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m chargeloop.pki", description="Certificates made, listed and revoked by hand.")
    top.add_argument("--folder", type=Path, default=Path("var/pki"), help="of the authorities (default var/pki)")
    top.add_argument(
        "--operator", default="", help="O of all certificates; needed the first time, when the authorities are made"
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    server = commands.add_parser("server", help="key and certificate for the port that chargers connect to by TLS")
    server.add_argument("hosts", nargs="+", metavar="HOST", help="names and addresses that chargers know the server by")
    station = commands.add_parser("station", help="key and certificate for a charger that cannot ask for one by itself")
    station.add_argument("identity", metavar="IDENTITY", help="the last part of the charger's URL")
    contract = commands.add_parser("contract", help="key and certificate of a Plug and Charge contract")
    contract.add_argument("emaid", metavar="EMAID", help="such as DE-8AA-CA2B3C4D5-L")
    vehicle = commands.add_parser("vehicle", help="let a vehicle fetch a contract by itself, through any charger")
    withdraw = commands.add_parser("withdraw", help="take it back, with the certificates that the vehicle was given")
    for command in (vehicle, withdraw):
        command.add_argument("pcid", metavar="PCID", help="common name of the vehicle's provisioning certificate")
        command.add_argument("emaid", metavar="EMAID", help="such as DE-8AA-CA2B3C4D5-L")
    commands.add_parser("vehicles", help="which vehicle may fetch which contract")
    for command in (server, station, contract):
        command.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="where the two files go (default here)")
    commands.add_parser("list", help="all that was issued")
    revoke = commands.add_parser("revoke", help="never accept a certificate again")
    revoke.add_argument("serial", metavar="SERIAL", help="as listed")
    revoke.add_argument("--reason", default="unspecified", help="as RFC 5280 names it: keyCompromise, superseded ...")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 2 bad input."""
    args = parser().parse_args(argv)
    now = datetime.now(UTC)
    try:
        pki = _open(args.folder, args.operator, now)
        match args.command:
            case "server":
                said = _hand_out(*pki.stations.issue(args.hosts[0], now, args.hosts), args.out, args.hosts[0])
            case "station":
                said = _hand_out(*pki.stations.issue(args.identity, now), args.out, args.identity)
            case "contract":
                said = _hand_out(*pki.contracts.issue(args.emaid, now), args.out, args.emaid)
            case "vehicle":
                done = pki.provisioning.vehicles.assign(args.pcid, args.emaid, now)
                said = f"{args.pcid} may {'' if done else 'already '}fetch {args.emaid}\n"
            case "withdraw":
                done = pki.provisioning.withdraw(args.pcid, args.emaid, now)
                said = f"{args.pcid} has lost {args.emaid}{'' if done else ' before'}\n"
            case "vehicles":
                said = "".join(_vehicles(pki))
            case "revoke":
                said = _revoke(pki, args.serial, now, args.reason)
            case _:
                said = "".join(_rows(pki, now))
    except ChargeloopError as error:
        sys.stderr.write(f"chargeloop.pki: {error}\n")
        return 2
    sys.stdout.write(said)
    return 0


def _open(folder: Path, operator: str, now: datetime) -> Pki:
    if not (folder / "stations").exists() and not operator:
        raise BadInput("--operator", "name the operator: its authorities are made now")
    return open_pki(folder, operator, now)


def _hand_out(chain: str, key: str, out: Path, name: str) -> str:
    """Two new files; none is ever written over."""
    chain_file, key_file = (
        out / f"{''.join(c if c.isalnum() or c in '.-_' else '_' for c in name)}.{kind}" for kind in ("pem", "key")
    )
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path, content, mode in ((key_file, key, 0o600), (chain_file, chain, 0o644)):
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "w") as file:
                file.write(content)
    except OSError as error:
        raise BadInput(str(error.filename), error.strerror or str(error)) from None
    return f"{chain_file}\n{key_file}\n"


def _authorities(pki: Pki) -> dict[str, Authority]:
    return {"station": pki.stations, "v2g": pki.v2g, "contract": pki.contracts.authority, "cps": pki.cps}


def _revoke(pki: Pki, serial: str, now: datetime, reason: str) -> str:
    try:
        number = int(serial, 16)
    except ValueError:
        raise BadInput("SERIAL", "must be hex digits, as `list` shows them") from None
    for authority in _authorities(pki).values():
        if authority.entry(number) is not None:
            authority.revoke(serial, now, reason)
            return f"{serial} is revoked\n"
    raise BadInput("SERIAL", "no certificate of ours")


def _rows(pki: Pki, now: datetime) -> list[str]:
    rows = []
    for kind, authority in _authorities(pki).items():
        for entry in authority.entries():
            found = identity(entry.certificate)
            state = "revoked" if entry.revoked is not None else "expired" if found.not_after < now else "good"
            rows.append(f"{found.serial:<40}  {kind:<8}  {state:<7}  {found.not_after:%Y-%m-%d}  {found.common_name}\n")
    return rows


def _vehicles(pki: Pki) -> list[str]:
    return [
        f"{each.pcid:<20}  {each.emaid:<15}  {each.since:%Y-%m-%d}  {len(each.serials)} certificates given\n"
        for each in pki.provisioning.vehicles.all
    ]


if __name__ == "__main__":
    sys.exit(main())
