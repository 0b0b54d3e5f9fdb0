"""TLS as chargers meet it: suites, client certificates, and files that change under a running server."""

import asyncio
import os
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chargeloop.model import BadInput
from chargeloop.pki import STATIONS, Authority, Credentials, Pair, Tls, client_of, context_of, identity_of
from tests.pki.openssl_ca import EC, LEAF, LOCALHOST, RSA, Made, issue, new_root, openssl

NOW = datetime.now(UTC) + timedelta(minutes=50)
REFUSED = (ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)  # as the moment has it


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def root(folder: Path) -> Made:
    return new_root(folder, "root")


@pytest.fixture(scope="module")
def servers(folder: Path, root: Made) -> list[Made]:
    return [issue(folder, name, "/CN=localhost", root, LOCALHOST, kind) for name, kind in (("ec", EC), ("rsa", RSA))]


@pytest.fixture
def tls(tmp_path: Path, servers: list[Made], root: Made) -> Tls:
    """An ECDSA and an RSA pair, in files that may be changed, and the same root for clients."""
    copies = [Pair(Path(shutil.copy(each.pem, tmp_path)), Path(shutil.copy(each.key, tmp_path))) for each in servers]
    return Tls(tuple(copies), root.pem)


@pytest.fixture
def credentials(tls: Tls) -> Credentials:
    return Credentials(tls)


@asynccontextmanager
async def served(context: ssl.SSLContext) -> AsyncIterator[int]:
    """A server that tells each client the common name it has shown, "-" for none; its port."""

    async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.write((identity_of(der).common_name if der else "-").encode() + b"\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(tell, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


def client(root: Made, shown: Made | None = None, suite: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(root.pem))
    if shown is not None:
        context.load_cert_chain(shown.pem, shown.key)
    if suite is not None:
        context.set_ciphers(suite)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


async def ask(port: int, context: ssl.SSLContext) -> tuple[str, bytes]:
    """What the server has seen of us, and the DER certificate that we have seen of it."""
    reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
    try:
        line = await reader.readuntil(b"\n")
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.transport.abort()
    return line.decode().strip(), shown


@pytest.mark.parametrize(
    "suite", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "AES128-GCM-SHA256", "AES256-GCM-SHA384"]
)
async def test_each_suite_that_ocpp_asks_for(credentials: Credentials, root: Made, suite: str) -> None:
    async with served(credentials.context) as port:
        reader, writer = await asyncio.open_connection("localhost", port, ssl=client(root, None, suite))
        connection = writer.get_extra_info("ssl_object")
        assert connection.cipher()[0] == suite
        assert connection.compression() is None
        assert await reader.readline() == b"-\n"
        writer.transport.abort()


@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-AES128-SHA", "AES128-SHA", "ECDHE-RSA-AES128-SHA256"])
async def test_weak_suites_are_refused(credentials: Credentials, root: Made, suite: str) -> None:
    async with served(credentials.context) as port:
        with pytest.raises(REFUSED):
            await ask(port, client(root, None, suite))


def test_old_versions_are_refused(credentials: Credentials) -> None:
    assert credentials.context.minimum_version == ssl.TLSVersion.TLSv1_2


async def test_client_certificates_are_welcome_but_not_needed(credentials: Credentials, root: Made, folder: Path) -> None:
    station = issue(folder, "CP-7", "/O=Stadtwerke/CN=CP-7", root, LEAF)
    stranger = issue(folder, "stranger", "/CN=CP-7", new_root(folder, "other"), LEAF)
    expired = issue(folder, "expired", "/CN=CP-7", root, LEAF, days=-1)
    async with served(credentials.context) as port:
        assert (await ask(port, client(root)))[0] == "-"
        assert (await ask(port, client(root, station)))[0] == "CP-7"
        for refused in (stranger, expired):
            with pytest.raises(REFUSED):
                await ask(port, client(root, refused))
    assert client_of(station.der, NOW).organisation == "Stadtwerke"


async def test_a_renewed_certificate_is_taken_over_without_a_restart(
    credentials: Credentials, tls: Tls, root: Made, tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    renewed = issue(tmp_path / "new", "ec", "/CN=localhost", root, LOCALHOST, days=60)
    async with served(credentials.context) as port:
        before = await ask(port, client(root))
        assert credentials.refresh() is False
        os.replace(renewed.key, tls.pairs[0].key)
        assert credentials.refresh() is False, "the key alone doesn't fit: the old pair goes on"
        assert (await ask(port, client(root)))[1] == before[1]
        os.replace(renewed.pem, tls.pairs[0].chain)
        assert credentials.refresh() is True
        after = await ask(port, client(root))
    assert after[1] != before[1]
    assert after[1] == openssl("x509", "-in", tls.pairs[0].chain, "-outform", "DER")


async def test_an_authority_added_for_clients_counts_at_once(tls: Tls, root: Made, folder: Path, tmp_path: Path) -> None:
    trusted = tmp_path / "clients.pem"
    trusted.write_text(root.text)
    credentials = Credentials(Tls(tls.pairs, trusted))
    second = new_root(folder, "second")
    station = issue(folder, "CP-8", "/CN=CP-8", second, LEAF)
    async with served(credentials.context) as port:
        trusted.write_text(root.text + second.text)
        assert credentials.refresh() is True
        assert (await ask(port, client(root, station)))[0] == "CP-8"


def test_expiry_is_watched(credentials: Credentials, tls: Tls) -> None:
    assert 19.9 < credentials.days_left(NOW) < 20
    assert credentials.days_left(NOW + timedelta(days=30)) < 0


async def test_our_own_authority_is_enough_for_both_sides(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca", "Stadtwerke", STATIONS, datetime.now(UTC))
    made = {}
    for name, hosts in (("server", ["localhost"]), ("CP-9", [])):
        chain, key = authority.issue(name, datetime.now(UTC), hosts)
        made[name] = Made(tmp_path / f"{name}.key", tmp_path / f"{name}.pem")
        made[name].key.write_text(key)
        made[name].pem.write_text(chain)
    root = Made(tmp_path / "ca" / "root.key", tmp_path / "ca" / "root.pem")
    async with served(context_of(Tls((Pair(made["server"].pem, made["server"].key),), root.pem))) as port:
        assert (await ask(port, client(root, made["CP-9"])))[0] == "CP-9"


def test_files_that_are_wrong_are_named(tls: Tls, root: Made, tmp_path: Path) -> None:
    good = tls.pairs[0]
    (tmp_path / "odd.pem").write_bytes(b"\xff\x00")
    openssl("genpkey", "-algorithm", "RSA", "-aes256", "-pass", "pass:secret", "-out", tmp_path / "locked.key")
    cases: list[tuple[Tls, str]] = [
        (Tls(()), "TLS: needs a certificate"),
        (Tls((Pair(tmp_path / "none.pem", good.key),)), r"none\.pem: No such file"),
        (Tls((Pair(good.chain, tmp_path / "none.key"),)), r"none\.key: No such file"),
        (Tls((Pair(tmp_path / "odd.pem", good.key),)), r"odd\.pem: is no PEM file"),
        (Tls((Pair(good.key, good.key),)), r"ec\.key: holds no PEM certificate"),
        (Tls((Pair(good.chain, tls.pairs[1].key),)), r"rsa\.key: does not go with ec\.pem"),
        (Tls((Pair(good.chain, tmp_path / "locked.key"),)), r"locked\.key: does not go with ec\.pem"),
        (Tls((good,), good.key), r"ec\.key: holds no PEM certificate"),
    ]
    for wrong, named in cases:
        with pytest.raises(BadInput, match=named):
            context_of(wrong)
