import json
import sys
from pathlib import Path

import pytest

from benchmarks.report import Bounds, Met, Report, Result
from chargeloop import bench
from chargeloop.cli import main


@pytest.mark.parametrize(
    ("value", "must", "aim", "met"),
    [
        (1.0, None, None, None),
        (1.0, {"max": 2}, None, "must"),
        (3.0, {"max": 2}, None, "no"),
        (1.0, {"max": 2}, {"max": 1}, "aim"),
        (1.5, {"max": 2}, {"max": 1}, "must"),
        (1.0, None, {"min": 1}, "aim"),
        (0.5, None, {"min": 1}, "no"),
        (5.0, {"min": 1, "max": 4}, {"min": 2}, "no"),
        (float("nan"), {"max": 2}, None, "no"),
    ],
)
def test_met_is_the_better_bound_that_is_kept(value: float, must: Bounds | None, aim: Bounds | None, met: Met | None) -> None:
    assert Result("wait", value, "min", must=must, aim=aim).met == met


def test_json_is_one_object_on_one_line() -> None:
    report = Report.of("loop", [Result("help_cpu_s", 0.1, "s", must={"max": 0.5}), Result("rate", 2.0, "1/s", "peer", 1.5)])
    line = report.json_line()
    assert "\n" not in line
    said = json.loads(line)
    assert list(said) == ["name", "machine", "date", "commit", "results"]
    assert said["results"][0] == {
        "metric": "help_cpu_s",
        "value": 0.1,
        "unit": "s",
        "reference": None,
        "reference_value": None,
        "must": {"max": 0.5},
        "aim": None,
        "met": "must",
    }


def test_a_figure_that_is_no_number_is_not_passed_off_as_json() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        Report.of("loop", [Result("wait", float("nan"), "min")]).json_line()


def test_table_shows_each_figure_with_its_bounds() -> None:
    table = Report.of("loop", [Result("help_cpu_s", 0.6, "s", "python -c ''", 0.01, must={"max": 0.5})]).table()
    last = table.splitlines()[-1]
    assert last.split() == ["help_cpu_s", "0.6", "s", "python", "-c", "''", "0.01", "max", "0.5", "no"]


def test_bench_runs_a_file_of_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    (folder / "report.py").write_text((Path(bench.CHECKOUT) / "benchmarks" / "report.py").read_text())
    (folder / "tiny.py").write_text(
        "from benchmarks.report import Result\n"
        "def run(*, quick, seed):\n    return [Result('seed', seed, '', aim={'min': 5})]\n"
    )
    (folder / "tiny_helper.py").touch()
    monkeypatch.setattr(bench, "CHECKOUT", tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    for name in [name for name in sys.modules if name.split(".")[0] == "benchmarks"]:
        monkeypatch.delitem(sys.modules, name)
    assert bench.benchmark_names(tmp_path) == ["tiny"]
    assert main(["bench", "tiny", "--json", "--seed", "7"]) == 0
    assert json.loads(capsys.readouterr().out)["results"][0]["met"] == "aim"
    assert main(["bench", "tiny", "--seed", "3"]) == 0, "a figure that is missed is reported, not failed"
    assert capsys.readouterr().out.split()[-1] == "no"


def test_an_unknown_benchmark_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "no-such"]) == 2
    assert "no-such" in capsys.readouterr().err


def test_without_a_checkout_bench_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "CHECKOUT", tmp_path)
    assert main(["bench", "loop"]) == 2
    assert "checkout" in capsys.readouterr().err
