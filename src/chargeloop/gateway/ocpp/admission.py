"""Who may charge at a charger, in the words of each version."""

from datetime import datetime, timedelta
from typing import Any

from chargeloop.gateway.ocpp.handling import Handling, TokenInfo
from chargeloop.protocols.ocpp import id_token, wire_time

CONTRACT_HOLDS = timedelta(hours=1)  # after its certificate was found good, for the session that begins with it
STATUSES_16 = ("Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx")


class Admission:
    """Of one charger: what is known of tokens, and contracts whose certificates were found good here."""

    def __init__(self, handling: Handling) -> None:
        self._handling = handling
        self._contracts: dict[str, datetime] = {}  # eMAIDs whose certificates were good, and when

    def prove(self, contract: str, now: datetime) -> None:
        """A contract's certificate was found good."""
        self._contracts = {each: at for each, at in self._contracts.items() if now - at < CONTRACT_HOLDS}
        self._contracts[id_token(contract)] = now

    def tag_info(self, id_tag: object, now: datetime) -> dict[str, Any]:
        """An IdTagInfo of 1.6."""
        info = self._info(id_token(id_tag), now)
        answer: dict[str, Any] = {"status": info.status if info.status in STATUSES_16 else "Invalid"}
        if info.expires_at is not None:
            answer["expiryDate"] = wire_time(info.expires_at)
        if info.group is not None:
            answer["parentIdTag"] = info.group
        return answer

    def token_info(self, token: object, now: datetime) -> dict[str, Any]:
        """An IdTokenInfo of 2.x."""
        info = self._info(id_token(token), now)
        answer: dict[str, Any] = {"status": info.status}
        if info.expires_at is not None:
            answer["cacheExpiryDateTime"] = wire_time(info.expires_at)
        if info.group is not None:
            answer["groupIdToken"] = {"idToken": info.group, "type": "Central"}
        return answer

    def _info(self, token: str, now: datetime) -> TokenInfo:
        info = self._handling.authorise(token, now)
        proven_at = self._contracts.get(token)
        is_proven = proven_at is not None and now - proven_at < CONTRACT_HOLDS
        return TokenInfo("Accepted") if is_proven and info.status == "Invalid" else info
