"""Modules versions, credentials and hubclientinfo: who one another are, and what each can do."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from chargeloop.protocols.ocpi.kinds import (
    SINCE_230,
    BusinessDetails,
    Ci5,
    Country,
    DateTime,
    Object,
    PartyId,
    Url,
    Version,
    one_of,
)

Role = Annotated[str, one_of("CPO EMSP NAP NSP OTHER SCSP", old="HUB")]
SCHEME = "Token "
CONFIGURATION = frozenset({"versions", "credentials", "hubclientinfo"})  # modules without routing headers


def _visible(value: str) -> str:
    if not all("!" <= each <= "~" for each in value):
        raise ValueError("may have characters from ! to ~ only")
    return value


class VersionUrl(Object):
    version: str  # 2.0, 2.1, 2.1.1, 2.2, 2.2.1, 2.3.0, and what is to come
    url: Url


class Endpoint(Object):
    """Custom modules have a prefix of country and party."""

    identifier: str
    role: Annotated[str, one_of("SENDER RECEIVER")]
    url: Url


class VersionDetails(Object):
    version: str
    endpoints: Annotated[tuple[Endpoint, ...], Field(min_length=1)]

    def url(self, module: str, interface: str) -> str | None:
        """Where a module is; the credentials have no sides."""
        return next(
            (
                each.url
                for each in self.endpoints
                if each.identifier == module and (each.role == interface or module == "credentials")
            ),
            None,
        )


class CredentialsRole(Object):
    role: Role
    business_details: BusinessDetails
    party_id: PartyId
    country_code: Country

    @property
    def party(self) -> tuple[str, str]:
        """Country and party, as they are compared."""
        return self.country_code.upper(), self.party_id.upper()


class Credentials(Object):
    """`url`: of the versions. A hub names itself in `hub_party_id` (2.3.0), or has the role HUB (2.2.1)."""

    token: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_visible)]
    url: Url
    roles: Annotated[tuple[CredentialsRole, ...], Field(min_length=1)]
    hub_party_id: Annotated[Ci5 | None, SINCE_230] = None

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({(each.role, each.party) for each in self.roles}) < len(self.roles):
            raise ValueError("a role stands there twice")
        return self


class ClientInfo(Object):
    """Of a party at a hub. OFFLINE: nothing is sent, nothing is queued; SUSPENDED stands for deletion, and is final."""

    party_id: PartyId
    country_code: Country
    role: Role
    status: Annotated[str, one_of("CONNECTED OFFLINE PLANNED SUSPENDED")]
    last_updated: DateTime


def authorization(token: str, is_encoded: bool = True) -> str:
    """The header of a request. Peers of older versions expect the token as it is: `is_encoded` False."""
    return SCHEME + (base64.b64encode(token.encode()).decode() if is_encoded else token)


def presented(header: str | None, is_encoded: bool = True) -> tuple[str, ...]:
    """The tokens that a header may mean, the likeliest first: peers that follow the sample in the standard encode a newline."""
    if header is None or not header.startswith(SCHEME) or len(header) > 300:
        return ()
    text = header.removeprefix(SCHEME)
    if not is_encoded:
        return (text,)
    try:
        token = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ()
    return (token, token.removesuffix("\n")) if token.endswith("\n") else (token,)


def highest_mutual(theirs: Sequence[VersionUrl], ours: Sequence[Version]) -> tuple[Version, str] | None:
    """The version to speak and the URL of its details; None where there is none."""
    offered = {each.version: each.url for each in theirs}
    return next(((each, offered[each]) for each in sorted(ours, reverse=True) if each in offered), None)
