"""The `chargeloop` command: one line of help per subcommand, and a subcommand's code loaded only when it is chosen."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple, Protocol, cast

from chargeloop import __version__


class CommandModule(Protocol):
    """What a subcommand's module holds."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace) -> int: ...


class Subcommand(NamedTuple):
    module: str
    help: str
    example: str
    takes_settings: bool = False


SUBCOMMANDS = {
    "demo": Subcommand(
        "chargeloop.console.demo", "the whole loop on a simulated city, with its pages", "chargeloop demo --speed 60", True
    ),
    "serve": Subcommand(
        "chargeloop.console.serve", "a real deployment: chargers by OCPP, drivers by HTTP", "chargeloop serve --city city", True
    ),
    "edge": Subcommand(
        "chargeloop.edge.command",
        "the controller of one site: holds its limit, also without the platform",
        "chargeloop edge SITE.toml",
    ),
    "account": Subcommand(
        "chargeloop.console.account", "people who may log in", "chargeloop account add ada --role operator", True
    ),
    "simulate": Subcommand(
        "chargeloop.simulation.command",
        "compare policies on a simulated day",
        "chargeloop simulate --days 1 --policy nearest,loop --level 1.0",
    ),
    "replay": Subcommand(
        "chargeloop.console.replay",
        "back to a decision or a moment of a run, and on with something changed",
        "chargeloop replay --decision D-R00000012 --weights amount=x2",
        True,
    ),
    "assign": Subcommand(
        "chargeloop.console.assign",
        "which station for each request of your own files",
        "chargeloop assign requests.csv stations.csv --solver exact -o assigned.csv",
    ),
    "forecast": Subcommand(
        "chargeloop.console.forecast",
        "demand of each zone in the hours ahead, from your own file",
        "chargeloop forecast volume.csv --weather weather.csv --horizon 24 -o ahead.csv",
    ),
    "backtest": Subcommand(
        "chargeloop.console.backtest",
        "how good forecasts of your own file would have been, beside the naive ones",
        "chargeloop backtest volume.csv --weather weather.csv --horizons 1,3,6,12,24 --json",
    ),
    "schedule": Subcommand(
        "chargeloop.console.schedule",
        "when each session of your own files charges, at how many kW",
        "chargeloop schedule sessions.csv site.toml -o planned.csv --report planned.html",
    ),
    "plan": Subcommand(
        "chargeloop.simulation.plan",
        "where more charging bays or kilowatts help most",
        "chargeloop plan --bays 50 --html plan.html",
    ),
    "tune": Subcommand(
        "chargeloop.simulation.tune",
        "policies, fronts of several aims, and tariffs by genetic and swarm methods, judged in the twin",
        "chargeloop tune policy --evening --html tuned.html",
    ),
    "bench": Subcommand("chargeloop.bench", "run one of the checkout's benchmarks", "chargeloop bench loop --quick"),
    "doctor": Subcommand(
        "chargeloop.doctor", "what is configured, reachable and wrong, and how to mend it", "chargeloop doctor --json"
    ),
}


def top_parser() -> argparse.ArgumentParser:
    width = max(map(len, SUBCOMMANDS))
    lines = "\n".join(f"  {name:<{width}}  {subcommand.help}" for name, subcommand in SUBCOMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="chargeloop",
        usage="chargeloop [--help] [--version] COMMAND ...",
        description="Runs the charging of electric vehicles across a city as one closed loop.",
        epilog=f"commands:\n{lines}\n\n`chargeloop COMMAND --help` says more, with an example.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"chargeloop {__version__}")
    parser.add_argument("command", choices=SUBCOMMANDS, metavar="COMMAND", help=argparse.SUPPRESS)
    return parser


def parser_of(name: str) -> tuple[CommandModule, argparse.ArgumentParser]:
    """Import a subcommand's module and build its parser."""
    subcommand = SUBCOMMANDS[name]
    module = cast(CommandModule, importlib.import_module(subcommand.module))
    parser = argparse.ArgumentParser(
        prog=f"chargeloop {name}",
        description=subcommand.help.capitalize() + ".",
        epilog=f"example: {subcommand.example}",
    )
    module.add_arguments(parser)
    if subcommand.takes_settings:
        from chargeloop.settings import add_arguments  # noqa: PLC0415 (pydantic is not needed for --help)

        add_arguments(parser)
    return module, parser


def run(argv: Sequence[str]) -> int:
    """Parse the command line and run what it names.

    Raises:
        ChargeloopError: whatever the subcommand could not do.
    """
    name = top_parser().parse_args(argv[:1]).command
    module, parser = parser_of(name)
    args = parser.parse_args(argv[1:])
    args.command = name
    if SUBCOMMANDS[name].takes_settings:
        from chargeloop.settings import fill  # noqa: PLC0415

        fill(args)
    return module.run(args)


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 failed, 2 bad input, 130 interrupted."""
    try:
        return run(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        # Imported here because even the small `model` brings numpy, which `--help` should not wait for.
        from chargeloop.model.errors import BadInput, ChargeloopError  # noqa: PLC0415

        if not isinstance(error, ChargeloopError):
            raise
        sys.stderr.write(f"chargeloop: {error}\n")
        return 2 if isinstance(error, BadInput) else 1
