"""Somebody's own demand in UrbanEV's wide layout: what is mended is reported, what cannot be read is refused by its place."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from chargeloop.city import Repair, WideDemand, read_demand, read_weather, zone_of
from chargeloop.model import BadInput

HERE = "Asia/Shanghai"
START = datetime(2025, 3, 1, tzinfo=UTC)


def write(folder: Path, *lines: str, name: str = "own.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(folder: Path, *lines: str, time_zone: str = "UTC") -> WideDemand:
    return read_demand(write(folder, *lines), time_zone)


def said(found: WideDemand) -> dict[str, tuple[str, int]]:
    return {each.what: (each.where, each.count) for each in found.repairs}


WHOLE = ("time,101,102", "2025-03-01 00:00:00,1,2", "2025-03-01 01:00:00,3,4.5", "2025-03-01 02:00:00,5,0")


def test_a_file_without_faults_is_read_as_it_stands(tmp_path: Path) -> None:
    found = read(tmp_path, *WHOLE)
    assert (found.zone_ids, found.demand.start, found.repairs, found.says_offset) == (("101", "102"), START, (), False)
    assert found.demand.energy_kwh.tolist() == [[1, 2], [3, 4.5], [5, 0]]
    assert read(tmp_path, *WHOLE, time_zone=HERE).demand.start == START - timedelta(hours=8)


@pytest.mark.parametrize(
    "body",
    [
        "\ufeff" + "\n".join(WHOLE),
        "\r\n".join(WHOLE) + "\r\n\r\n",
        "\n".join(WHOLE).replace(",", "\t"),
        "\n".join(line + ";" for line in WHOLE).replace(",", ";").replace("4.5", "4,5"),
        "\n".join(WHOLE).replace(",", " , ").replace("time", '"Time"').replace("2025-03-01 ", "2025/3/1 "),
        "\n".join(WHOLE).replace(":00:00,", ":00:00Z,"),
        "\n".join(WHOLE).replace("-01 0", "-01T0").replace(":00:00,", ":00+0000,"),
    ],
)
def test_the_same_table_as_other_programs_write_it(tmp_path: Path, body: str) -> None:
    path, packed, wide = tmp_path / "own.csv", tmp_path / "own.csv.gz", tmp_path / "utf16.csv"
    path.write_bytes(body.encode())
    packed.write_bytes(gzip.compress(body.encode()))
    wide.write_bytes(body.removeprefix("\ufeff").encode("utf-16"))
    for each in (path, packed, wide):
        found = read_demand(each, "UTC")
        assert (found.zone_ids, found.demand.start) == (("101", "102"), START)
        assert found.demand.energy_kwh.tolist() == [[1, 2], [3, 4.5], [5, 0]]


def test_what_is_mended_is_reported_with_place_and_count(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "time,101,102,new",
        "2025-03-01 02:00,5,6,",
        "2025-03-01 00:00,1,nan,",
        "2025-03-01 00:00,1,N/A,",
        "2025-03-01 05:00,-3,7,",
        "2025-03-01 05:00,,8,",
        "2025-03-01 05:59:59.6,9,,",
    )
    assert said(found) == {
        "empty cells, taken as unknown": ("row 2, column new", 8),
        "cells that say 'nan', taken as unknown": ("row 3, column 102", 1),
        "cells that say 'N/A', taken as unknown": ("row 4, column 102", 1),
        "negative values, taken as unknown": ("row 5, column 101", 1),
        "rows out of order, sorted": ("row 3 (2025-03-01 00:00)", 2),
        "rows that repeat an hour, dropped": ("row 4 (2025-03-01 00:00)", 1),
        "rows that give an hour again with other values, the last one kept": ("row 6 (2025-03-01 05:00)", 1),
        "hours missing, taken as unknown": ("2025-03-01 01:00", 3),
        "zones without any history": ("column new", 1),
    }
    assert str(found.repairs[0]) == "empty cells, taken as unknown: 8, first row 2, column new"
    assert isinstance(found.repairs[0], Repair)
    energy = found.demand.energy_kwh
    assert energy.shape == (7, 3)
    np.testing.assert_array_equal(energy[:, 0], [1, np.nan, 5, np.nan, np.nan, np.nan, 9])
    np.testing.assert_array_equal(energy[5], [np.nan, 8, np.nan])


BERLIN_SPRING = [f"2025-03-30 {h:02}:00,{h}" for h in (0, 1, 2, 3, 4)]
BERLIN_AUTUMN = [f"2025-10-26 {h:02}:00,{n}" for n, h in enumerate((1, 2, 2, 3))]


def test_hours_that_clocks_skip_or_have_twice(tmp_path: Path) -> None:
    spring = read(tmp_path, "time,a", *BERLIN_SPRING, time_zone="Europe/Berlin")
    assert said(spring) == {"hours that clocks skip there, left out": ("row 4 (2025-03-30 02:00)", 1)}
    assert spring.demand.energy_kwh[:, 0].tolist() == [0, 1, 3, 4]
    autumn = read(tmp_path, "time,a", *BERLIN_AUTUMN, time_zone="Europe/Berlin")
    assert said(autumn) == {"hours that clocks have twice, parted by the order of rows": ("row 4 (2025-10-26 02:00)", 1)}
    assert autumn.demand.start == datetime(2025, 10, 25, 23, tzinfo=UTC)
    assert autumn.demand.energy_kwh[:, 0].tolist() == [0, 1, 2, 3]
    newest_first = read(tmp_path, "time,a", *reversed(BERLIN_AUTUMN), time_zone="Europe/Berlin")
    assert newest_first.demand.energy_kwh[:, 0].tolist() == [0, 1, 2, 3]
    once = read(tmp_path, "time,a", *BERLIN_AUTUMN[:2], BERLIN_AUTUMN[3], time_zone="Europe/Berlin")
    assert "hours missing, taken as unknown" in said(once)


def test_clocks_that_are_half_an_hour_off_have_full_hours_of_their_own(tmp_path: Path) -> None:
    found = read(tmp_path, *WHOLE, time_zone="Asia/Kolkata")
    assert found.demand.start == START - timedelta(hours=5.5)
    assert found.demand.start.minute == 0  # on a clock that is half an hour ahead of UTC
    assert found.demand.energy_kwh.tolist() == [[1, 2], [3, 4.5], [5, 0]]


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (("time,a", "2025-03-01 00:00,1", "2025-03-01 01:00,lots"), "row 3, column a: expected a number, got 'lots'"),
        (("time,a", "2025-03-01 00:00,inf"), "row 2, column a: expected a number, got 'inf'"),
        (("time,a", "2025-03-01 00:00,1_000"), "row 2, column a: expected a number, got '1_000'"),
        (("time,a", '2025-03-01 00:00,"1,000.5"'), "row 2, column a: expected a number"),
        (("time;a;b", "2025-03-01 00:00;1,5;1.500"), "row 2, column b: expected a number, got '1.500'"),
        (("time,a", "yesterday,1"), "row 2, column time: is no time that begins with its year"),
        (("time,a", "03/04/2025 00:00,1"), "row 2, column time: is no time that begins with its year"),
        (("time,a", "2025-13-01 00:00,1"), "row 2, column time: is no time"),
        (("time,a", ",1"), "row 2, column time: is empty"),
        (("time,a", "2025-03-01 00:15,1"), "row 2, column time: 2025-03-01 00:15:00 is no full hour"),
        (
            ("time,a", "2025-03-01 00:00,1", "2205-03-01 01:00,1", "2025-03-01 01:00,1"),
            "row 3, column time: .* lies years from the others",
        ),
        (("time,a,b", "2025-03-01 00:00,1"), "row 2: has 2 cells where the header has 3"),
        (("time,a", "2025-03-01 00:00,1,2"), "row 2: has 3 cells where the header has 2"),
        (("time,a,a", "2025-03-01 00:00,1,2"), "row 1, column 3: 'a' is the name of column 2 already"),
        (("time,,a", "2025-03-01 00:00,1,2"), "row 1, column 2: has no name"),
        (("hour,a", "2025-03-01 00:00,1"), "has no column 'time'; its columns are hour, a"),
        (("time", "2025-03-01 00:00"), "has no column of a zone"),
        (("time,a",), "has no rows"),
        (("",), "has no column 'time'; its columns are none"),
        (("time,a", "2025-03-30 02:00,1"), "has no row with an hour that there was"),
    ],
)
def test_what_cannot_be_read_is_refused_by_file_row_and_column(tmp_path: Path, lines: tuple[str, ...], what: str) -> None:
    with pytest.raises(BadInput, match=f"own.csv.*{what}"):
        read(tmp_path, *lines, time_zone="Europe/Berlin")


def test_all_faults_are_told_at_once_up_to_a_number(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        read(tmp_path, "time,a,b", *(f"2025-03-01 {h:02}:00,x,1" for h in range(24)))
    assert str(refused.value).count("\n") == 20
    assert str(refused.value).endswith("4 more like these")


@pytest.mark.parametrize(
    ("body", "what"),
    [(b"PK\x03\x04...", "spreadsheet"), (b"time,\xe9\n", "UTF-8"), (b"time,a\n\0\n", "zero bytes"), (b"", "no column 'time'")],
)
def test_files_that_are_no_tables(tmp_path: Path, body: bytes, what: str) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(body)
    with pytest.raises(BadInput, match=what):
        read_demand(path, "UTC")
    with pytest.raises(BadInput, match="cannot be read"):
        read_demand(tmp_path / "none.csv", "UTC")
    (tmp_path / "own.csv.gz").write_bytes(b"plain" + body)
    with pytest.raises(BadInput, match="cannot be read"):
        read_demand(tmp_path / "own.csv.gz", "UTC")
    with pytest.raises(BadInput, match="Europe/Berlin"):
        zone_of("Mars/Crater")


def test_weather_as_urbanev_publishes_it(tmp_path: Path) -> None:
    path = write(tmp_path, "time,T,P0,P,U,nRAIN,Td", "2022/9/1 0:00,27.3,750.6,756.1,87,0,24.9", "2022/9/1 2:00,26,1,1,87,2,")
    weather, repairs = read_weather(path, HERE)
    assert weather.start == datetime(2022, 8, 31, 16, tzinfo=UTC)
    np.testing.assert_array_equal(weather.temperature_c, [27.3, np.nan, 26])
    np.testing.assert_array_equal(weather.rain, [0, np.nan, 2])
    assert [each.what for each in repairs] == ["hours missing, taken as unknown"]
    dry, repairs = read_weather(write(tmp_path, "time,T", "2022/9/1 0:00,27.3"), HERE)
    assert dry.rain.tolist() == [0]
    assert [each.what for each in repairs] == ["rows without nRAIN, taken as dry"]
    with pytest.raises(BadInput, match="row 2, column T: expected a number from -60 to 60, got -9999"):
        read_weather(write(tmp_path, "time,T,nRAIN", "2022/9/1 0:00,-9999,0"), HERE)
    with pytest.raises(BadInput, match="column nRAIN: expected a number from 0 to 3, got 12"):
        read_weather(write(tmp_path, "time,T,nRAIN", "2022/9/1 0:00,9,12"), HERE)


def test_the_real_file_in_its_published_layout(shared_data: Path) -> None:
    weather, repairs = read_weather(shared_data / "urbanev_shenzhen" / "weather_central.csv.gz", HERE)
    assert (len(weather.temperature_c), repairs) == (4344, ())
