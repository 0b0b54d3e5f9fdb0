"""The chargers' pages in a real browser, on a real server to which a real OCPP client is connected."""

# mypy: disable-error-code="untyped-decorator, misc"

import asyncio
import base64
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import (
    AvailabilityStatus,
    ConfigurationStatus,
    GetCompositeScheduleStatus,
    ResetStatus,
    TriggerMessageStatus,
    UnlockStatus,
    UpdateStatus,
)
from playwright.sync_api import Browser, BrowserContext, Page, expect
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from chargeloop.console.web import PAGES
from tests.console.demo_process import free_port
from tests.pki.openssl_ca import new_root
from tests.web.test_pages import PATIENCE_MS, browser, unavailable

__all__ = ["browser"]
NewPage = Callable[..., Page]


class Server:
    """`chargeloop serve` on the built-in city, with ports and a database of its own."""

    def __init__(self, folder: Path, *more: str | Path) -> None:
        self.http_port, self.ocpp_port = free_port(), free_port()
        ports = ("--http-port", str(self.http_port), "--ocpp-port", str(self.ocpp_port))
        command = [
            sys.executable,
            "-m",
            "chargeloop",
            "serve",
            *ports,
            "--data-dir",
            str(folder),
            "--log-level",
            "warning",
            *map(str, more),
        ]
        self.address = f"http://127.0.0.1:{self.http_port}"
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while not self._answers():
            assert self._process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server did not start in time"
            time.sleep(0.2)

    def _answers(self) -> bool:
        with suppress(OSError, urllib.error.URLError), urllib.request.urlopen(self.address + "/api/v1/live", timeout=5):
            return True
        return False

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(60)


class Point(ChargePoint):
    settings: dict[str, str]

    @on("Reset")
    def on_reset(self, **_: Any) -> call_result.Reset:
        return call_result.Reset(status=ResetStatus.accepted)

    @on("UnlockConnector")
    def on_unlock(self, **_: Any) -> call_result.UnlockConnector:
        return call_result.UnlockConnector(status=UnlockStatus.not_supported)

    @on("TriggerMessage")
    def on_trigger(self, **_: Any) -> call_result.TriggerMessage:
        return call_result.TriggerMessage(status=TriggerMessageStatus.accepted)

    @on("ChangeAvailability")
    def on_availability(self, **_: Any) -> call_result.ChangeAvailability:
        return call_result.ChangeAvailability(status=AvailabilityStatus.accepted)

    @on("ChangeConfiguration")
    def on_change(self, key: str, value: str) -> call_result.ChangeConfiguration:
        self.settings[key] = value
        return call_result.ChangeConfiguration(status=ConfigurationStatus.accepted)

    @on("GetConfiguration")
    def on_configuration(self, **_: Any) -> call_result.GetConfiguration:
        return call_result.GetConfiguration(configuration_key=[{"key": "HeartbeatInterval", "readonly": False, "value": "300"}])

    @on("GetLocalListVersion")
    def on_list_version(self) -> call_result.GetLocalListVersion:
        return call_result.GetLocalListVersion(list_version=3)

    @on("SendLocalList")
    def on_list(self, **_: Any) -> call_result.SendLocalList:
        return call_result.SendLocalList(status=UpdateStatus.accepted)

    @on("GetCompositeSchedule")
    def on_schedule(self, connector_id: int, duration: int) -> call_result.GetCompositeSchedule:
        """7.4 kW for an hour, then 11."""
        periods = [{"startPeriod": 0, "limit": 7400.0}, {"startPeriod": 3600, "limit": 11000.0}]
        return call_result.GetCompositeSchedule(
            status=GetCompositeScheduleStatus.accepted,
            connector_id=connector_id,
            schedule_start=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            charging_schedule={"duration": duration, "chargingRateUnit": "W", "chargingSchedulePeriod": periods},
        )


class Charger:
    """A charge point in a thread of its own: connects, boots until it is accepted, then reports its connector; forever."""

    def __init__(self, server: Server, identity: str) -> None:
        self.identity, self.password = identity, ""
        self.settings: dict[str, str] = {}
        self._url = f"ws://127.0.0.1:{server.ocpp_port}/ocpp/{identity}"
        self._loop = asyncio.new_event_loop()
        self._living = self._loop.create_task(self._live())
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._living.cancel)
        self._thread.join(10)

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._living)
        self._loop.close()

    async def _live(self) -> None:
        while True:
            login = base64.b64encode(f"{self.identity}:{self.password}".encode()).decode()
            headers = {"Authorization": f"Basic {login}"} if self.password else {}
            with suppress(OSError, WebSocketException):
                protocol = [Subprotocol("ocpp1.6")]
                async with connect(self._url, subprotocols=protocol, additional_headers=headers, proxy=None) as socket:
                    point = Point(self.identity, socket)
                    point.settings = self.settings
                    speaking = asyncio.create_task(self._speak(point))
                    try:
                        await point.start()
                    finally:
                        speaking.cancel()
            await asyncio.sleep(0.3)

    async def _speak(self, point: Point) -> None:
        boot = call.BootNotification("Wallbox M", "Maker", charge_point_serial_number="SN-4711", firmware_version="3.2.1")
        while (await point.call(boot)).status != "Accepted":
            await asyncio.sleep(0.5)
        await point.call(call.StatusNotification(1, "NoError", "Available"))
        await point.call(call.FirmwareStatusNotification("Downloading"))
        await point.call(call.DiagnosticsStatusNotification("Uploaded"))
        await point.call(call.DataTransfer("Maker", message_id="Door", data="open"))
        while True:
            await asyncio.sleep(1)
            await point.call(call.Heartbeat())


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if not (PAGES / "index.html").is_file():
        unavailable("the pages are not built: run `make setup`")
    running = Server(tmp_path_factory.mktemp("fleet"))
    yield running
    running.stop()


@pytest.fixture
def new_page(browser: Browser, server: Server) -> Iterator[NewPage]:
    """Opens a page; at the end there must be no error in its console, but what `allow` names."""
    contexts, errors, allowed = list[BrowserContext](), list[str](), list[str]()

    def make(path: str, width: int = 1440, height: int = 900, allow: str | None = None) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        if allow is not None:
            allowed.append(allow)
        page.goto(server.address + path)
        return page

    yield make
    for context in contexts:
        context.close()
    assert [error for error in errors if not any(each in error for each in allowed)] == []


@pytest.fixture
def charger(server: Server, request: pytest.FixtureRequest) -> Iterator[Charger]:
    """A charger nobody knows yet, named after the test."""
    running = Charger(server, "CP-" + re.sub(r"\W+", "-", request.node.name)[5:25])
    yield running
    running.stop()


def adopt(page: Page, charger: Charger, profile: str = "0") -> None:
    """From the list of chargers, at a station with a free bay."""
    page.get_by_role("link", name=f"Adopt {charger.identity}").first.click()
    page.get_by_test_id("adopt-station").fill("S1001")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("chosen-station")).not_to_be_empty()
    page.get_by_role("radio", name=re.compile(f"^{profile} ")).check()
    page.get_by_test_id("adopt-do").click()
    expect(page.get_by_test_id("adopted")).to_contain_text("is adopted")


def adopted(page: Page, charger: Charger) -> None:
    """The charger's own page, in use and connected."""
    adopt(page, charger)
    page.get_by_test_id("adopted").get_by_role("link").click()
    expect(page.get_by_test_id("charger")).to_contain_text("Connector 1free")


def test_without_a_charger_it_says_how_to_connect_one(new_page: NewPage, server: Server) -> None:
    page = new_page("/#/chargers")
    expect(page.get_by_test_id("no-charger")).to_contain_text("connect one in 2 minutes")
    expect(page.get_by_test_id("no-charger")).to_contain_text(f"ws://127.0.0.1:{server.ocpp_port}/ocpp/")


def test_with_tls_it_shows_the_encrypted_address_first(browser: Browser, server: Server, tmp_path: Path) -> None:
    made, port = new_root(tmp_path, "server"), free_port()
    secure = Server(tmp_path / "data", "--ocpp-tls-chain", made.pem, "--ocpp-tls-key", made.key, "--ocpp-tls-port", str(port))
    page = browser.new_page(locale="en-GB")
    page.goto(secure.address + "/#/chargers")
    shown = [f"wss://127.0.0.1:{port}/ocpp/", f"ws://127.0.0.1:{secure.ocpp_port}/ocpp/"]
    expect(page.get_by_test_id("no-charger").locator(".secret code")).to_contain_text(shown)
    page.close()
    secure.stop()


def test_an_unknown_charger_is_adopted_with_a_password_shown_once(new_page: NewPage, charger: Charger) -> None:
    page = new_page("/#/chargers")
    expect(page.get_by_test_id("newcomers")).to_contain_text(charger.identity)
    adopt(page, charger, profile="1")
    charger.password = page.get_by_test_id("password").inner_text()
    expect(page.get_by_test_id("adopted")).to_contain_text("AuthorizationKey")
    page.get_by_test_id("adopted").get_by_role("link").click()
    expect(page.get_by_test_id("charger")).to_contain_text("Connector 1free")
    expect(page.get_by_test_id("charger")).to_contain_text("Maker Wallbox M")
    expect(page.get_by_test_id("charger")).not_to_contain_text(charger.password)
    page.goto(page.url.split("#")[0] + "#/chargers/ok")
    row = page.get_by_test_id("charger-row").filter(has_text=charger.identity)
    expect(row).to_contain_text("OK")
    page.get_by_test_id("fleet-search").fill("wallbox 3.2.1")
    expect(row).to_be_visible()
    page.get_by_test_id("fleet-search").fill("no such thing")
    expect(row).to_be_hidden()


def test_the_list_is_exported(new_page: NewPage, charger: Charger) -> None:
    page = new_page("/#/chargers")
    expect(page.get_by_test_id("charger-row").filter(has_text=charger.identity)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_test_id("fleet-csv").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("Health,State,Charger,Station")
    assert any(charger.identity in line for line in lines[1:])


def test_messages_are_live_searched_and_opened(new_page: NewPage, charger: Charger) -> None:
    page = new_page("/#/chargers")
    adopted(page, charger)
    log = page.get_by_test_id("log")
    expect(log.get_by_role("listitem").filter(has_text="Heartbeat").nth(3)).to_be_visible()  # they come by themselves
    page.get_by_test_id("log-action").select_option("BootNotification")
    expect(log.get_by_role("listitem").filter(has_text="Heartbeat")).to_have_count(0)
    log.get_by_role("button", name=re.compile("from the charger.*BootNotification")).first.click()
    expect(log.locator("pre")).to_contain_text('"firmwareVersion": "3.2.1"')
    page.get_by_test_id("log-action").select_option("")
    page.get_by_test_id("log-search").fill("SN-4711")
    expect(log.get_by_role("listitem").filter(has_text="BootNotification").first).to_be_visible()
    expect(log.get_by_role("listitem").filter(has_text="Heartbeat")).to_have_count(0)
    page.get_by_test_id("log-search").fill("")
    page.get_by_test_id("log-pause").click()
    expect(page.get_by_test_id("log-pause")).to_contain_text(re.compile(r"Go on \([2-9] new\)"))


def test_commands_are_answered_and_audited(new_page: NewPage, charger: Charger) -> None:
    page = new_page("/#/chargers")
    adopted(page, charger)
    answers = page.get_by_test_id("answers").get_by_role("listitem")
    page.get_by_role("button", name="Get configuration").click()
    expect(answers.first).to_contain_text("HeartbeatInterval")
    page.get_by_role("button", name="Reset").click()
    page.get_by_test_id("send").click()
    expect(answers.first).to_contain_text("✓ Accepted")
    page.get_by_role("button", name="Unlock").click()
    page.keyboard.press("Enter")
    expect(answers.first).to_contain_text("! NotSupported")
    page.get_by_test_id("action").select_option("TriggerMessage")
    page.get_by_test_id("as-json").click()
    page.get_by_test_id("json").fill('{"requestedMessage": "Heartbeat", "connectorId": 1}')
    page.get_by_test_id("send").click()
    expect(answers).to_have_count(4)
    expect(answers.first).to_contain_text('"connectorId": 1')
    expect(page.get_by_test_id("log")).to_contain_text("TriggerMessage")
    page.get_by_test_id("account").click()
    page.get_by_role("link", name="Audit").click()
    rows = page.get_by_test_id("audit-row").filter(has_text=charger.identity)
    expect(rows.filter(has_text="Reset")).to_contain_text("Accepted")


def test_a_form_is_made_from_the_schema(new_page: NewPage, charger: Charger) -> None:
    page = new_page("/#/chargers")
    adopted(page, charger)
    page.get_by_test_id("action").select_option("RemoteStartTransaction")
    page.get_by_label("idTag").fill("TAG-1")
    page.get_by_role("button", name="Add chargingProfile").click()
    page.get_by_label("chargingProfileId").fill("7")
    page.get_by_label("chargingRateUnit").select_option("W")
    page.get_by_label("limit").fill("11000")
    page.get_by_test_id("as-json").click()
    written = page.get_by_test_id("json").input_value()
    assert '"idTag": "TAG-1"' in written
    assert '"limit": 11000' in written
    page.get_by_test_id("json").fill('{"idTag": "TAG-2"}')
    page.get_by_role("button", name="Form").click()
    expect(page.get_by_label("idTag")).to_have_value("TAG-2")


def test_its_password_is_changed_and_its_token_list_sent(new_page: NewPage, charger: Charger) -> None:
    page = new_page("/#/chargers")
    adopt(page, charger, profile="1")
    charger.password = page.get_by_test_id("password").inner_text()
    page.get_by_test_id("adopted").get_by_role("link").click()
    expect(page.get_by_test_id("charger")).to_contain_text("Connector 1free")
    page.get_by_test_id("change-password").get_by_role("button").click()
    page.get_by_test_id("yes").click()
    expect(page.get_by_test_id("change-password").get_by_role("status")).to_have_text("✓ Accepted")
    assert charger.settings["AuthorizationKey"] not in (charger.password, "")
    expect(page.get_by_test_id("charger")).not_to_contain_text(charger.settings["AuthorizationKey"])
    page.get_by_test_id("send-list").get_by_role("button", name="Send all").click()
    expect(page.get_by_test_id("send-list").get_by_role("status")).to_have_text("✓ sent · version 4, tokens: 0")


def test_what_it_tells_and_the_limits_ahead(new_page: NewPage, charger: Charger) -> None:
    page = new_page("/#/chargers")
    adopted(page, charger)
    expect(page.get_by_test_id("notices")).to_contain_text("Firmware updateDownloading")
    expect(page.get_by_test_id("notices")).to_contain_text("Log uploadUploaded")
    page.get_by_test_id("notices").get_by_text("DataTransfer").click()
    expect(page.get_by_test_id("notices").locator("pre")).to_contain_text('"data": "open"')
    page.get_by_test_id("ask-schedule").click()
    plot = page.get_by_test_id("steps")
    expect(plot.locator("svg text").filter(has_text="kW")).to_be_visible()
    expect(plot.locator("svg text").filter(has_text="Time in the city")).to_be_visible()
    page.get_by_test_id("schedule").get_by_text("As a table").click()
    expect(page.get_by_test_id("schedule").get_by_role("row")).to_contain_text(["From", "7.4 kW", "11.0 kW"])
    expect(page.get_by_test_id("notices").locator("pre")).to_be_visible()  # what was opened stays open


def test_a_charger_is_retired(new_page: NewPage, charger: Charger) -> None:
    page = new_page("/#/chargers")
    adopted(page, charger)
    page.get_by_test_id("retire").click()
    page.get_by_test_id("yes").click()
    expect(page.get_by_test_id("charger")).to_contain_text("This charger is retired")
    expect(page.get_by_test_id("adopt")).to_be_visible()


def test_it_speaks_chinese(new_page: NewPage, charger: Charger) -> None:
    page = new_page("/?lang=zh#/chargers")
    expect(page.get_by_test_id("newcomers")).to_contain_text("未知充电桩")
    page.get_by_test_id("newcomers").get_by_role("link", name=charger.identity, exact=True).click()
    expect(page.get_by_test_id("log")).to_contain_text("来自充电桩")


@pytest.mark.parametrize("page_name", ["chargers", "charger", "adopt", "accounts", "audit"])
@pytest.mark.parametrize("width", [390, 1024])
def test_nothing_sticks_out_sideways(new_page: NewPage, charger: Charger, page_name: str, width: int) -> None:
    page = new_page("/#/chargers", width, 800)
    expect(page.get_by_test_id("charger-row").filter(has_text=charger.identity)).to_be_visible()
    page.goto(f"{page.url.split('#')[0]}#/{page_name}/{charger.identity if page_name in ('charger', 'adopt') else ''}")
    expect(page.locator(".page h1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_with_accounts_everybody_logs_in_and_sees_what_they_may(new_page: NewPage, server: Server, charger: Charger) -> None:
    """The last one: from here on the server asks everybody who they are."""
    page = new_page("/#/chargers", allow="401 (Unauthorized)")
    adopted(page, charger)
    page.get_by_test_id("account").click()
    page.get_by_role("link", name="Add the first account").click()
    add_account(page, "anna", "Operator")
    log_in(page, "anna", "wrong password")
    expect(page.get_by_role("alert").filter(has_text="Name or password is wrong.")).to_be_visible()
    log_in(page, "anna", "a long password")
    expect(page.get_by_test_id("account-row")).to_contain_text("anna")  # where one was
    add_account(page, "tom", "Technician")
    expect(page.get_by_test_id("account-row")).to_have_count(2)
    add_account(page, "rita", "Regulator")
    expect(page.get_by_test_id("account-row")).to_have_count(3)
    page.goto(f"{server.address}/#/charger/{charger.identity}")
    page.get_by_role("button", name="Get configuration").click()
    expect(page.get_by_test_id("answers")).to_contain_text("HeartbeatInterval")
    as_somebody_else(page, "tom")
    expect(page.get_by_test_id("charger-name")).to_have_text(charger.identity)
    expect(page.get_by_test_id("send")).to_be_enabled()
    expect(page.get_by_test_id("retire")).to_have_count(0)
    page.get_by_test_id("account").click()
    expect(page.get_by_test_id("log-out")).to_be_visible()
    expect(page.get_by_role("link", name="Audit")).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Get configuration").click()
    expect(page.get_by_test_id("answers")).to_contain_text("HeartbeatInterval")
    as_somebody_else(page, "rita")
    expect(page.get_by_test_id("commands")).to_contain_text("Your account may not send commands.")
    expect(page.get_by_test_id("log")).to_contain_text("Heartbeat")
    expect(page.get_by_test_id("upkeep")).to_be_hidden()
    page.get_by_test_id("account").click()
    page.get_by_role("link", name="Audit").click()
    expect(page.get_by_test_id("audit-row").filter(has_text="GetConfiguration")).to_contain_text(["tom", "anna"])
    page.goto(f"{server.address}/#/accounts")
    expect(page.get_by_text("Your account may not see this page.")).to_be_visible()


def as_somebody_else(page: Page, name: str) -> None:
    """Log out, and another person in, on the same page."""
    page.get_by_test_id("account").click()
    page.get_by_test_id("log-out").click()
    log_in(page, name, "a long password")


def add_account(page: Page, name: str, role: str) -> None:
    form = page.get_by_test_id("add-account")
    form.get_by_label("Name").fill(name)
    form.get_by_label("Password").fill("a long password")
    for box in form.get_by_role("checkbox").all():
        box.uncheck()
    form.get_by_role("checkbox", name=role).check()
    form.get_by_role("button", name="Add").click()


def log_in(page: Page, name: str, password: str) -> None:
    form = page.get_by_test_id("login")
    form.get_by_label("Name").fill(name)
    form.get_by_label("Password").fill(password)
    form.get_by_role("button", name="Log in").click()
