"""All that the platform has of certificates, in one folder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from chargeloop.model import BadInput
from chargeloop.pki.authority import CONTRACTS, PROVISIONING, STATIONS, V2G, Authority
from chargeloop.pki.chain import read_pem
from chargeloop.pki.contracts import Contracts
from chargeloop.pki.fetch import Fetch, Fetcher
from chargeloop.pki.provisioning import Provisioning
from chargeloop.pki.statuses import Statuses
from chargeloop.pki.vehicles import Vehicles

TRUSTED = "trusted"  # folder of PEM files: authorities of other mobility operators
OEM = "oem"  # likewise: roots of vehicle makers, and the authorities below them


@dataclass(frozen=True, slots=True)
class Pki:
    """`stations` signs what chargers show us as TLS clients, `v2g` what they show to cars; `contracts` judges what cars do, and
    `provisioning` gives them theirs, signed below `cps`."""

    stations: Authority
    v2g: Authority
    contracts: Contracts
    statuses: Statuses
    cps: Authority
    provisioning: Provisioning


def open_pki(
    folder: Path,
    operator: str,
    now: datetime,
    responder_url: str | None = None,
    fetch: Fetch | None = None,
    token_status: Callable[[str], str | None] = lambda _emaid: None,
) -> Pki:
    """The authorities below `folder`, made at first use, and whom else they trust: the PEM files in `folder`/trusted,
    and in `folder`/oem for vehicles.

    The arguments are explained at `Authority`, `Fetcher` and `Contracts`.

    Raises:
        BadInput: naming the file that is wrong.
    """
    stations = Authority(folder / "stations", operator, STATIONS, now, responder_url)
    v2g, contracts, cps = (
        Authority(folder / name, stations.operator, profile, now, responder_url)
        for name, profile in (("v2g", V2G), ("contracts", CONTRACTS), ("cps", PROVISIONING))
    )
    trusted, oem = _certificates(folder / TRUSTED), _certificates(folder / OEM)
    statuses = Statuses([stations, v2g, contracts, cps], fetch or Fetcher(), [*trusted, *oem])
    judge = Contracts(contracts, statuses, trusted, token_status)
    provisioning = Provisioning(judge, cps, Vehicles(folder / "vehicles.jsonl"), statuses, oem)
    return Pki(stations, v2g, judge, statuses, cps, provisioning)


def _certificates(folder: Path) -> Sequence[x509.Certificate]:
    try:
        return [each for path in sorted(folder.glob("*.pem")) for each in read_pem(str(path), path.read_text(encoding="ascii"))]
    except UnicodeDecodeError:
        raise BadInput(str(folder), "holds a file that is no PEM") from None
