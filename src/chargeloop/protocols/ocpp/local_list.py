"""The local authorisation list of a station: what it may decide while nobody can be asked (2.x chapter D, 1.6 section 3.5)."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from chargeloop.protocols.ocpp.facts import wire_time
from chargeloop.protocols.ocpp.frames import Version

LONGEST = {Version.V16: 20, Version.V201: 36, Version.V21: 255}  # characters of a token
UID = re.compile(r"[0-9A-Fa-f]{8}|[0-9A-Fa-f]{14}|[0-9A-Fa-f]{20}")  # 4, 7 or 10 bytes of a card
CONTRACT = re.compile(r"[A-Za-z]{2}-?[A-Za-z0-9]{3}-?[A-Za-z0-9]{9}(-?[A-Za-z0-9])?")


class Listed(NamedTuple):
    """One token. `status`: Accepted, Blocked, Expired or Invalid."""

    id_token: str
    status: str
    expires_at: datetime | None = None
    group: str | None = None


def fitting(version: Version, entries: Iterable[Listed]) -> dict[str, Listed]:
    """Those that a version can carry, by token without case; a group that is too long is left out."""
    longest = LONGEST[version]
    return {
        each.id_token.casefold(): each._replace(group=each.group if each.group and len(each.group) <= longest else None)
        for each in entries
        if len(each.id_token) <= longest
    }


def digest(entries: Mapping[str, Listed]) -> str:
    """The same for the same list, in whatever order."""
    rows = sorted(
        (key, each.id_token, each.status, wire_time(each.expires_at) if each.expires_at else "", each.group or "")
        for key, each in entries.items()
    )
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def full_update(version: Version, number: int, entries: Mapping[str, Listed], chunk: int) -> list[dict[str, Any]]:
    """The calls that replace the list: one that is full, the rest adding to it, each with the next number from `number` on."""
    parts = _chunks([_entry(version, each) for each in entries.values()], chunk) or [[]]
    return [
        _update(version, number + i, "Differential" if i else "Full", part)  # a full one without entries clears the list
        for i, part in enumerate(parts)
    ]


def differential_update(
    version: Version, number: int, old: Mapping[str, Listed], new: Mapping[str, Listed], chunk: int
) -> list[dict[str, Any]]:
    """The calls that change the list from one to the other; an entry without information goes."""
    changes = [_entry(version, each) for key, each in new.items() if old.get(key) != each]
    changes += [_name(version, each) for key, each in old.items() if key not in new]
    return [_update(version, number + i, "Differential", part) for i, part in enumerate(_chunks(changes, chunk))]


def list_version(version: Version, answer: Mapping[str, Any]) -> int:
    """Of the answer to GetLocalListVersion; 0: there is no list, -1: there cannot be one (1.6)."""
    return int(answer.get("listVersion" if version is Version.V16 else "versionNumber", 0))


def token_type(id_token: str) -> str:
    """The type of 2.x that a token has by its form."""
    if UID.fullmatch(id_token):
        return "ISO14443"
    return "eMAID" if CONTRACT.fullmatch(id_token) else "Central"


def _update(version: Version, number: int, kind: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    name = "listVersion" if version is Version.V16 else "versionNumber"
    listed = {"localAuthorizationList": entries} if entries else {}
    return {name: number, "updateType": kind, **listed}


def _name(version: Version, each: Listed) -> dict[str, Any]:
    if version is Version.V16:
        return {"idTag": each.id_token}
    return {"idToken": {"idToken": each.id_token, "type": token_type(each.id_token)}}


def _entry(version: Version, each: Listed) -> dict[str, Any]:
    info: dict[str, Any] = {"status": each.status}
    if each.expires_at is not None:
        info["expiryDate" if version is Version.V16 else "cacheExpiryDateTime"] = wire_time(each.expires_at)
    if each.group is not None and version is Version.V16:
        info["parentIdTag"] = each.group
    elif each.group is not None:
        info["groupIdToken"] = {"idToken": each.group, "type": "Central"}
    return {**_name(version, each), "idTagInfo" if version is Version.V16 else "idTokenInfo": info}


def _chunks(entries: Sequence[dict[str, Any]], size: int) -> list[list[dict[str, Any]]]:
    return [list(entries[i : i + size]) for i in range(0, len(entries), size)]
