"""Security profiles 1, 2 and 3 over real TLS, with an authority made by openssl."""

import asyncio
import json
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidMessage, InvalidStatus
from websockets.typing import Subprotocol

from chargeloop.gateway.ocpp import OcppGateway, without_secrets
from chargeloop.model import BadInput
from chargeloop.persistence import Store
from chargeloop.pki import Credentials, Pair, Pki, Tls, open_pki
from tests.gateway.conftest import KNOWN, NOW, Wire
from tests.pki.openssl_ca import AUTHORITY, LEAF, LOCALHOST, Made, issue, new_request, new_root

BOOT_16 = {"chargePointVendor": "V", "chargePointModel": "M"}
BOOT_2 = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}
REFUSED = (ssl.SSLError, ConnectionError, InvalidMessage)  # as the moment has it


class Office:
    """The operator's own root and sub-authority by openssl, and what they have signed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = new_root(folder, "root")
        self.sub = issue(folder, "sub", "/O=Stadtwerke/CN=sub", self.root, AUTHORITY)
        self.server = issue(folder, "server", "/CN=localhost", self.sub, LOCALHOST)

    def pki(self, folder: Path) -> Pki:
        (folder / "stations").mkdir(parents=True)
        for name, source in (("root.pem", self.root.pem), ("sub.pem", self.sub.pem), ("sub.key", self.sub.key)):
            (folder / "stations" / name).write_bytes(source.read_bytes())
            (folder / "stations" / name).chmod(0o600)
        return open_pki(folder, "", datetime.now(UTC))

    def chain(self, made: Made) -> Path:
        """As TLS shows it: with the sub-authority."""
        path = made.pem.with_suffix(".chain")
        path.write_text(made.text + self.sub.text)
        return path

    def station(self, identity: str) -> Path:
        """Certificate, sub-authority and key in one file."""
        made = issue(self.folder, identity, f"/O=Stadtwerke/CN={identity}", self.sub, LEAF)
        path = self.folder / f"{identity}.shown"
        path.write_text(made.text + self.sub.text + made.key.read_text())
        return path


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office(tmp_path_factory.mktemp("office"))


@pytest.fixture
def pki(office: Office, tmp_path: Path) -> Pki:
    return office.pki(tmp_path / "pki")


@pytest.fixture
async def gateway(store: Store, office: Office, pki: Pki) -> AsyncIterator[OcppGateway]:
    gateway = OcppGateway(store, lambda: NOW, lambda evse_id: "S1" if evse_id in KNOWN else None, pki=pki, call_timeout_s=2)
    tls = Tls((Pair(office.chain(office.server), office.server.key),), client_ca=office.root.pem)
    await gateway.start("127.0.0.1", 0, Credentials(tls), 0)
    yield gateway
    await gateway.stop()


Enter = Callable[..., Any]


@pytest.fixture
def enter(gateway: OcppGateway, office: Office) -> Enter:
    """A charge point's way in: over TLS or not, with a password, with a certificate."""

    @asynccontextmanager
    async def entered(
        identity: str = "CP-1",
        *,
        tls: bool = True,
        password: str | None = None,
        shown: Path | None = None,
        version: str = "ocpp1.6",
    ) -> AsyncIterator[Wire]:
        context = ssl.create_default_context(cafile=office.root.pem) if tls else None
        if context is not None and shown is not None:
            context.load_cert_chain(shown)
        url = f"wss://localhost:{gateway.tls_port}" if tls else f"ws://localhost:{gateway.port}"
        login = {"Authorization": "Basic " + b64encode(f"{identity}:{password}".encode()).decode()} if password else {}
        options: dict[str, Any] = {"ssl": context, "additional_headers": login, "subprotocols": [Subprotocol(version)]}
        async with connect(f"{url}/ocpp/{identity}", proxy=None, **options) as socket:
            yield Wire(socket)

    return entered


async def status_of(entering: Any) -> int:
    """HTTP status of an attempt: 101 when it was let in."""
    try:
        async with entering:
            return 101
    except InvalidStatus as error:
        return int(error.response.status_code)


async def test_profile_1_is_a_password_without_tls(gateway: OcppGateway, enter: Enter) -> None:
    _, password = await gateway.adopt("CP-1", ["E1"], 1)
    assert await status_of(enter(tls=False, password=password)) == 101
    assert await status_of(enter(tls=False, password="wrong" * 8)) == 401
    assert await status_of(enter(tls=False)) == 401
    assert await status_of(enter(tls=True, password=password)) == 403


async def test_profile_2_is_a_password_over_tls(gateway: OcppGateway, enter: Enter, office: Office) -> None:
    _, password = await gateway.adopt("CP-1", ["E1"], 2)
    assert await status_of(enter(password=password)) == 101
    assert await status_of(enter(tls=False, password=password)) == 403
    assert await status_of(enter(password="wrong" * 8)) == 401
    assert await status_of(enter(shown=office.station("CP-1"))) == 401
    async with enter(password=password) as wire:
        assert (await wire.ask("BootNotification", BOOT_16))[2]["status"] == "Accepted"


async def test_profile_3_is_a_certificate_of_ones_own(gateway: OcppGateway, enter: Enter, office: Office) -> None:
    _, password = await gateway.adopt("CP-1", ["E1"], 3, with_password=True)
    own = office.station("CP-1")
    async with enter(shown=own) as wire:
        assert (await wire.ask("BootNotification", BOOT_16))[2]["status"] == "Accepted"
        expires = gateway.chargers["CP-1"].certificate_expires
        assert expires is not None
        assert timedelta(days=19) < expires - datetime.now(UTC) < timedelta(days=20)
    assert await status_of(enter(shown=office.station("CP-2"))) == 401
    assert await status_of(enter(password=password)) == 401
    assert await status_of(enter()) == 401
    assert await status_of(enter(tls=False, password=password)) == 403


async def test_strangers_certificates_end_in_the_handshake(gateway: OcppGateway, enter: Enter, office: Office) -> None:
    await gateway.adopt("CP-1", ["E1"], 3)
    stranger = issue(office.folder, "foreign", "/CN=CP-1", new_root(office.folder, "other"), LEAF)
    expired = issue(office.folder, "late", "/O=Stadtwerke/CN=CP-1", office.root, LEAF, days=-1)
    for made in (stranger, expired):
        shown = made.pem.with_suffix(".shown")
        shown.write_text(made.text + made.key.read_text())
        with pytest.raises(REFUSED):
            await status_of(enter(shown=shown))
    assert gateway.connected == frozenset()


async def test_a_revoked_certificate_is_refused(gateway: OcppGateway, enter: Enter, pki: Pki, office: Office) -> None:
    await gateway.adopt("CP-1", ["E1"], 3)
    chain, key = pki.stations.issue("CP-1", datetime.now(UTC))
    shown = office.folder / "revoked.shown"
    shown.write_text(chain + key)
    assert await status_of(enter(shown=shown)) == 101
    (entry,) = pki.stations.issued_to("CP-1")
    pki.stations.revoke(f"{entry.certificate.serial_number:x}", datetime.now(UTC), "keyCompromise")
    assert await status_of(enter(shown=shown)) == 401


async def test_who_guesses_is_locked_out_alone(gateway: OcppGateway, enter: Enter) -> None:
    _, password = await gateway.adopt("CP-1", ["E1"], 2)
    _, other = await gateway.adopt("CP-2", ["E2"], 2)
    assert [await status_of(enter(password=f"guess {n}")) for n in range(6)] == [401] * 5 + [429]
    assert await status_of(enter(password=password)) == 429
    assert await status_of(enter("CP-2", password=other)) == 101


async def test_tls_profiles_need_tls(store: Store) -> None:
    plain = OcppGateway(store, lambda: NOW, lambda _: "S1")
    await plain.start("127.0.0.1", 0)
    with pytest.raises(BadInput, match="--ocpp-tls-chain"):
        await plain.adopt("CP-1", ["E1"], 2)
    await plain.stop()


ROTATIONS = [
    ("ocpp1.6", BOOT_16, "ChangeConfiguration", lambda said: said["value"], {"status": "Accepted"}),
    (
        "ocpp2.0.1",
        BOOT_2,
        "SetVariables",
        lambda said: said["setVariableData"][0]["attributeValue"],
        {
            "setVariableResult": [
                {
                    "attributeStatus": "Accepted",
                    "component": {"name": "SecurityCtrlr"},
                    "variable": {"name": "BasicAuthPassword"},
                }
            ]
        },
    ),
]


@pytest.mark.parametrize(("version", "boot", "action", "password_in", "taken"), ROTATIONS)
async def test_a_password_changes_without_a_moment_of_none(
    gateway: OcppGateway, store: Store, enter: Enter, version: str, boot: Any, action: str, password_in: Any, taken: Any
) -> None:
    _, old = await gateway.adopt("CP-1", ["E1"], 2)
    async with enter(password=old, version=version) as wire:
        await wire.ask("BootNotification", boot)
        rotating = asyncio.create_task(gateway.rotate("CP-1"))
        _, message_id, called, said = await wire.heard()
        assert called == action
        new = password_in(said)
        assert await status_of(enter(password=old, version=version)) == 101, "it may be cut off before it has written it down"
    async with enter(password=old, version=version) as wire:
        rotating.cancel()
        rotating = asyncio.create_task(gateway.rotate("CP-1"))
        _, message_id, _, said = await wire.heard()
        new = password_in(said)
        await wire.socket.send(json.dumps([3, message_id, taken]))
        assert (await rotating).status == "answered"
    assert await status_of(enter(password=new, version=version)) == 101
    assert await status_of(enter(password=old, version=version)) == 401
    kept = [frame.body for _, frame in await store.frames("CP-1") if frame.action == action]
    assert all("(not shown)" in body and new not in body for body in kept)
    assert kept != []


async def test_a_password_that_a_charger_refuses_stays(gateway: OcppGateway, enter: Enter) -> None:
    _, old = await gateway.adopt("CP-1", ["E1"], 2)
    async with enter(password=old) as wire:
        await wire.ask("BootNotification", BOOT_16)
        rotating = asyncio.create_task(gateway.rotate("CP-1"))
        _, message_id, _, said = await wire.heard()
        await wire.socket.send(json.dumps([3, message_id, {"status": "Rejected"}]))
        assert (await rotating).payload == {"status": "Rejected"}
    assert await status_of(enter(password=said["value"])) == 401
    assert await status_of(enter(password=old)) == 101


async def test_passwords_that_are_old_are_changed_without_being_told_to(store: Store, office: Office, pki: Pki) -> None:
    today = datetime.now(UTC)
    gateway = OcppGateway(store, lambda: today, lambda _: "S1", wall=lambda: today, password_days=30)
    await gateway.start("127.0.0.1", 0)
    _, password = await gateway.adopt("CP-1", ["E1"], 1)
    login = {"Authorization": "Basic " + b64encode(f"CP-1:{password}".encode()).decode()}
    url = f"ws://127.0.0.1:{gateway.port}/ocpp/CP-1"
    async with connect(url, subprotocols=[Subprotocol("ocpp1.6")], additional_headers=login, proxy=None) as socket:
        today += timedelta(days=29)
        await gateway.tend(1)
        today += timedelta(days=2)
        tending = asyncio.create_task(gateway.tend(2))
        _, message_id, action, said = json.loads(await asyncio.wait_for(socket.recv(), 5))
        await socket.send(json.dumps([3, message_id, {"status": "Accepted"}]))
        await tending
        await gateway.tend(3)
    await gateway.stop()
    assert (action, said["key"]) == ("ChangeConfiguration", "AuthorizationKey")
    assert gateway.chargers["CP-1"].registration.password_since == today


@pytest.mark.parametrize(("version", "boot"), [("ocpp1.6", BOOT_16), ("ocpp2.0.1", BOOT_2), ("ocpp2.1", BOOT_2)])
async def test_a_charger_asks_for_its_certificate_and_comes_back_with_it(
    gateway: OcppGateway, enter: Enter, office: Office, version: str, boot: Any
) -> None:
    """From profile 2 to 3 (A02)."""
    _, password = await gateway.adopt("CP-1", ["E1"], 2)
    key, csr = new_request(office.folder, f"own-{version}", "/O=Stadtwerke/CN=CP-1")
    async with enter(password=password, version=version) as wire:
        await wire.ask("BootNotification", boot)
        assert (await wire.ask("SignCertificate", {"csr": csr.read_text()}))[2] == {"status": "Accepted"}
        _, message_id, action, said = await wire.heard()
        assert action == "CertificateSigned"
        await wire.socket.send(json.dumps([3, message_id, {"status": "Accepted"}]))
    await gateway.adopt("CP-1", ["E1"], 3)
    shown = office.folder / f"own-{version}.shown"
    shown.write_text(said["certificateChain"] + key.read_text())
    assert await status_of(enter(shown=shown, version=version)) == 101


async def test_a_charger_is_reminded_to_renew(gateway: OcppGateway, enter: Enter, pki: Pki, office: Office) -> None:
    await gateway.adopt("CP-1", ["E1"], 3)
    chain, key = pki.stations.issue("CP-1", datetime.now(UTC))
    shown = office.folder / "ageing.shown"
    shown.write_text(chain + key)
    async with enter(shown=shown, version="ocpp2.0.1") as wire:
        await wire.ask("BootNotification", BOOT_2)
        gateway.remind()
        assert (await wire.ask("Heartbeat", {}))[0] == 3, "nothing yet"
        gateway.wall = lambda: datetime.now(UTC) + timedelta(days=29)  # the sub-authority ends in 20
        gateway.remind()
        _, _, action, said = await wire.heard()
        assert (action, said) == ("TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"})


def test_what_is_written_down_of_a_password() -> None:
    assert without_secrets({"key": "AuthorizationKey", "value": "ab" * 20}) == {
        "key": "AuthorizationKey",
        "value": "(not shown)",
    }
    one = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}, "attributeValue": "secret"}
    assert "secret" not in str(without_secrets({"setVariableData": [one]}))
    harmless = {"key": "HeartbeatInterval", "value": "60"}
    assert without_secrets(harmless) is harmless
