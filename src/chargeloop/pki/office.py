"""All that the platform has of certificates, in one folder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from chargeloop.model import BadInput
from chargeloop.pki.authority import CONTRACTS, STATIONS, V2G, Authority
from chargeloop.pki.chain import read_pem
from chargeloop.pki.contracts import Contracts
from chargeloop.pki.fetch import Fetch, Fetcher
from chargeloop.pki.statuses import Statuses

TRUSTED = "trusted"  # folder of PEM files: authorities of other mobility operators


@dataclass(frozen=True, slots=True)
class Pki:
    """`stations` signs what chargers show us as TLS clients, `v2g` what they show to cars; `contracts` judges what cars do."""

    stations: Authority
    v2g: Authority
    contracts: Contracts
    statuses: Statuses


def open_pki(
    folder: Path,
    operator: str,
    now: datetime,
    responder_url: str | None = None,
    fetch: Fetch | None = None,
    token_status: Callable[[str], str | None] = lambda _emaid: None,
) -> Pki:
    """The authorities below `folder`, made at first use, and whom else they trust: the PEM files in `folder`/trusted.

    The arguments are explained at `Authority`, `Fetcher` and `Contracts`.

    Raises:
        BadInput: naming the file that is wrong.
    """
    stations = Authority(folder / "stations", operator, STATIONS, now, responder_url)
    v2g, contracts = (
        Authority(folder / name, stations.operator, profile, now, responder_url)
        for name, profile in (("v2g", V2G), ("contracts", CONTRACTS))
    )
    trusted = _certificates(folder / TRUSTED)
    statuses = Statuses([stations, v2g, contracts], fetch or Fetcher(), trusted)
    return Pki(stations, v2g, Contracts(contracts, statuses, trusted, token_status), statuses)


def _certificates(folder: Path) -> Sequence[x509.Certificate]:
    try:
        return [each for path in sorted(folder.glob("*.pem")) for each in read_pem(str(path), path.read_text(encoding="ascii"))]
    except UnicodeDecodeError:
        raise BadInput(str(folder), "holds a file that is no PEM") from None
