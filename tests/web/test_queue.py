"""The queue in a real browser on a real server, whose bays are filled and freed by a feed."""

import asyncio
import json
import re
import threading
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from chargeloop.console.web import PAGES
from chargeloop.gateway.telemetry import TelemetryLink
from chargeloop.model import Event, EvseStatus, EvseStatusChanged, SessionEnded, SessionStarted
from tests.web.test_fleet import Server
from tests.web.test_pages import PATIENCE_MS, ask, browser, unavailable, wait_for_map

__all__ = ["browser"]
TOKEN = "the-token-of-this-test"


class Feed:
    """Tells the server what happens at bays. Its connection lives in a thread of its own."""

    def __init__(self, server: Server) -> None:
        self.address = server.address
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._link = TelemetryLink(server.address, "test", TOKEN)
        self._run(self._link.__aenter__())

    def tell(self, *events: Event) -> None:
        async def told() -> None:
            self._link.submit(events)
            await self._link.flushed()

        self._run(told())

    def stop(self) -> None:
        self._run(self._link.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.address}/api/v1{path}", timeout=10) as answer:
            return json.load(answer)

    def fast_bays(self, station: str) -> list[str]:
        return [bay["evse_id"] for bay in self.get(f"/stations/{station}")["bays"] if bay["current"] == "DC"]

    def fill(self, station: str) -> list[str]:
        bays = self.fast_bays(station)
        self.tell(*(plugged_in(evse, f"X-{evse}") for evse in bays))
        return bays

    def _run(self, what: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(20)


def now() -> datetime:
    return datetime.now(UTC)


def plugged_in(evse: str, token: str) -> SessionStarted:
    return SessionStarted(at=now(), session_id=f"s-{token}", evse_id=evse, id_token=token[:20])


def gone(evse: str, token: str, kwh: float = 10) -> SessionEnded:
    return SessionEnded(at=now(), session_id=f"s-{token}", evse_id=evse, meter_wh=kwh * 1000)


def broken(evse: str) -> EvseStatusChanged:
    return EvseStatusChanged(at=now(), evse_id=evse, status=EvseStatus.FAULTED)


@pytest.fixture(scope="module")
def feed(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feed]:
    if not (PAGES / "index.html").is_file():
        unavailable("the pages are not built: run `make setup`")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHARGELOOP_FEED_TOKEN", TOKEN)
        server = Server(tmp_path_factory.mktemp("queue"), "--tick-s", "1")
    started = Feed(server)
    yield started
    started.stop()
    server.stop()


NewPage = Callable[..., Page]


@pytest.fixture
def new_page(browser: Browser, feed: Feed) -> Iterator[NewPage]:
    contexts, errors = list[BrowserContext](), list[str]()

    def make(path: str, width: int = 390, height: int = 844) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(feed.address + path)
        return page

    yield make
    for context in contexts:
        context.close()
    assert errors == []


def queue_up(new_page: NewPage, feed: Feed, path: str = "/drive") -> tuple[Page, str, list[str]]:
    """A driver in the queue of the station that was best when he asked, and whose bays have been taken since."""
    page = new_page(path)
    wait_for_map(page)
    ask(page)
    station = page.get_by_test_id("card").first.get_attribute("data-station")
    assert station is not None
    bays = feed.fill(station)
    page.get_by_test_id("hold").first.click()
    expect(page.get_by_test_id("queued")).to_be_visible()
    return page, station, bays


def token_of(page: Page, feed: Feed) -> tuple[int, str]:
    held = json.loads(page.evaluate("sessionStorage.getItem('chargeloop-held')"))["reservation"]
    return held["reservation_id"], feed.get(f"/reservations/{held['reservation_id']}")["id_token"]


def test_a_driver_waits_takes_the_bay_charges_and_gets_the_bill(new_page: NewPage, feed: Feed) -> None:
    page, _, bays = queue_up(new_page, feed)
    expect(page.get_by_test_id("place")).to_have_text("You are next")
    page.get_by_test_id("arrived").click()
    expect(page.get_by_test_id("there")).to_be_visible()
    feed.tell(gone(bays[0], f"X-{bays[0]}"))
    expect(page.get_by_test_id("offer")).to_contain_text(bays[0])
    expect(page.get_by_test_id("countdown")).to_have_text(re.compile(r"Answer within [45]:\d\d"))
    page.get_by_test_id("accept").click()
    expect(page.get_by_test_id("held")).to_contain_text(bays[0])
    page.reload()
    expect(page.get_by_test_id("expires")).to_contain_text("held until")
    _, token = token_of(page, feed)
    feed.tell(plugged_in(bays[0], token))
    expect(page.get_by_test_id("after")).to_contain_text("You are charging")
    feed.tell(gone(bays[0], token))
    expect(page.get_by_test_id("bill")).to_contain_text("Sum")
    expect(page.get_by_test_id("waited")).to_contain_text(re.compile(r"promised .*, took "))
    page.get_by_test_id("again").click()
    expect(page.get_by_test_id("ask")).to_be_visible()


def test_one_lets_the_next_go_first_who_leaves_and_is_not_asked_again(new_page: NewPage, feed: Feed) -> None:
    page, _, bays = queue_up(new_page, feed)
    feed.tell(gone(bays[0], f"X-{bays[0]}"))
    page.get_by_test_id("snooze").click()
    expect(page.get_by_test_id("queued")).to_contain_text("You let the next one go first")
    page.get_by_test_id("cancel").click()
    expect(page.get_by_test_id("closed")).to_contain_text("Given back")


def lose_the_bay(new_page: NewPage, feed: Feed) -> tuple[Page, str]:
    """A driver whose bay fails before he plugs in."""
    page, station, bays = queue_up(new_page, feed)
    feed.tell(gone(bays[0], f"X-{bays[0]}"))
    page.get_by_test_id("accept").click()
    expect(page.get_by_test_id("held")).to_be_visible()
    feed.tell(broken(bays[0]))
    expect(page.get_by_test_id("changed")).to_contain_text(f"Bay {bays[0]} is out of order")
    return page, station


def test_something_changed_is_one_card_with_one_reason_and_the_place_can_be_kept(new_page: NewPage, feed: Feed) -> None:
    page, _ = lose_the_bay(new_page, feed)
    page.get_by_test_id("keep").click()
    expect(page.get_by_test_id("changed")).to_have_count(0)
    expect(page.get_by_test_id("place")).to_have_text("You are next")


def test_or_a_better_station_taken(new_page: NewPage, feed: Feed) -> None:
    page, station = lose_the_bay(new_page, feed)
    number, _ = token_of(page, feed)
    page.get_by_test_id("move").click()
    expect(page.get_by_test_id("held")).to_be_visible()
    assert feed.get(f"/reservations/{number}")["state"] == "moved"
    assert station not in page.get_by_test_id("bay").inner_text()


def test_the_console_shows_who_waits_and_changes_the_rules(new_page: NewPage, feed: Feed) -> None:
    queue_up(new_page, feed)
    page = new_page("/#/queue", 1440, 900)
    expect(page.get_by_test_id("queue-in-queue")).to_contain_text("In the queue")
    expect(page.get_by_test_id("queued-driver").filter(has_text="waiting").first).to_be_visible()
    page.get_by_test_id("policy-answer_s").fill("4")
    page.get_by_test_id("policy-save").click()
    expect(page.get_by_test_id("policy-status")).to_contain_text("Saved")
    assert feed.get("/queue/policy")["answer_s"] == 240
    page.goto(feed.address + "/#/audit")
    expect(page.get_by_test_id("audit")).to_contain_text("change queue rules")


def test_it_speaks_chinese(new_page: NewPage, feed: Feed) -> None:
    page, _, bays = queue_up(new_page, feed, "/drive?lang=zh")
    expect(page.get_by_test_id("place")).to_have_text("下一位就是您")
    feed.tell(gone(bays[0], f"X-{bays[0]}"))
    expect(page.get_by_test_id("accept")).to_have_text("我要这个车位")
    page.get_by_test_id("decline").click()
    expect(page.get_by_test_id("closed")).to_contain_text("您已退出排队")
    console = new_page("/?lang=zh#/queue", 1440, 900)
    expect(console.get_by_test_id("policy")).to_contain_text("插枪时间")


@pytest.mark.parametrize("width", [390, 1024])
def test_nothing_sticks_out_sideways(new_page: NewPage, feed: Feed, width: int) -> None:
    page = new_page("/#/queue", width, 800)
    page.get_by_test_id("policy").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
