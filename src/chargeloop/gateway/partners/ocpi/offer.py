"""What we offer to partners: modules and sides by the roles that we play, and where they are."""

from dataclasses import dataclass

from chargeloop.protocols.ocpi import BusinessDetails, Interface, Party, Version, joined
from chargeloop.protocols.ocpi.credentials import CredentialsRole, Endpoint, VersionDetails

SENDER, RECEIVER = Interface.SENDER, Interface.RECEIVER
VERSIONS = (Version.V221, Version.V230)
# Modules by role: of what it is the sender, and of what the receiver.
SENDS = {
    "CPO": ("locations", "sessions", "cdrs", "tariffs", "invoicereconciliation"),
    "EMSP": ("tokens", "commands", "chargingprofiles"),
    "NAP": ("locations", "tariffs"),
    "SCSP": ("chargingprofiles",),
}
RECEIVES = {
    "CPO": ("tokens", "commands", "chargingprofiles"),
    "EMSP": ("locations", "sessions", "cdrs", "tariffs", "invoicereconciliation"),
    "NAP": ("locations", "tariffs"),
    "NSP": ("locations", "tariffs"),
    "SCSP": ("sessions",),
}
ONLY_230 = frozenset({"invoicereconciliation"})
FUNCTIONAL = tuple(dict.fromkeys(module for each in (*SENDS.values(), *RECEIVES.values()) for module in each))


@dataclass(frozen=True, slots=True, kw_only=True)
class Us:
    """Who we are. `url`: under which others reach us, without a slash at its end. `hub`: the party that we are as a hub."""

    url: str
    roles: tuple[CredentialsRole, ...]
    hub: Party | None = None
    versions: tuple[Version, ...] = VERSIONS

    @property
    def versions_url(self) -> str:
        return joined(self.url, "versions")

    @property
    def parties(self) -> tuple[Party, ...]:
        own = dict.fromkeys(Party(*each.party) for each in self.roles)
        return (*own, self.hub.key) if self.hub is not None and self.hub.key not in own else tuple(own)

    def is_us(self, party: Party) -> bool:
        return party.key in self.parties

    def modules(self, side: Interface) -> tuple[str, ...]:
        """Functional modules that we have on one side; a hub has all on both."""
        if self.hub is not None:
            return FUNCTIONAL
        table = SENDS if side is SENDER else RECEIVES
        return tuple(dict.fromkeys(module for each in self.roles for module in table.get(each.role, ())))

    def endpoint_url(self, version: Version, side: Interface, module: str) -> str:
        return joined(self.url, version, side.lower(), module)

    def details(self, version: Version) -> VersionDetails:
        offered = [(module, side) for side in (SENDER, RECEIVER) for module in self.modules(side)]
        offered.append(("hubclientinfo", RECEIVER if self.hub is None else SENDER))
        endpoints = [
            Endpoint(identifier=module, role=side.value, url=self.endpoint_url(version, side, module))
            for module, side in offered
            if version is Version.V230 or module not in ONLY_230
        ]
        credentials = Endpoint(identifier="credentials", role=SENDER.value, url=joined(self.url, version, "credentials"))
        return VersionDetails(version=version, endpoints=(credentials, *endpoints))


def role(kind: str, party: Party, name: str) -> CredentialsRole:
    """A role of ours or theirs."""
    details = BusinessDetails(name=name)
    return CredentialsRole(role=kind, business_details=details, party_id=party.party_id, country_code=party.country_code)
