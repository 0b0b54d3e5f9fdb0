"""Module tokens: what drivers charge with, and the answer to whether they may."""

from typing import Annotated, ClassVar, NamedTuple

from chargeloop.protocols.ocpi.kinds import (
    Bool,
    Ci36,
    Country,
    DateTime,
    DisplayText,
    Object,
    Owned,
    PartyId,
    Text2,
    Text64,
    one_of,
)

TokenType = Annotated[str, one_of("AD_HOC_USER APP_USER OTHER RFID", new="EMAID", is_open=True)]
ProfileType = Annotated[str, one_of("CHEAP FAST GREEN REGULAR")]
ALWAYS, ALLOWED_OFFLINE, NEVER = "ALWAYS", "ALLOWED_OFFLINE", "NEVER"
DEFAULT_TYPE = "RFID"  # of a token, where a URL names none


class EnergyContract(Object):
    supplier_name: Text64
    contract_id: Text64 | None = None


class Token(Owned):
    """One for each owner, uid and type. It is never deleted; one that is over is not `valid`."""

    KEY: ClassVar[str] = "uid"
    uid: Ci36
    type: TokenType
    contract_id: Ci36
    issuer: Text64
    valid: Bool
    whitelist: Annotated[str, one_of("ALWAYS ALLOWED ALLOWED_OFFLINE NEVER")]
    last_updated: DateTime
    visual_number: Text64 | None = None
    group_id: Ci36 | None = None
    language: Text2 | None = None
    default_profile_type: ProfileType | None = None
    energy_contract: EnergyContract | None = None


class CdrToken(Object):
    """A token as it was when a session began."""

    country_code: Country
    party_id: PartyId
    uid: Ci36
    type: TokenType
    contract_id: Ci36


class LocationReferences(Object):
    location_id: Ci36
    evse_uids: tuple[Ci36, ...] = ()


class AuthorizationInfo(Object):
    allowed: Annotated[str, one_of("ALLOWED BLOCKED EXPIRED NO_CREDIT NOT_ALLOWED")]
    token: Token
    location: LocationReferences | None = None
    authorization_reference: Ci36 | None = None
    info: DisplayText | None = None


class Whitelisted(NamedTuple):
    """Whether a token may charge, as far as is known here (None: its owner can tell), and whether its owner has to be asked."""

    may: bool | None
    ask: bool


def whitelisted(token: Token, is_owner_reachable: bool) -> Whitelisted:
    """What a CPO does with a token that it has been told of.

    ALWAYS is decided here, NEVER by its owner whatever `valid` says here; ALLOWED either way, here; ALLOWED_OFFLINE here only
    where its owner cannot be reached.
    """
    if token.whitelist == NEVER or (token.whitelist == ALLOWED_OFFLINE and is_owner_reachable):
        return Whitelisted(may=None, ask=True)
    return Whitelisted(may=token.valid, ask=False)
