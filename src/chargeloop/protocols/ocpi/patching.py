"""PATCH: what changes of a stored object. Work is on decoded JSON, so what is not known here stays."""

from collections.abc import Mapping
from typing import Any

from chargeloop.protocols.ocpi.kinds import read_time, same
from chargeloop.protocols.ocpi.status import Refused, Status

Data = Mapping[str, Any]


def patched(stored: Data, patch: Data, appended: str | None = None) -> dict[str, Any]:
    """The object after a PATCH. Lists and inner objects are replaced as a whole, but the list `appended` grows.

    What is in that list already is not added again, so that the same PATCH twice changes nothing.

    Raises:
        Refused: 2001, there is no `last_updated` or something is to be deleted; 2000, it is older than what is stored.
    """
    _check(stored, patch)
    result = dict(stored) | dict(patch)
    if appended is not None:
        before = list(stored.get(appended) or ())
        more = patch.get(appended) or ()
        if not isinstance(more, list):
            raise Refused(Status.BAD_PARAMETERS, f"{appended}: is a list")
        result[appended] = [*before, *(each for each in more if each not in before)]
    return result


def _check(stored: Data, patch: Data) -> None:
    if patch.get("last_updated") is None:
        raise Refused(Status.BAD_PARAMETERS, "last_updated: a PATCH needs it")
    gone = next((name for name, value in patch.items() if value is None), None)
    if gone is not None:
        raise Refused(Status.BAD_PARAMETERS, f"{gone}: a PATCH cannot delete; PUT the object without it")
    if is_older(patch, stored):
        raise Refused(Status.CLIENT_ERROR, "last_updated: what is here is newer")


def is_older(one: Data, other: Data) -> bool:
    """Raises Refused (2001) where `one` has no right `last_updated`."""
    try:
        return read_time(one["last_updated"]) < read_time(other["last_updated"])
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(Status.BAD_PARAMETERS, f"last_updated: {error}") from None


# --- parts of a location ----------------------------------------------------------------------------------------------------


def part_of(location: Data, evse_uid: str | None, connector_id: str | None) -> Data | None:
    """The location, an EVSE of it, or a connector of that; None where there is none."""
    found: Data | None = location
    if evse_uid is not None:
        found = _one(location.get("evses") or (), "uid", evse_uid)
    if connector_id is not None and found is not None:
        found = _one(found.get("connectors") or (), "id", connector_id)
    return found


def with_part(location: Data, part: Data, evse_uid: str, connector_id: str | None) -> dict[str, Any]:
    """A location with an EVSE or a connector put in or replaced; whatever it is in is as new as it is at least.

    Raises:
        Refused: 2001, the connector's EVSE is not there.
    """
    if connector_id is None:
        return _lifted({**location, "evses": _replaced(location.get("evses") or (), "uid", part)}, part)
    evse = part_of(location, evse_uid, None)
    if evse is None:
        raise Refused(Status.BAD_PARAMETERS, f"there is no EVSE {evse_uid}", http=404)
    changed = _lifted({**evse, "connectors": _replaced(evse.get("connectors") or (), "id", part)}, part)
    return with_part(location, changed, evse_uid, None)


def lifted(location: Data) -> dict[str, Any]:
    """A location that is as new as the newest of its parts, and its EVSEs as theirs."""
    whole = {**location, "evses": [_newest(evse, evse.get("connectors") or ()) for evse in location.get("evses") or ()]}
    return _newest(whole, whole["evses"])


def _newest(whole: Data, parts: Any) -> dict[str, Any]:
    result = dict(whole)
    for part in parts:
        result = _lifted(result, part)
    return result


def _one(parts: Any, key: str, value: str) -> Data | None:
    return next((each for each in parts if same(each[key], value)), None)


def _replaced(parts: Any, key: str, part: Data) -> list[Data]:
    if _one(parts, key, part[key]) is None:
        return [*parts, part]
    return [part if same(each[key], part[key]) else each for each in parts]


def _lifted(whole: Data, part: Data) -> dict[str, Any]:
    return {**whole, "last_updated": part["last_updated"]} if is_older(whole, part) else dict(whole)
