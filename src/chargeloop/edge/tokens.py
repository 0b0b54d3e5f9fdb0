"""Who may charge while the platform cannot be asked: its local lists, then what it answered before, then the site's rule."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chargeloop.edge.buffer import Buffer
from chargeloop.edge.config import Site
from chargeloop.protocols.ocpp import Listed, Version, as_utc

SITE = ""  # what was told to any charger of the site


class Tokens:
    """Of the whole site; the list that the platform gave a charger goes before what others were told."""

    def __init__(self, site: Site, buffer: Buffer, known: dict[tuple[str, str], Listed]) -> None:
        self._site, self._buffer, self._known = site, buffer, known

    def status(self, charger_id: str, id_token: str, now: datetime) -> Listed:
        """What is known of a token, or the site's rule for those that are not."""
        key = id_token.casefold()
        entry = self._known.get((charger_id, key)) or self._known.get((SITE, key))
        if entry is None:
            return Listed(id_token, "Accepted" if self._site.unknown_tokens == "accept" else "Invalid")
        if entry.status == "Accepted" and entry.expires_at is not None and entry.expires_at <= now:
            return entry._replace(status="Expired")
        return entry

    def info(self, version: Version, charger_id: str, id_token: str, now: datetime) -> dict[str, Any]:
        """As `idTagInfo` or `idTokenInfo`."""
        entry = self.status(charger_id, id_token, now)
        info: dict[str, Any] = {"status": entry.status}
        if entry.group is not None and version is Version.V16:
            info["parentIdTag"] = entry.group
        elif entry.group is not None:
            info["groupIdToken"] = {"idToken": entry.group, "type": "Central"}
        return info

    async def heard(self, id_token: str, info: Mapping[str, Any]) -> None:
        """Keep what the platform answered about a token."""
        entry = _listed(id_token, info)
        if entry is not None and self._known.get((SITE, id_token.casefold())) != entry:
            self._known[SITE, id_token.casefold()] = entry
            await self._buffer.keep_tokens(SITE, [entry])

    async def listed(self, charger_id: str, said: Mapping[str, Any]) -> None:
        """Keep what a SendLocalList says, once the charger has taken it."""
        is_full = said.get("updateType") == "Full"
        entries, gone = [], []
        for each in said.get("localAuthorizationList", ()):
            token = each["idTag"] if "idTag" in each else each["idToken"]["idToken"]
            entry = _listed(token, each.get("idTagInfo") or each.get("idTokenInfo") or {})
            if entry is None:
                gone.append(token)
            else:
                entries.append(entry)
        if is_full:
            self._known = {key: value for key, value in self._known.items() if key[0] != charger_id}
        self._known |= {(charger_id, each.id_token.casefold()): each for each in entries}
        for token in gone:
            self._known.pop((charger_id, token.casefold()), None)
        await self._buffer.keep_tokens(charger_id, entries, gone, is_full=is_full)

    async def clear_cache(self) -> None:
        """Forget what was answered; the lists stay."""
        self._known = {key: value for key, value in self._known.items() if key[0] != SITE}
        await self._buffer.keep_tokens(SITE, (), is_full=True)


def _listed(id_token: str, info: Mapping[str, Any]) -> Listed | None:
    if "status" not in info:
        return None
    expires = info.get("expiryDate") or info.get("cacheExpiryDateTime")
    group = info.get("parentIdTag") or info.get("groupIdToken", {}).get("idToken")
    try:
        at = None if expires is None else as_utc(datetime.fromisoformat(expires))
    except ValueError:  # until when it holds cannot be told: as if nothing was said of the token
        return None
    return Listed(id_token, info["status"], at, group)
