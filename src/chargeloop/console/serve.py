"""`chargeloop serve`: a real deployment, on the wall clock unless told otherwise."""

import argparse
import asyncio
import logging
import sys

import structlog

from chargeloop.console.server import Options, serve
from chargeloop.loop import Clock


def add_arguments(parser: argparse.ArgumentParser) -> None:
    # These are for `chargeloop demo`, whose clock and charge points are the twin's.
    parser.add_argument("--clock", help=argparse.SUPPRESS)
    parser.add_argument("--ocpp-bays", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--parent", type=int, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, args.log_level.upper())),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    asyncio.run(serve(_options(args)))
    return 0


def _options(args: argparse.Namespace) -> Options:
    return Options(
        host=args.host,
        http_port=args.http_port,
        ocpp_port=args.ocpp_port,
        data_dir=args.data_dir,
        city=args.city,
        tick_s=args.tick_s,
        clock=Clock.parse(args.clock) if args.clock else Clock.real(),
        api_token=args.api_token.get_secret_value() if args.api_token else None,
        feed_token=args.feed_token.get_secret_value() if args.feed_token else None,
        ocpp_bays=args.ocpp_bays,
        accept_unknown_tokens=args.accept_unknown_tokens or args.ocpp_bays is not None,
        database_url=args.database_url.get_secret_value() if args.database_url else None,
        parent=args.parent,
    )
