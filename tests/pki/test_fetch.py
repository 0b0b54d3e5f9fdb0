"""Small requests to servers that others have named, against a real HTTP server."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from chargeloop.model import Unreachable
from chargeloop.pki import Clearing, Fetch, Fetcher, Forward

LOCAL = frozenset({"127.0.0.1"})
Heard = tuple[str, dict[str, str], bytes]


@asynccontextmanager
async def answering(answer: Callable[[Heard], bytes]) -> AsyncIterator[tuple[str, list[Heard]]]:
    """A server that answers as told; its URL, and what it has heard: request line, headers, body."""
    heard: list[Heard] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        heard.append((head[0], headers, await reader.readexactly(int(headers.get("content-length", "0")))))
        writer.write(answer(heard[-1]))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: x/y\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def test_a_question_is_posted_and_answered() -> None:
    fetch: Fetch = Fetcher(LOCAL)
    async with answering(lambda heard: ok(b"answer to " + heard[2])) as (url, heard):
        assert await fetch(f"{url}/ocsp?x=1", ("application/ocsp-request", b"question")) == b"answer to question"
        assert await fetch(url, None) == b"answer to "
    assert heard[0][0] == "POST /ocsp?x=1 HTTP/1.0"
    assert heard[0][1]["content-type"] == "application/ocsp-request"
    assert heard[0][1]["host"] == url.removeprefix("http://")
    assert heard[1][0] == "GET / HTTP/1.0"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "answers 404"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\n\r\n", "answers 302"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "answers"),
        (b"", "answers no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "cut short"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nhalf", "invalid literal"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (1 << 20), "more than"),
    ],
)
async def test_answers_that_are_none(answer: bytes, why: str) -> None:
    async with answering(lambda heard: answer) as (url, _):
        with pytest.raises(Unreachable, match=why):
            await Fetcher(LOCAL)(url, None)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("file:///etc/passwd", "no web address"),
        ("http://", "no web address"),
        ("http://127.0.0.1:9/", "not a public address"),
        ("http://localhost:9/", "not a public address"),
        ("http://[::1]:9/", "not a public address"),
        ("http://169.254.169.254/", "not a public address"),
        ("http://10.1.2.3/", "not a public address"),
        ("http://0x7f000001/", "not a public address"),
        ("http://example.test\r\nX: y/", "no web address"),
        ("http://127.0.0.1:99999/", "out of range"),
    ],
)
async def test_addresses_that_a_station_may_not_send_us_to(url: str, why: str) -> None:
    with pytest.raises(Unreachable, match=why):
        await Fetcher()(url, None)


async def test_a_slow_server_is_given_up() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable, match="no answer in time"):
            await Fetcher(LOCAL, 0.1)(f"http://127.0.0.1:{port}/", None)
    with pytest.raises(Unreachable, match="Connect call failed"):
        await Fetcher(LOCAL)(f"http://127.0.0.1:{port}/", None)


async def test_the_clearing_service_is_told_everything_and_answers() -> None:
    request = {"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "action": "Install", "exiRequest": "gJgC"}
    answer = {"status": "Accepted", "exiResponse": "gJgD", "remainingContracts": 0, "more": "of its own"}
    async with answering(lambda heard: ok(json.dumps(answer).encode())) as (url, heard):
        forward: Forward = Clearing(f"{url}/contracts", "secret")
        assert await forward(request) == {"status": "Accepted", "exiResponse": "gJgD", "remainingContracts": 0}
    assert json.loads(heard[0][2]) == request
    assert heard[0][1]["authorization"] == "Bearer secret"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"status":"Maybe"}', b'{"status":"Accepted","exiResponse":7}', b"\xff"])
async def test_a_clearing_service_that_talks_nonsense(body: bytes) -> None:
    async with answering(lambda heard: ok(body)) as (url, _):
        with pytest.raises(Unreachable, match="something else than a contract"):
            await Clearing(url)({})
