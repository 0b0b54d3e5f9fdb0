"""One running server: database, loop, OCPP gateway, feeds, HTTP API and pages, started and stopped together."""

import asyncio
import ipaddress
import os
import signal
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI

from chargeloop.api import Context, create_app
from chargeloop.city import load_city
from chargeloop.console.fitting import FittingProcess
from chargeloop.console.partners import Partners, PartnersFile
from chargeloop.console.web import add_pages
from chargeloop.gateway.ocpp import OcppGateway, TokenInfo, prepare_process
from chargeloop.gateway.telemetry import TelemetryHub
from chargeloop.guidance import Guide
from chargeloop.identity import Accounts, Audit, Tokens, is_emaid
from chargeloop.loop import CityLoop, Clock, known_until, stages_of
from chargeloop.model import Command, GuideDriver, Layout, Tariff, Unreachable
from chargeloop.persistence import Store
from chargeloop.pki import Credentials, Forward, Pki, Tls, open_pki
from chargeloop.protocols.ocpp import Listed
from chargeloop.simulation import Nightly
from chargeloop.simulation.chargers import ocpp_evses

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Options:
    """`ocpp_bays`: how many bays connect as chargers of their own without being adopted; None: none. `tick_s`: domain seconds.

    `tls`: without it there is no port for chargers over TLS. `ocsp_url`, `forward`: see `pki.Authority`, `pki.Clearing`.
    `parent`: process without which the server ends.
    """

    host: str
    http_port: int
    ocpp_port: int
    data_dir: Path
    city: Path | None
    tick_s: float
    clock: Clock
    api_token: str | None = None
    feed_token: str | None = None
    ocpp_bays: int | None = None
    accept_unknown_tokens: bool = False
    database_url: str | None = None
    tls: Tls | None = None
    ocpp_tls_port: int = 0
    password_days: int | None = None
    operator: str | None = None
    ocsp_url: str | None = None
    forward: Forward | None = None
    partners: PartnersFile | None = None
    parent: int | None = None


async def serve(options: Options, ready: asyncio.Event | None = None) -> None:
    """Run until cancelled or told to stop by a signal.

    Raises:
        Unreachable: a port is taken, or the database cannot be opened.
        BadInput: the city folder or the database is damaged.
    """
    with listen(options.host, options.http_port, "--http-port") as listener:
        await _serve(options, listener, ready)


async def _serve(options: Options, listener: socket.socket, ready: asyncio.Event | None) -> None:
    city = known_until(load_city(options.city), options.clock.now())
    layout = Layout.of(city)
    guide = Guide.of(city, layout)
    options.data_dir.mkdir(parents=True, exist_ok=True)
    store = await Store.open(options.database_url or options.data_dir / "chargeloop.db")
    fitting = FittingProcess(options.data_dir / "forecaster.npz")
    try:
        outside = Outside()
        nightly = Nightly(city, layout, guide, background=True)
        stages = stages_of(city, layout, guide, ahead=nightly, keep=True, fitting=fitting)
        loop = CityLoop(city, layout, stages, store, options.clock, outside.send)
        await loop.rebuild()
        store.on_commit = loop.publish
        accounts, tokens, audit = await Accounts.load(store), await Tokens.load(store), Audit(store)
        folder = options.data_dir / "pki"
        pki = open_pki(
            folder,
            options.operator or ("" if (folder / "stations").exists() else "Chargeloop"),
            _wall(),
            options.ocsp_url,
            token_status=lambda emaid: tokens.status(emaid, _wall()),
        )
        outside.loop = loop
        outside.gateway = OcppGateway(
            store,
            options.clock.now,
            partial(_station_of, layout),
            authorise=partial(_authorise, tokens, pki, outside, options.accept_unknown_tokens),
            pki=pki,
            forward=options.forward,
            zone=city.time_zone,
            entries=partial(_listed, tokens),
            cost_of=loop.cost_if_ended,
            password_days=options.password_days,
            tariff_of=partial(_tariff_of, city.tariffs_of_stations(), layout),
        )
        outside.partners = Partners(options.partners or PartnersFile(), loop, store, outside.gateway)
        tokens.on_change = outside.gateway.lists.changed
        if options.ocpp_bays is not None:  # the twin's
            await outside.gateway.enrol(ocpp_evses(layout, options.ocpp_bays))
        outside.hub = TelemetryHub(store=store, token=options.feed_token)
        context = Context(
            loop, store, guide, outside.gateway, accounts, tokens, audit, pki, options.api_token, is_loopback(options.host)
        )
        app = create_app(context)
        app.include_router(outside.hub.router)
        outside.partners.serve_at(app)
        add_pages(app)
        trusted = folder / "stations" / "root.pem"
        credentials = Credentials(replace(options.tls, client_ca=trusted)) if options.tls is not None else None
        await outside.gateway.start(options.host, options.ocpp_port, credentials, options.ocpp_tls_port)
        prepare_process()
        await outside.partners.start()
        turning = asyncio.create_task(loop.run(max(options.tick_s / options.clock.speed, 0.5)))
        try:
            await _http(app, listener, options.parent, ready, store)
        finally:
            turning.cancel()
            with suppress(asyncio.CancelledError):
                await turning
            await outside.partners.stop()
            await outside.gateway.stop()
            await loop.turn()  # what has ended is settled before we go
            await loop.save()
    finally:
        fitting.stop()
        await store.close()


class Outside:
    """Where the loop's commands go: to charge points by OCPP, to everything else by its feed."""

    loop: CityLoop
    gateway: OcppGateway
    hub: TelemetryHub
    partners: Partners

    def __init__(self) -> None:
        self._sending: set[asyncio.Task[None]] = set()

    async def send(self, commands: Sequence[Command]) -> None:
        """Hand over commands without waiting for a charger's answer: a mute charger must not hold up the city."""
        fed, by_ocpp = [], self.gateway.evses
        for command in commands:
            if isinstance(command, GuideDriver) or command.evse_id not in by_ocpp:
                fed.append(command)
            else:
                task = asyncio.create_task(self._by_ocpp(command))
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)
        await self.hub.send(fed)

    async def _by_ocpp(self, command: Command) -> None:
        if not await self.gateway.send(command):
            self.loop.undelivered(command)


def _listed(tokens: Tokens) -> Iterable[Listed]:
    """The tokens as chargers keep them."""
    return (Listed(each.id_token, each.status, each.expires_at, each.group) for each in tokens.all)


def _station_of(layout: Layout, evse_id: str) -> str | None:
    index = layout.evse_index.get(evse_id)
    return None if index is None else layout.station_ids[layout.evse_station[index]]


def _tariff_of(tariffs: Mapping[str, Tariff], layout: Layout, evse_id: str) -> Tariff | None:
    """`tariffs`: of each station."""
    station_id = _station_of(layout, evse_id)
    return None if station_id is None else tariffs[station_id]


def _wall() -> datetime:
    return datetime.now(UTC)


def _authorise(tokens: Tokens, pki: Pki, outside: Outside, accept_unknown: bool, id_token: str, now: datetime) -> TokenInfo:
    """A token that is listed, of a contract of ours, of a partner's charge, or that a driver with a reservation got from us.

    Others only where that was chosen.
    """
    status = tokens.status(id_token, now)
    if status is not None:
        found = tokens.find(id_token)
        return TokenInfo(status, found.expires_at, found.group) if found is not None else TokenInfo(status)
    from_us = outside.loop.has_reserved(id_token) or outside.partners.knows(id_token)
    is_known = from_us or (is_emaid(id_token) and bool(pki.contracts.chains(id_token, _wall())))
    return TokenInfo("Accepted" if accept_unknown or is_known else "Invalid")


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to an address listened on."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int, flag: str) -> socket.socket:
    """A listening socket.

    Raises:
        Unreachable: the port cannot be had; `flag` is what to choose another one with.
    """
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise Unreachable(f"port {port} on {host}: {error.strerror}; choose another with {flag}") from None


async def _http(app: FastAPI, listener: socket.socket, parent: int | None, ready: asyncio.Event | None, store: Store) -> None:
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2))
    for each in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again when it is done; without a handler that would end us before we have saved
        asyncio.get_running_loop().add_signal_handler(each, setattr, server, "should_exit", True)
    store.on_lost = partial(setattr, server, "should_exit", True)
    watch = asyncio.create_task(_end_with(parent, server)) if parent is not None else None
    if ready is not None:
        ready.set()
    await server.serve(sockets=[listener])
    if watch is not None:
        watch.cancel()
    if store.lost is not None:
        raise store.lost


async def _end_with(parent: int, server: uvicorn.Server) -> None:
    while os.getppid() == parent:
        await asyncio.sleep(1)
    server.should_exit = True
