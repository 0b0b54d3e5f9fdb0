"""`chargeloop account`: people's accounts, by hand, while no server runs on the database."""

import argparse
import asyncio
import getpass
import sys
from pathlib import Path

from chargeloop.identity import ROLES, Accounts
from chargeloop.model import BadInput, Unreachable
from chargeloop.persistence import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("do", choices=("add", "list", "disable", "enable", "password", "remove"), help="what to do")
    parser.add_argument("name", nargs="?", help="of the account")
    parser.add_argument("--role", action="append", default=[], help=f"for add; again for more: {', '.join(ROLES)}")


def run(args: argparse.Namespace) -> int:
    """A new password is asked for twice on a terminal, else read from the first line of the input.

    Raises:
        BadInput: what is asked for makes no sense.
        Unreachable: a server is using the database.
    """
    if (args.name is None) != (args.do == "list"):
        raise BadInput("NAME", "is needed, except for list")
    password = _password() if args.do in ("add", "password") else ""
    Path(args.data_dir).mkdir(parents=True, exist_ok=True)
    url = args.database_url.get_secret_value() if args.database_url else None
    asyncio.run(_do(args, password, url or Path(args.data_dir) / "chargeloop.db"))
    return 0


async def _do(args: argparse.Namespace, password: str, database: str | Path) -> None:
    try:
        store = await Store.open(database)
    except Unreachable as error:
        raise Unreachable(f"{error}; while the server runs, use the page Accounts of its console") from None
    try:
        accounts = await Accounts.load(store)
        match args.do:
            case "add":
                await accounts.add(args.name, password, args.role)
            case "password":
                await accounts.change(args.name, password=password)
            case "disable" | "enable":
                await accounts.change(args.name, disabled=args.do == "disable")
            case "remove":
                await accounts.remove(args.name)
        for each in accounts.all:
            sys.stdout.write(f"{each.name}\t{', '.join(each.roles)}{' (disabled)' if each.disabled else ''}\n")
    finally:
        await store.close()


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise BadInput("password", "the two differ")
    return first
