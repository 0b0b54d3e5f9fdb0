"""Which vehicle may fetch which contracts, and what it has been given."""

from datetime import datetime
from pathlib import Path

import msgspec

from chargeloop.model import BadInput
from chargeloop.pki.emaid import contract_of, typed_emaid
from chargeloop.pki.lines import Lines

PCID_LENGTH = 64  # of a common name; ISO 15118 itself has 17 or 18


class Assigned(msgspec.Struct, frozen=True, tag="assigned"):
    at: datetime
    pcid: str
    emaid: str


class Given(msgspec.Struct, frozen=True, tag="given"):
    """A certificate of that contract; `serial` in hex."""

    at: datetime
    pcid: str
    emaid: str
    serial: str


class Withdrawn(msgspec.Struct, frozen=True, tag="withdrawn"):
    at: datetime
    pcid: str
    emaid: str


class Assignment(msgspec.Struct, frozen=True):
    """A contract of a vehicle; `serials`: of the certificates that it was given, in hex, oldest first."""

    pcid: str
    emaid: str
    since: datetime
    serials: tuple[str, ...] = ()


class Vehicles:
    """A file of `Lines`. A vehicle is known by its PCID, the common name of the provisioning certificate that its maker has put
    into it; hyphens and case don't count."""

    def __init__(self, path: Path) -> None:
        """Raises:
        BadInput: a whole line cannot be read.
        """
        self._standing: dict[str, dict[str, Assignment]] = {}  # by PCID and contract
        self._holders: dict[str, tuple[str, str]] = {}  # PCID and contract, by serial
        self._withdrawn: set[tuple[str, str]] = set()
        self._lines = Lines[Assigned | Given | Withdrawn](path, Assigned | Given | Withdrawn, self._apply)
        self._lines.follow()

    def assign(self, pcid: str, emaid: str, now: datetime) -> bool:
        """Let a vehicle fetch a contract; False: it may already.

        Raises:
            BadInput: no PCID, or no eMAID.
        """
        key = _key(pcid, typed_emaid(emaid))
        if self._find(key) is not None:
            return False
        self._lines.add(Assigned(now, key[0], typed_emaid(emaid)))
        return True

    def withdraw(self, pcid: str, emaid: str, now: datetime) -> bool:
        """Let it fetch that contract no more; False: that has been done already.

        Raises:
            BadInput: it never might.
        """
        key = _key(pcid, emaid)
        if self._find(key) is None:
            if key in self._withdrawn:
                return False
            raise BadInput("vehicle", f"{pcid} has no contract {emaid}")
        self._lines.add(Withdrawn(now, *key))
        return True

    def give(self, pcid: str, emaid: str, serial: str, now: datetime) -> bool:
        """Remember that it is given a certificate; False: the contract was withdrawn meanwhile."""
        self._lines.add(Given(now, *_key(pcid, emaid), serial))
        return self.holder(serial) is not None

    def find(self, pcid: str, emaid: str) -> Assignment | None:
        """Raises:
        BadInput: no PCID, or no eMAID.
        """
        return self._find(_key(pcid, emaid))

    def of(self, pcid: str) -> tuple[Assignment, ...]:
        """The contracts of a vehicle, those assigned first in front."""
        self._lines.follow()
        return tuple(self._standing.get(_pcid(pcid), {}).values())

    def holder(self, serial: str) -> Assignment | None:
        """Whom a certificate was given to; None: to nobody by us, or withdrawn since."""
        self._lines.follow()
        return self._find(self._holders[serial]) if serial in self._holders else None

    @property
    def all(self) -> tuple[Assignment, ...]:
        """What stands, vehicle by vehicle."""
        self._lines.follow()
        return tuple(each for contracts in self._standing.values() for each in contracts.values())

    def _find(self, key: tuple[str, str]) -> Assignment | None:
        self._lines.follow()
        return self._standing.get(key[0], {}).get(key[1])

    def _apply(self, line: Assigned | Given | Withdrawn) -> None:
        pcid, contract = _key(line.pcid, line.emaid)
        contracts = self._standing.setdefault(pcid, {})
        match line:
            case Assigned():
                contracts.setdefault(contract, Assignment(line.pcid, line.emaid, line.at))
            case Given() if contract in contracts:
                known = contracts[contract]
                contracts[contract] = msgspec.structs.replace(known, serials=(*known.serials, line.serial))
                self._holders[line.serial] = pcid, contract
            case Withdrawn():
                for serial in contracts.pop(contract).serials if contract in contracts else ():
                    del self._holders[serial]
                self._withdrawn.add((pcid, contract))


def _key(pcid: str, emaid: str) -> tuple[str, str]:
    return _pcid(pcid), contract_of(emaid)


def _pcid(text: str) -> str:
    pcid = text.upper().replace("-", "")
    if not (0 < len(pcid) <= PCID_LENGTH and pcid.isprintable() and pcid == pcid.strip()):
        raise BadInput(
            "PCID", f"has 1 to {PCID_LENGTH} printable characters, as the vehicle's provisioning certificate is named"
        )
    return pcid
