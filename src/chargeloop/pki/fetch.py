"""One small HTTP request to a server that somebody else has named: an OCSP responder, a list of revoked certificates."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from chargeloop.model import Unreachable

# URL, and the body to POST with its media type, or None to GET; the body of the answer.
Fetch = Callable[[str, tuple[str, bytes] | None], Awaitable[bytes]]
# ISO 15118-2 gives a charger 4.5 s in all to tell a car whether its contract counts.
TIMEOUT_S, ANSWER_BYTES = 3.0, 1 << 20


class Fetcher:
    """A `Fetch` for URLs out of messages and certificates.

    A station may name any URL it likes, so only public addresses are asked, besides the hosts that are `allowed` by name:
    nobody shall reach the operator's own network through us. The address that was judged is the one connected to.
    """

    def __init__(self, allowed: frozenset[str] = frozenset(), timeout_s: float = TIMEOUT_S, authorization: str = "") -> None:
        """`authorization`: the header of that name, for the server of a service that knows us."""
        self._allowed, self._timeout_s, self._authorization = allowed, timeout_s, authorization

    async def __call__(self, url: str, post: tuple[str, bytes] | None = None) -> bytes:
        """The body of a 200 answer.

        Raises:
            Unreachable: no such server, not allowed, too slow, too long, or any other status.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._ask(url, post)
        except (OSError, ValueError) as error:  # also a timeout, a TLS failure, and an answer that is no HTTP
            raise Unreachable(f"{url}: {str(error) or 'no answer in time'}") from None

    async def _ask(self, url: str, post: tuple[str, bytes] | None) -> bytes:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or not url.isascii() or not url.isprintable():
            raise ValueError("no web address")
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        address = await self._address(parts.hostname, port)
        reader, writer = await asyncio.open_connection(
            address,
            port,
            ssl=ssl.create_default_context() if secure else None,
            server_hostname=parts.hostname if secure else None,
            limit=ANSWER_BYTES,
        )
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            writer.write(_request(path.replace(" ", "%20"), parts.netloc.rpartition("@")[2], post, self._authorization))
            answer = await _read_all(reader)
        finally:
            writer.transport.abort()  # all is read; a TLS peer that is slow to part is not waited for
        return _body(answer)

    async def _address(self, host: str, port: int) -> str:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
        addresses = [str(each[4][0]) for each in found]
        usable = [each for each in addresses if host in self._allowed or ip_address(each).is_global]
        if not usable:
            raise ValueError("is not a public address; name the host among the allowed ones if it is yours")
        return usable[0]


def _request(path: str, host: str, post: tuple[str, bytes] | None, authorization: str) -> bytes:
    """HTTP/1.0, so that the answer comes whole and ends with the connection."""
    method, media, body = ("GET", "", b"") if post is None else ("POST", f"Content-Type: {post[0]}\r\n", post[1])
    known = f"Authorization: {authorization}\r\n" if authorization else ""
    head = f"{method} {path} HTTP/1.0\r\nHost: {host}\r\nAccept: */*\r\n{known}{media}Content-Length: {len(body)}\r\n\r\n"
    return head.encode("ascii") + body


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    answer = bytearray()
    while part := await reader.read(1 << 16):
        answer += part
        if len(answer) > ANSWER_BYTES:
            raise ValueError(f"answers with more than {ANSWER_BYTES} bytes")
    return bytes(answer)


def _body(answer: bytes) -> bytes:
    head, end, body = answer.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1:2]
    if not end or not head.startswith(b"HTTP/1.") or status != [b"200"]:
        raise ValueError(f"answers {b' '.join(status).decode('ascii', 'replace') or 'no HTTP'}")
    length = [line.partition(b":")[2].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    if length and int(length[0]) != len(body):
        raise ValueError("its answer was cut short")
    return body
