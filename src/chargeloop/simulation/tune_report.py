"""What `chargeloop tune` found, as tables, as plain data and as a page."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from chargeloop.simulation import page
from chargeloop.simulation.days import Setting
from chargeloop.simulation.paired import Change
from chargeloop.simulation.tariffs import Prices
from chargeloop.simulation.time_of_use import BIN_S, Flexibility, in_words
from chargeloop.simulation.tuning import AIMS, Front, Tuned

LABELS = {
    "minutes": "minutes a driver (60 for giving up)",
    "cny_per_kwh": "CNY per kWh",
    "jain": "even use of stations (Jain)",
    "feeder_peaks_mw": "sum of feeders' peaks, MW",
    "peak_mw": "city's peak load, MW",
    "served_share": "served share",
    "revenue_cny": "revenue a day, CNY",
}


@dataclass(frozen=True, slots=True)
class Section:
    """A table with what is to say about it, and pictures for the page."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    said: str = ""
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    title: str
    sections: list[Section]
    assumptions: list[str]
    plain: dict[str, object]

    @property
    def html(self) -> str:
        parts = []
        for each in self.sections:
            parts += [page.heading(each.title), page.paragraph(each.said) if each.said else "", *each.pictures]
            parts.append(page.table(each.head, each.rows))
        return page.document(self.title, [*parts, page.heading("Assumptions"), page.points(self.assumptions)])

    def show(self, out: TextIO) -> None:
        from rich.console import Console  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        console = Console(file=out)
        for each in self.sections:
            table = Table(title=each.title)
            for n, name in enumerate(each.head):
                table.add_column(name, justify="left" if n == 0 else "right")
            for row in each.rows:
                table.add_row(*row)
            console.print(table)
            if each.said:
                console.print(each.said)


def policy(found: Tuned, setting: Setting, args: argparse.Namespace) -> Report:
    verdict = found.checked["minutes"]
    said = (
        f"{found.evaluations} manners were run on {args.days} day(s). On {verdict.days} other days the best of them changes"
        f" minutes by {verdict.in_words} (95 %): {_verdict(verdict)}."
    )
    course = {"minutes, best so far": list(enumerate(found.best_by_generation, 1))}
    knobs = [(name, f"{value:.2f}") for name, value in found.knobs.items()]
    return Report(
        title=f"{setting.city.name}: the policy tuned",
        sections=[
            _changes("Tuned against shipped, on other days", found.checked, said),
            _changes("The same on the days of the search", found.learned),
            Section("Parameters", ("parameter", "value"), knobs, "", (page.lines(course, "generation", "minutes"),)),
        ],
        assumptions=_assumptions(setting, args),
        plain={
            **_head(setting, args),
            "knobs": found.knobs,
            "evaluations": found.evaluations,
            "best_by_generation": found.best_by_generation,
            "learned": _plain(found.learned),
            "checked": _plain(found.checked),
        },
    )


def front(found: Front, setting: Setting, args: argparse.Namespace) -> Report:
    names = list(found.points[0].knobs)
    rows = [
        (
            str(n),
            *(f"{point.knobs[name]:.2f}" for name in names),
            *(f"{point.learned[aim]:.3f}" for aim in AIMS),
            *(point.checked[aim].in_words for aim in AIMS),
            "yes" if point.stays else "no",
        )
        for n, point in enumerate(found.points, 1)
    ]
    shipped = ("shipped", *("" for _ in names), *(f"{found.shipped[aim]:.3f}" for aim in AIMS), *("" for _ in AIMS), "")
    others = found.points[0].checked["minutes"].days
    said = (
        f"{found.evaluations} policies were run on {args.days} day(s), {len(found.points)} of the front on {others} others."
        f" Share of the box that is dominated: {found.hypervolumes[0]:.3f} after the first generation,"
        f" {found.hypervolumes[-1]:.3f} after the last. Last column: still not beaten by another of them on the other days."
    )
    pictures = tuple(
        page.dots(
            {
                "front": [(point.learned["minutes"], point.learned[aim]) for point in found.points],
                "shipped": [(found.shipped["minutes"], found.shipped[aim])],
            },
            LABELS["minutes"],
            LABELS[aim],
        )
        for aim in list(AIMS)[1:]
    )
    volume = page.lines({"hypervolume": list(enumerate(found.hypervolumes, 1))}, "generation", "share of the box")
    head = ("", *names, *AIMS, *(f"{aim}, change" for aim in AIMS), "stays")
    return Report(
        title=f"{setting.city.name}: policies that none beats in everything",
        sections=[
            Section("The front", head, [shipped, *rows], said, pictures),
            Section(
                "Hypervolume",
                ("generation", "share of the box"),
                [(str(n), f"{each:.4f}") for n, each in enumerate(found.hypervolumes, 1)],
                "",
                (volume,),
            ),
        ],
        assumptions=_assumptions(setting, args),
        plain={
            **_head(setting, args),
            "evaluations": found.evaluations,
            "hypervolumes": found.hypervolumes,
            "shipped": found.shipped,
            "points": [
                {"knobs": each.knobs, "learned": each.learned, "checked": _plain(each.checked), "stays": each.stays}
                for each in found.points
            ],
        },
    )


def prices(found: Prices, setting: Setting, args: argparse.Namespace) -> Report:
    peak, flexible = found.checked["peak_mw"], Flexibility(share=args.flexible)
    expected_pct = 100 * (found.found.peak_kw / found.usual.peak_kw - 1)
    said = (
        f"{found.evaluations} tariffs were weighed on {args.days} day(s) of expected load: peak {expected_pct:+.1f} %, with"
        f" {100 * found.found.moved_share:.1f} % of drivers at another hour. In the twin, on {peak.days} other days:"
        f" {peak.in_words} (95 %): {_verdict(peak)}."
    )
    before = {each.tariff_id: each for each in setting.city.tariffs}
    rows = [(each.tariff_id, in_words(before[each.tariff_id]), in_words(each)) for each in found.city.tariffs]
    if_share = [(f"{share:.0%}", change.in_words) for share, change in found.if_share.items()]
    load = {
        name: [(n * BIN_S / 3600, float(kw) / 1000) for n, kw in enumerate(values)]
        for name, values in zip(("as it is", "with these prices"), found.load_kw, strict=True)
    }
    return Report(
        title=f"{setting.city.name}: prices that move load",
        sections=[
            _changes("New prices against old, in the twin, on other days", found.checked, said),
            Section(
                "Energy prices by local hour, CNY per kWh",
                ("tariff", "as it is", "found"),
                rows,
                "Service prices and idle fees stay. Expected load of one of the other days:",
                (page.lines(load, "hours from the start", "MW"),),
            ),
            Section("If more or fewer drivers can move", ("share", "expected change of the peak"), if_share),
        ],
        assumptions=[
            *_assumptions(setting, args),
            f"{flexible.share:.0%} of drivers can come up to {flexible.window_h} hours earlier or later; an hour costs them"
            f" {flexible.dislike:.0%} of their value of time; the logit's scale is {flexible.scale_cny:g} CNY.",
            "No data says how they react. They know mean prices by hour, and take energy as spread evenly over the stay.",
            "The search scales the load as the twin did at the old prices; shadow prices are of those prices too.",
        ],
        plain={
            **_head(setting, args),
            "evaluations": found.evaluations,
            "best_by_generation": found.best_by_generation,
            "expected_peak_kw": {"before": found.usual.peak_kw, "after": found.found.peak_kw},
            "moved_share": found.found.moved_share,
            "checked": _plain(found.checked),
            "if_share": {str(share): change.in_words for share, change in found.if_share.items()},
            "tariffs": {
                each.tariff_id: [
                    {"start_h": b.start_h, "end_h": b.end_h, "energy": f"{b.energy_per_kwh}", "service": f"{b.service_per_kwh}"}
                    for b in each.bands
                ]
                for each in found.city.tariffs
            },
        },
    )


def _changes(title: str, changes: Mapping[str, Change], said: str = "") -> Section:
    head = ("", "before", "after", "change, 95 %")
    rows = [(LABELS[name], f"{each.before:,.3f}", f"{each.after:,.3f}", each.in_words) for name, each in changes.items()]
    return Section(title, head, rows, said)


def _verdict(change: Change) -> str:
    if not change.is_sure:
        return "no gain or loss that these days show"
    return "a gain" if change.change < 0 else "a loss"


def _plain(changes: Mapping[str, Change]) -> dict[str, dict[str, float]]:
    return {
        name: {"before": each.before, "after": each.after, "change": each.change, "half_width": each.half_width}
        for name, each in changes.items()
    }


def _head(setting: Setting, args: argparse.Namespace) -> dict[str, object]:
    start = setting.start.isoformat().replace("+00:00", "Z")
    asked: Sequence[str] = ("what", "level", "seed", "generations", "population", "days", "check_days")
    return {"city": setting.city.name, "start": start, "hours": setting.hours, **{name: getattr(args, name) for name in asked}}


def _assumptions(setting: Setting, args: argparse.Namespace) -> list[str]:
    of = setting.scenario
    level = "the measured demand" if setting.level is None else f"level {setting.level:g}"
    return [
        f"Days are drawn at {level}, {setting.hours} hours from {setting.start:%Y-%m-%d %H:%M} UTC, seed {setting.seed}: the"
        f" {args.days} of the search and the {args.check_days} of the check are different ones, in pairs the same for all.",
        f"Zones' weights differ from day to day (sigma {of.zone_spread:g}), {of.walk_ins:.0%} of drivers never ask; circuits'"
        " limits are in force. Shadow prices are made once, from the forecast.",
        setting.city.note,
    ]
