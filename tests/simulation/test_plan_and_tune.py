"""The commands `plan` and `tune`: what they print and write, and what they say to bad input."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from chargeloop.cli import main

TUNE = ["--evening", "--generations", "2", "--population", "4", "--days", "1", "--check-days", "2", "--cores", "1", "--json"]


def pictures(page: Path) -> list[ElementTree.Element]:
    """The SVG of a page, each well-formed."""
    return [ElementTree.fromstring(each) for each in re.findall(r"<svg.*?</svg>", page.read_text(encoding="utf-8"), re.DOTALL)]


@pytest.mark.parametrize(("what", "plots"), [("policy", 1), ("front", 4), ("prices", 1)])
def test_tune_prints_an_object_and_writes_a_page(
    what: str, plots: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    assert main(["tune", what, *TUNE, "--html", str(page)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["what"] == what
    assert found["evaluations"] >= 8
    assert len(pictures(page)) == plots
    text = page.read_text(encoding="utf-8")
    assert "Assumptions" in text
    assert "src=" not in text
    assert "nan" not in text


@pytest.mark.parametrize("amount", [["--bays", "20"], ["--kw", "200"]])
def test_plan_is_checked_in_pairs_and_drawn_on_a_map(
    amount: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, layer = tmp_path / "plan.html", tmp_path / "plan.geojson"
    arguments = ["plan", *amount, "--level", "1.2", "--days", "2", "--html", str(page), "-o", str(layer)]
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["days"] == 2
    assert found["check_min_a_day"]["best"]["change"] < found["check_min_a_day"]["random"]["change"]
    assert len(json.loads(layer.read_text(encoding="utf-8"))["features"]) == len(found["spots"]) > 1
    titles = [each.text or "" for each in pictures(page)[0].iter("title")]
    assert [int(each.split(".")[0]) for each in titles] == list(range(1, len(found["spots"]) + 1))


def test_plan_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--kw", "100", "--level", "1.2", "--days", "0"]) == 0
    assert "100 more kW" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tune", "policy", "--generations", "0"], "--generations: at least 1"),
        (["tune", "policy", "--population", "2"], "--population: at least 4"),
        (["tune", "prices", "--check-days", "1"], "--check-days: at least 2"),
        (["tune", "prices", "--flexible", "1.5"], "--flexible"),
        (["tune", "front", "--method", "ga"], "NSGA-II"),
        (["tune", "policy", "--level", "-1"], "--level"),
        (["plan", "--kw", "-3", "--level", "1.0"], "a positive number"),
    ],
)
def test_bad_input_is_named(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err
