"""The site's TOML file: its circuits, meter, chargers, and the platform above."""

import math
import stat
import tomllib
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from chargeloop.gateway.ocpp.listener import is_identity
from chargeloop.model import BadInput

Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Port = Annotated[int, Meta(ge=0, le=65535)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
T = TypeVar("T")


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all tables: a key that is not known is an error."""


class Circuit(Part, frozen=True, kw_only=True):
    """A cable with its fuse. `limit_kw` of all phases, `limit_a` of each; `base_kw`: what hangs on it beside the chargers.

    The first circuit of a site is its connection to the grid, whose load the meter measures.
    """

    name: Name
    parent: Name | None = None
    limit_kw: Positive | None = None
    limit_a: Positive | None = None
    base_kw: NotNegative = 0.0


class Meter(Part, frozen=True, kw_only=True):
    """Modbus TCP. `map`: of `edge/meters`, or a path to a file like those. It is not believed when `stale_s` old,

    or when not a digit has changed for `frozen_s` (0: that is not looked at).
    """

    host: str
    port: Port = 502
    unit: Annotated[int, Meta(ge=0, le=255)] = 1
    map: str = "sunspec-203"
    stale_s: Positive = 5.0
    frozen_s: NotNegative = 300.0


class ChargerOf(Part, frozen=True, kw_only=True):
    """A charger, all of whose connectors are alike. `phases` 0: direct current. `first_phase`: what its L1 is connected to.

    `fallback_kw`: of the whole charger, once it has heard nothing of us; without one, its part of the site's `blind_kw`.
    """

    id: str
    circuit: Name | None = None
    connectors: Annotated[int, Meta(ge=1, le=8)] = 1
    phases: Literal[0, 1, 3] = 3
    first_phase: Literal[1, 2, 3] = 1
    max_kw: Positive = 11.0
    min_a: NotNegative = 6.0
    rate_unit: Literal["A", "W"] = "A"
    fallback_kw: NotNegative | None = None


class Upstream(Part, frozen=True, kw_only=True):
    """The platform. `url`: a charger's identity is appended to it. `ca`: PEM file of the authority of its certificate.

    `answer_s`: how long an answer may take. `retry_s`: the longest pause before a link is tried again.
    """

    url: str
    ca: Path | None = None
    answer_s: Positive = 10.0
    retry_s: Positive = 30.0


class Listen(Part, frozen=True, kw_only=True):
    """Where chargers, and people of the site, connect."""

    host: str = "127.0.0.1"
    ocpp_port: Port = 9000
    tls_chain: Path | None = None
    tls_key: Path | None = None
    http_host: str = "127.0.0.1"
    http_port: Port = 8090


class Control(Part, frozen=True, kw_only=True):
    """How the limit is held. `margin_pct`: of each metered limit, kept free. `ramp_s`: in which power rises to the limit.

    `react_s`: what chargers and vehicles take to follow. `hold_s`: between two rises of a charger. `deadband_kw`: smaller
    rises are not sent. `turn_s`: after which a vehicle makes room for one that waits. `renew_s`: how long a charger keeps what
    we told it. `plan_s`: how long the platform's plan is followed without the platform, from
    when it last told a profile.
    """

    margin_pct: Annotated[float, Meta(ge=0, le=50)] = 2.0
    ramp_s: Positive = 30.0
    react_s: Positive = 5.0
    hold_s: NotNegative = 10.0
    deadband_kw: NotNegative = 0.4
    turn_s: Positive = 900.0
    renew_s: Annotated[float, Meta(ge=30)] = 600.0
    plan_s: Positive = 3600.0


class Site(Part, frozen=True, kw_only=True):
    """`blind_kw`: what all chargers together may take while the meter is not believed; safe whatever else runs at the site.

    `generation_kw`: the most that is made behind the meter (PV). `unknown_tokens`: who may charge while nobody can be asked.
    """

    name: Name
    blind_kw: NotNegative
    circuits: Annotated[tuple[Circuit, ...], Meta(min_length=1)]
    chargers: Annotated[tuple[ChargerOf, ...], Meta(min_length=1)]
    upstream: Upstream
    meter: Meter | None = None
    listen: Listen = Listen()
    control: Control = Control()
    voltage_v: Positive = 230.0
    generation_kw: NotNegative = 0.0
    unknown_tokens: Literal["deny", "accept"] = "deny"
    data_dir: Path = Path("var/edge")
    passwords: Path | None = None

    def circuit_of(self, charger: ChargerOf) -> int:
        """Number of the circuit it hangs on."""
        return [each.name for each in self.circuits].index(charger.circuit or self.circuits[0].name)

    def min_kw(self, charger: ChargerOf) -> float:
        """Least that a vehicle there can charge at; below that it pauses (IEC 61851: 6 A)."""
        return charger.min_a * self.voltage_v * charger.phases / 1000

    def fallback_kw(self, charger: ChargerOf) -> float:
        """What a charger takes at most when it has lost us; nothing where that would be less than the least."""
        own = self.blind_kw / len(self.chargers) if charger.fallback_kw is None else charger.fallback_kw
        return own if own >= self.min_kw(charger) else 0.0


def read_site(path: Path) -> tuple[Site, dict[str, str]]:
    """A site and the passwords of its chargers. Relative paths in the file are relative to its folder.

    Raises:
        BadInput: naming the file, the key and what is wrong.
    """
    site = read_toml(path, Site)
    site = msgspec.structs.replace(
        site,
        data_dir=path.parent / site.data_dir,
        upstream=_beside(path, site.upstream, "ca"),
        listen=_beside(path, site.listen, "tls_chain", "tls_key"),
    )
    for where, what in faults(site):
        raise BadInput(f"{path}: {where}", what)
    return site, _passwords(path, site)


def faults(site: Site) -> Iterator[tuple[str, str]]:
    """What fits no site: where, and what."""
    names = [each.name for each in site.circuits]
    yield from circuit_faults([(each.name, each.parent, each.limit_kw, each.limit_a) for each in site.circuits])
    ids = [each.id for each in site.chargers]
    yield from (("chargers", f"{each!r} is there twice") for each in ids if ids.count(each) > 1)
    for i, charger in enumerate(site.chargers):
        where = f"chargers[{i}] {charger.id!r}"
        if not is_identity(charger.id):
            yield where, "id must be 1 to 48 printable characters, no colon"
        if charger.circuit is not None and charger.circuit not in names:
            yield where, f"circuit must be one of {', '.join(names)}"
        if charger.max_kw < site.min_kw(charger):
            yield where, f"max_kw is below the {site.min_kw(charger):.1f} kW of min_a"
    total = math.fsum(each.fallback_kw for each in site.chargers if each.fallback_kw is not None)
    if total > site.blind_kw:
        yield "chargers", f"their fallback_kw are {total:g} kW, more than blind_kw ({site.blind_kw:g})"
    if not site.upstream.url.startswith(("ws://", "wss://")):
        yield "upstream.url", "must begin with ws:// or wss://"
    if (site.listen.tls_chain is None) != (site.listen.tls_key is None):
        yield "listen", "tls_chain and tls_key belong together"


def circuit_faults(circuits: Sequence[tuple[str, str | None, object, object]]) -> Iterator[tuple[str, str]]:
    """What is no tree. `circuits`: name, parent, limit_kw and limit_a of each."""
    names = [name for name, *_ in circuits]
    yield from (("circuits", f"{name!r} is there twice") for name in names if names.count(name) > 1)
    for i, (name, parent, limit_kw, limit_a) in enumerate(circuits):
        where = f"circuits[{i}] {name!r}"
        if i == 0 and parent is not None:
            yield where, "the first circuit is the site's connection and has no parent"
        if i > 0 and parent not in names[:i]:
            yield where, f"parent must name a circuit above it: {', '.join(names[:i])}"
        if limit_kw is None and limit_a is None:
            yield where, "needs limit_kw, limit_a or both"


def read_toml(path: Path, kind: type[T], without: Set[str] = frozenset()) -> T:
    """A file as a record. `without`: keys of the file that are passed over.

    Raises:
        BadInput: naming the file, and the key and what is wrong.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        return msgspec.convert({key: value for key, value in told.items() if key not in without}, kind, dec_hook=_path)
    except OSError as error:
        raise BadInput(str(path), error.strerror or "cannot be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise BadInput(str(path), str(error).replace("$.", "")) from None


def _path(kind: type, told: object) -> object:
    """What msgspec does not know to read."""
    if kind is Path and isinstance(told, str):
        return Path(told)
    raise ValueError(f"expected a path in quotes, got {told!r}")


def _beside(path: Path, part: T, *names: str) -> T:
    paths = {name: path.parent / found for name in names if (found := getattr(part, name)) is not None}
    changed: Any = part
    made: T = msgspec.structs.replace(changed, **paths)
    return made


def _passwords(path: Path, site: Site) -> dict[str, str]:
    """Nobody but its owner may read that file."""
    if site.passwords is None:
        return {}
    file = path.parent / site.passwords
    known = read_toml(file, dict[str, str])
    if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadInput(str(file), "holds passwords and can be read by others: chmod 600")
    strangers = known.keys() - {each.id for each in site.chargers}
    if strangers:
        raise BadInput(str(file), f"{', '.join(sorted(strangers))}: no such charger in {path.name}")
    return known
