"""`chargeloop serve`: a real deployment, on the wall clock unless told otherwise."""

import argparse
import asyncio
import logging
import sys

import structlog
from pydantic import SecretStr

from chargeloop.console.partners import read_partners
from chargeloop.console.server import Options, serve
from chargeloop.loop import Clock
from chargeloop.pki import Clearing, Pair, Tls


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
        api_token=_shown(args.api_token),
        feed_token=_shown(args.feed_token),
        ocpp_bays=args.ocpp_bays,
        accept_unknown_tokens=args.accept_unknown_tokens or args.ocpp_bays is not None,
        database_url=_shown(args.database_url),
        tls=Tls((Pair(args.ocpp_tls_chain, args.ocpp_tls_key),)) if args.ocpp_tls_chain else None,
        ocpp_tls_port=args.ocpp_tls_port,
        password_days=args.ocpp_password_days,
        operator=args.operator,
        ocsp_url=args.ocsp_url,
        forward=Clearing(args.contract_service_url, _shown(args.contract_service_token) or "")
        if args.contract_service_url
        else None,
        partners=read_partners(args.partners) if args.partners else None,
        parent=args.parent,
    )


def _shown(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None
