"""Pages of lists: filtered by when objects changed last, in the order in which they were made."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, NamedTuple, Protocol, TypeVar
from urllib.parse import urlencode

from chargeloop.protocols.ocpi.kinds import read_time, write_time
from chargeloop.protocols.ocpi.status import Refused, Status

T = TypeVar("T")
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)


class Dated(Protocol):
    @property
    def last_updated(self) -> datetime: ...


D = TypeVar("D", bound=Dated)


@dataclass(frozen=True, slots=True)
class Window:
    """`date_from` is in, `date_to` is not. `limit` None: as many as the server gives."""

    date_from: datetime | None = None
    date_to: datetime | None = None
    offset: int = 0
    limit: int | None = None

    def holds(self, at: datetime) -> bool:
        return (self.date_from is None or at >= self.date_from) and (self.date_to is None or at < self.date_to)

    def query(self) -> dict[str, str]:
        filters = {"date_from": self.date_from, "date_to": self.date_to}
        pairs = {name: write_time(at) for name, at in filters.items() if at is not None}
        pairs |= {"offset": str(self.offset)} if self.offset else {}
        return pairs | ({} if self.limit is None else {"limit": str(self.limit)})


class Page(NamedTuple, Generic[T]):
    """`total`: of the window, whatever its offset and limit."""

    items: Sequence[T]
    total: int


def read_window(query: Mapping[str, str], needs_from: bool = False) -> Window:
    """Raises Refused (2001). `needs_from`: the list of sessions has no other beginning."""
    try:
        date_from = read_time(query["date_from"]) if "date_from" in query else None
        date_to = read_time(query["date_to"]) if "date_to" in query else None
        offset = int(query.get("offset", "0"))
        limit = int(query["limit"]) if "limit" in query else None
    except ValueError as error:
        raise Refused(Status.BAD_PARAMETERS, str(error)) from None
    if offset < 0 or (limit is not None and limit < 1):
        raise Refused(Status.BAD_PARAMETERS, "offset is 0 or more, limit 1 or more")
    if needs_from and date_from is None:
        raise Refused(Status.BAD_PARAMETERS, "date_from is needed")
    return Window(date_from, date_to, offset, limit)


def page_of(things: Iterable[D], window: Window) -> Page[D]:
    """A page of objects that come in the order in which they were made. `window.limit` is set."""
    matching = [each for each in things if window.holds(each.last_updated)]
    end = None if window.limit is None else window.offset + window.limit
    return Page(matching[window.offset : end], len(matching))


def page_headers(url: str, window: Window, count: int, total: int, cap: int) -> dict[str, str]:
    """Of an answer with `count` objects. `url`: of the list, as the peer knows it."""
    headers = {"X-Total-Count": str(total), "X-Limit": str(cap)}
    if count and window.offset + count < total:
        following = replace(window, offset=window.offset + count)
        headers["Link"] = f'<{url}?{urlencode(following.query())}>; rel="next"'
    return headers


def next_url(link: str | None) -> str | None:
    """Where the next page is; None at the last one."""
    found = _NEXT.search(link or "")
    return found[1] if found else None
