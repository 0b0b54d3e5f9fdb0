"""A request of a partner that has proved who it is, and what it is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from chargeloop.gateway.partners.ocpi.peers import Peer
from chargeloop.protocols.ocpi import Headers, Interface, Object, Party, Refused, Status, Version, decode, read, same

T = TypeVar("T", bound=Object)
# Who may own what is pushed to us.
OWNERS: dict[str, tuple[str, ...]] = {
    "locations": ("CPO", "NAP", "OTHER"),
    "sessions": ("CPO", "OTHER"),
    "cdrs": ("CPO", "OTHER"),
    "tariffs": ("CPO", "NAP", "OTHER"),
    "tokens": ("EMSP", "OTHER"),
    "invoicereconciliation": ("CPO", "EMSP", "OTHER"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`parts`: of the path after the module's endpoint, decoded; `tail` the same as it came."""

    peer: Peer
    version: Version
    side: Interface
    module: str
    method: str
    parts: tuple[str, ...]
    tail: str
    headers: Headers
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def data(self) -> Any:
        """Raises Refused (HTTP 400): it is no JSON."""
        return decode(self.body)

    @property
    def object(self) -> dict[str, Any]:
        data = self.data
        if not isinstance(data, dict):
            raise Refused(Status.BAD_PARAMETERS, "an object is needed")
        return data

    def read(self, kind: type[T]) -> T:
        return read(kind, self.data, self.version)

    @property
    def sender(self) -> Party:
        """For whom it is asked.

        Raises:
            Refused: 2001, the platform has many parties and does not say which.
        """
        if self.headers.sender is not None:
            return self.headers.sender
        if len(self.peer.parties) == 1:
            return self.peer.parties[0]
        raise Refused(Status.BAD_PARAMETERS, "OCPI-from-party-id: which of your parties is it?")

    def check_owner(self, owner: Party) -> None:
        """Raises Refused (HTTP 404): it is not one of the partner's parties, or has no such objects. Through a hub come all."""
        if not self.peer.is_hub and not self.peer.has(owner, OWNERS[self.module]):
            raise Refused(Status.BAD_PARAMETERS, f"{owner} is no party of yours that has {self.module}", http=404)


class Reply(NamedTuple):
    """`raw`: the bytes of an answer that a hub passes on as it is."""

    data: Any = None
    http: int = 200
    headers: Mapping[str, str] = {}
    status: int = Status.SUCCESS
    raw: bytes | None = None


def check_owner_and_id(thing: Any, owner: Party, identifier: str, key: str) -> None:
    """What a URL says is what the object in the body says.

    Raises:
        Refused: 2001.
    """
    if not owner.is_same(Party(thing.country_code, thing.party_id)):
        raise Refused(Status.BAD_PARAMETERS, f"country_code, party_id: the URL says {owner}")
    if not same(getattr(thing, key), identifier):
        raise Refused(Status.BAD_PARAMETERS, f"{key}: the URL says {identifier}")
