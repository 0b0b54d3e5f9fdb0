"""Mutual TLS through picows, with chargers of `websockets`: who gets in, and how a charger renews its certificate."""

import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from chargeloop.model import BadInput
from chargeloop.pki import STATIONS, Authority, Credentials, Pair, Tls
from tests.pki.openssl_ca import LEAF, Made, issue, new_request, new_root

REFUSED = (ConnectionClosed, InvalidHandshake, ssl.SSLError, ConnectionError, EOFError)
NOW = datetime.now(UTC)


class Server(WSListener):
    """Admits by client certificate only, and signs what it is sent."""

    def __init__(self, authority: Authority, path: str) -> None:
        self._authority, self._identity = authority, path.rpartition("/")[2]

    def on_ws_connected(self, transport: WSTransport) -> None:
        shown = transport.underlying_transport.get_extra_info("ssl_object").getpeercert(True)
        try:
            self._authority.check_client(shown, self._identity, datetime.now(UTC))
        except BadInput as error:
            transport.send_close(WSCloseCode.POLICY_VIOLATION, str(error).encode())
            transport.disconnect()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        _, message_id, _, payload = msgspec.json.decode(frame.get_payload_as_bytes())
        chain = self._authority.sign(payload["csr"], self._identity, datetime.now(UTC))
        transport.send(WSMsgType.TEXT, msgspec.json.encode([3, message_id, {"status": "Accepted"}]))
        transport.send(WSMsgType.TEXT, msgspec.json.encode([2, "s1", "CertificateSigned", {"certificateChain": chain}]))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca", "Stadtwerke", STATIONS, NOW)


@pytest.fixture
async def url(tmp_path: Path, authority: Authority) -> AsyncIterator[str]:
    """Of the server, to which a charger adds its identity."""
    server = hand_out(tmp_path, "server", *authority.issue("localhost", NOW, ["localhost"]))
    context = Credentials(Tls((Pair(server.pem, server.key),), tmp_path / "ca" / "root.pem")).context

    def accept(request: WSUpgradeRequest) -> WSListener:
        return Server(authority, request.path.decode())

    serving = await ws_create_server(accept, "127.0.0.1", 0, ssl=context)
    yield f"wss://localhost:{serving.sockets[0].getsockname()[1]}/ocpp/"
    serving.close()


def hand_out(folder: Path, name: str, chain: str, key: str) -> Made:
    made = Made(folder / f"{name}.key", folder / f"{name}.pem")
    made.key.write_text(key)
    made.pem.write_text(chain)
    return made


async def opened(url: str, tmp_path: Path, shown: Made | None) -> ClientConnection:
    """A charger's socket, once the server has let it live."""
    context = ssl.create_default_context(cafile=str(tmp_path / "ca" / "root.pem"))
    context.load_cert_chain(shown.pem, shown.key) if shown is not None else None
    socket = await connect(url, ssl=context)
    await (await socket.ping())
    return socket


async def test_only_the_charger_itself_gets_in(url: str, tmp_path: Path, authority: Authority) -> None:
    root = Made(tmp_path / "ca" / "root.key", tmp_path / "ca" / "root.pem")
    good = hand_out(tmp_path, "CP-7", *authority.issue("CP-7", NOW))
    revoked = hand_out(tmp_path, "revoked", *authority.issue("CP-7", NOW))
    authority.revoke(f"{revoked.certificate.serial_number:x}", NOW)
    expired = issue(tmp_path, "expired", "/CN=CP-7", root, LEAF, days=-1)
    foreign = issue(tmp_path, "foreign", "/CN=CP-7", new_root(tmp_path, "other"), LEAF)
    socket = await opened(f"{url}CP-7", tmp_path, good)
    await socket.close()
    cases = [
        ("CP-8", good, "is for 'CP-7', not for 'CP-8'"),
        ("CP-7", revoked, "has been revoked"),
        ("CP-7", None, "none was shown"),
        ("CP-7", expired, None),  # TLS itself refuses these two, and says so by closing
        ("CP-7", foreign, None),
    ]
    for identity, shown, said in cases:
        with pytest.raises(REFUSED, match=said):
            await opened(f"{url}{identity}", tmp_path, shown)


async def test_a_charger_renews_its_certificate_and_comes_back_with_it(url: str, tmp_path: Path, authority: Authority) -> None:
    old = hand_out(tmp_path, "old", *authority.issue("CP-7", NOW))
    key, csr = new_request(tmp_path, "new", "/CN=CP-7")
    async with await opened(f"{url}CP-7", tmp_path, old) as socket:
        await socket.send(msgspec.json.encode([2, "1", "SignCertificate", {"csr": csr.read_text()}]).decode())
        assert msgspec.json.decode(await socket.recv()) == [3, "1", {"status": "Accepted"}]
        signed = msgspec.json.decode(await socket.recv())[3]["certificateChain"]
    new = hand_out(tmp_path, "renewed", signed, key.read_text())
    async with await opened(f"{url}CP-7", tmp_path, new):
        authority.revoke(f"{old.certificate.serial_number:x}", NOW, "superseded")
    with pytest.raises(REFUSED):
        await opened(f"{url}CP-7", tmp_path, old)
