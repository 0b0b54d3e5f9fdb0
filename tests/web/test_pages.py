"""Both pages in a real browser on the running demo: what a person sees, clicks and reads."""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from chargeloop.console.web import PAGES
from tests.console.demo_process import DemoProcess

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SOFTWARE_GL = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox"]
PATIENCE_MS = 30_000  # a machine with few cores draws maps slowly
LIVE, CUT = re.compile(r"live ·"), re.compile(r"cut off")
NO_WEBGL = """
const original = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  return String(kind).startsWith('webgl') ? null : original.call(this, kind, ...rest);
};
"""
COLOURS = """canvas => {
  const small = document.createElement('canvas');
  small.width = small.height = 200;
  const pen = small.getContext('2d');
  pen.drawImage(canvas, 0, 0, 200, 200);
  const data = pen.getImageData(0, 0, 200, 200).data, seen = new Set();
  for (let i = 0; i < data.length; i += 4) seen.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
  return seen.size;
}"""

NewPage = Callable[..., Page]


def unavailable(why: str) -> NoReturn:
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        unavailable("no Chromium on the PATH: the pages are not tested")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=SOFTWARE_GL)
        yield started
        started.close()


@pytest.fixture(scope="module")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    if not (PAGES / "index.html").is_file():
        unavailable("the pages are not built: run `make setup`")
    running = DemoProcess(tmp_path_factory.mktemp("demo"), chargers=20, speed=30)
    yield running
    running.stop()


@pytest.fixture
def new_page(browser: Browser, demo: DemoProcess) -> Iterator[NewPage]:
    """Opens a page of the demo; at the end there must be no error in its console, but what `allow` names."""
    contexts, errors, allowed = list[BrowserContext](), list[str](), list[str]()

    def make(path: str, width: int = 1440, height: int = 900, allow: str | None = None, before: str | None = None) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        if allow is not None:
            allowed.append(allow)
        if before is not None:
            page.add_init_script(before)
        page.goto(demo.address + path)
        return page

    yield make
    for context in contexts:
        context.close()
    assert [error for error in errors if not any(each in error for each in allowed)] == []


def wait_for_map(page: Page) -> None:
    page.wait_for_selector("[data-testid=map][data-idle=yes]")
    page.wait_for_function(f"({COLOURS})(document.querySelector('[data-testid=map] canvas')) > 20")


def test_the_console_shows_the_city_live(new_page: NewPage) -> None:
    page = new_page("/")
    wait_for_map(page)
    expect(page.get_by_test_id("status")).to_have_text(LIVE)
    expect(page.get_by_test_id("kpi-load")).to_contain_text("MW")
    expect(page.get_by_test_id("kpi-busy")).to_contain_text(re.compile(r"\d\s?of \d"))
    expect(page.get_by_test_id("decision").first).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_test_id("hour").fill("6")
    expect(page.locator(".hours")).to_contain_text("+6 h")


def test_a_decision_opens_its_why_and_that_its_station(new_page: NewPage) -> None:
    page = new_page("/")
    page.get_by_test_id("decision").filter(has_text="¥").first.click()
    expect(page.get_by_test_id("sentence")).to_contain_text("drive +")
    expect(page.get_by_test_id("terms")).to_contain_text("Driving time")
    expect(page.get_by_test_id("outcome")).to_contain_text("Promised")
    expect(page.get_by_test_id("route-facts")).to_contain_text("km")
    page.get_by_test_id("why").get_by_role("link", name=re.compile("^Open ")).click()
    expect(page.get_by_test_id("bays").get_by_role("listitem").first).to_be_visible()
    expect(page.get_by_test_id("station")).to_contain_text("Price by hour")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("decisions")).to_be_visible()


def test_a_station_is_found_by_its_name_and_by_the_map(new_page: NewPage) -> None:
    page = new_page("/")
    wait_for_map(page)
    page.keyboard.press("/")
    expect(page.get_by_test_id("search")).to_be_focused()
    page.keyboard.type("S1001")
    expect(page.get_by_role("option").first).to_contain_text("S1001")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#/station/S1001"))
    name = page.get_by_test_id("station-name").inner_text()
    page.wait_for_selector("[data-testid=map][data-at=S1001][data-idle=yes]")  # at rest, the station in its middle
    page.get_by_test_id("close").click()
    expect(page.get_by_test_id("station-name")).to_be_hidden()
    box = page.get_by_test_id("map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_test_id("station-name")).to_have_text(name)


def test_the_table_says_what_the_map_says_and_is_exported(new_page: NewPage) -> None:
    page = new_page("/")
    page.get_by_test_id("show-table").click()
    rows = page.get_by_test_id("table-view").locator("tbody tr")
    expect(rows.first.locator("td").nth(4)).to_have_text(re.compile(r"^\d+$"))
    with page.expect_download() as download:
        page.get_by_test_id("export-csv").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("Station,Zone,Operator,Bays")
    assert len(lines) == rows.count() + 1


def test_without_webgl_there_is_the_table(new_page: NewPage) -> None:
    page = new_page("/", before=NO_WEBGL)
    expect(page.get_by_test_id("table-view")).to_contain_text("WebGL")
    expect(page.get_by_test_id("show-map")).to_be_hidden()


def test_energy_and_forecast_have_pages(new_page: NewPage) -> None:
    page = new_page("/#/energy")
    expect(page.get_by_role("treegrid")).to_contain_text("Transformer")
    page.get_by_role("button", name=re.compile("^Open Feeder")).first.click()
    expect(page.get_by_role("treegrid")).to_contain_text("Site")
    page.get_by_role("link", name="Forecast").click()
    expect(page.get_by_test_id("forecast").locator("svg")).to_have_count(2)
    page.get_by_test_id("zone").select_option(index=3)
    expect(page.get_by_test_id("forecast")).to_contain_text("Peak")


@pytest.mark.parametrize(
    ("lang", "stopped", "title"), [("en", "Every feed is moving.", "How good"), ("zh", "所有数据都在更新。", "准确度")]
)
def test_what_is_coming_and_how_good_forecasts_were(new_page: NewPage, lang: str, stopped: str, title: str) -> None:
    page = new_page(f"/?lang={lang}#/forecast")
    expect(page.get_by_test_id("peak")).to_contain_text("kWh")
    expect(page.get_by_test_id("stopped")).to_contain_text(stopped)
    expect(page.get_by_test_id("trends")).to_contain_text(re.compile(r"\d"))
    expect(page.get_by_test_id("shortages").or_(page.get_by_test_id("no-shortages"))).to_be_visible()
    page.get_by_test_id("to-scores").click()
    expect(page.get_by_test_id("scores").get_by_role("heading", level=1)).to_contain_text(title)
    expect(page.get_by_test_id("scores").locator("svg")).to_be_visible()  # the newest forecast, as it was made
    expect(page.get_by_test_id("past-origin").locator("option").first).to_have_text(re.compile(r"\d"))
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("forecast")).to_be_visible()


def test_it_speaks_chinese_and_remembers(new_page: NewPage) -> None:
    page = new_page("/")
    page.get_by_test_id("language").click()
    expect(page.get_by_test_id("kpis")).to_contain_text("负荷")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.get_by_test_id("kpis").wait_for()
    page.reload()
    expect(page.get_by_test_id("kpis")).to_contain_text("负荷")


def test_the_keys_are_explained(new_page: NewPage) -> None:
    page = new_page("/")
    page.get_by_test_id("kpis").wait_for()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("find a station")
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    expect(page.get_by_test_id("energy")).to_be_visible()


def test_cut_off_it_goes_grey_and_catches_up(new_page: NewPage) -> None:
    page = new_page("/", allow="Failed to load resource")
    status = page.get_by_test_id("status")
    wait_for_map(page)
    expect(status).to_have_text(LIVE)
    page.context.set_offline(True)
    expect(status).to_have_text(CUT)
    expect(page.locator("main")).to_have_css("filter", re.compile(r"grayscale\(1\)"))
    page.context.set_offline(False)
    expect(status).to_have_text(LIVE)


def ask(page: Page) -> None:
    page.get_by_test_id("find").click()
    page.wait_for_selector("[data-testid=offers], [data-testid=not-now]")


def free_bays(demo: DemoProcess, station_id: str) -> int:
    bays = demo.get(f"/stations/{station_id}")["bays"]
    return sum(bay["status"] == "available" and bay["current"] == "DC" for bay in bays)


def test_a_driver_asks_holds_and_gives_back(new_page: NewPage, demo: DemoProcess) -> None:
    page = new_page("/drive", 390, 844)
    wait_for_map(page)
    ask(page)
    cards = page.get_by_test_id("card")
    expect(cards.first).to_contain_text("arrive with")
    assert 1 <= cards.count() <= 3
    page.get_by_test_id("resort").get_by_role("radio", name="Cheapest").check()
    amounts = [float(text.replace("¥", "")) for text in page.get_by_test_id("amount").all_inner_texts()]
    assert amounts == sorted(amounts)
    emptiest = max(cards.all(), key=lambda card: free_bays(demo, card.get_attribute("data-station") or ""))
    emptiest.get_by_test_id("hold").click()  # where no bay is free one joins a queue, which is another test
    expect(page.get_by_test_id("held")).to_contain_text("kWh")
    expect(page.get_by_test_id("expires")).to_contain_text("held until")
    page.reload()
    expect(page.get_by_test_id("held")).to_be_visible()  # a reload must not lose the bay
    page.get_by_test_id("cancel").click()
    expect(page.get_by_test_id("closed")).to_contain_text("Given back")
    page.get_by_test_id("again").click()
    expect(page.get_by_test_id("ask")).to_be_visible()


def test_a_driver_without_connection_is_told_what_to_do(new_page: NewPage) -> None:
    page = new_page("/drive?lang=zh", 390, 844, allow="Failed to load resource")
    wait_for_map(page)
    page.context.set_offline(True)
    page.get_by_test_id("find").click()
    expect(page.get_by_role("alert")).to_contain_text("没有网络连接")
    page.context.set_offline(False)
    page.get_by_test_id("again").click()
    page.wait_for_selector("[data-testid=offers], [data-testid=not-now]")


@pytest.mark.parametrize("path", ["/", "/#/energy", "/#/forecast", "/#/scores", "/#/promises", "/#/station/S1001", "/drive"])
@pytest.mark.parametrize("width", [390, 1024])
def test_nothing_sticks_out_sideways(new_page: NewPage, path: str, width: int) -> None:
    page = new_page(path, width, 800)
    page.get_by_test_id("kpis" if path != "/drive" else "ask").wait_for(state="attached")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and page.locator(".skeleton").count():
        page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_promises_open_to_the_decisions_behind_them(new_page: NewPage, demo: DemoProcess) -> None:
    demo.wait(lambda: demo.get("/promises")["total"]["kept"] > 0, within_s=240)
    page = new_page("/")
    page.get_by_role("link", name="Promises").click()
    expect(page.get_by_test_id("promise-figures")).to_contain_text("Amounts as promised")
    expect(page.get_by_test_id("promises").locator("figure svg")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_test_id("promises-csv").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("ID,Station,Promised,Charged there")
    assert len(lines) > 1
    page.get_by_test_id("promises-by").select_option("operator")
    expect(page).to_have_url(re.compile("#/promises/operator"))
    page.get_by_test_id("promise-row").first.get_by_role("link").click()
    page.get_by_test_id("promise-decision").first.get_by_role("link").click()
    expect(page.get_by_test_id("outcome")).to_contain_text("Promised")
    page.get_by_test_id("why").get_by_role("link", name=re.compile("^Open ")).click()
    page.get_by_test_id("to-promises").click()
    expect(page).to_have_url(re.compile("#/promises/station/S"))
    expect(page.get_by_test_id("promise-row")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("promise-row").nth(1)).to_be_visible()


def test_a_decision_is_replayed_with_other_weights(new_page: NewPage) -> None:
    page = new_page("/")
    page.get_by_test_id("decision").filter(has_text="¥").first.click()
    replay = page.get_by_test_id("replay")
    replay.locator("summary").click()
    page.get_by_test_id("replay-run").click()
    expect(page.get_by_test_id("replay-headline")).to_contain_text("The choice stays the same.")
    expect(replay).to_contain_text("exactly as it was decided")
    page.get_by_test_id("weight-amount").fill("8")
    expect(replay.locator("output").nth(1)).to_have_text("× 5")
    page.get_by_test_id("replay-outage").check()
    page.get_by_test_id("replay-run").click()
    expect(page.get_by_test_id("replay-headline")).to_contain_text("It would have been")
    expect(page.get_by_test_id("replay-table")).to_contain_text("With the change")
