"""A decision of a real run, then and now side by side."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from chargeloop.city import load_city
from chargeloop.console.replay import say_json
from chargeloop.loop import Recommender, unpacked
from chargeloop.model import BadInput, Decision, Layout, Offer
from chargeloop.model.validated import to_json
from chargeloop.persistence import Kept, find_kept_decision, find_newest, look

FACTS = (
    ("drive, min", "drive_min"),
    ("wait, min", "wait_min"),
    ("wait at most (9 of 10), min", "wait_p90_min"),
    ("charge, min", "charge_min"),
    ("energy, kWh", "energy_kwh"),
    ("amount, CNY", "amount"),
)


def list_decisions(database: str | Path, args: argparse.Namespace) -> int:
    """The newest first; a decision that can't be made again says so."""
    newest = look(database, lambda connection: find_newest(connection, args.list))
    if args.json:
        rows = [{"decision_id": d.decision_id, "at": _utc(d), "station_id": _where(d), "replay": has} for d, has in newest]
        say_json({"decisions": rows})
        return 0
    table = Table(title=f"the newest {len(newest)} decisions")
    for name in ("decision", "at (UTC)", "station", "why"):
        table.add_column(name, overflow="fold")
    for decision, has_given in newest:
        why = decision.why if has_given else f"(can't be made again) {decision.why}"
        table.add_row(decision.decision_id, f"{decision.at:%Y-%m-%d %H:%M:%S}", _where(decision) or "-", why)
    Console(file=sys.stdout).print(table)
    return 0


def replay_decision(database: str | Path, args: argparse.Namespace, weights: dict[str, object]) -> int:
    """Make it again, first as it was, which must come out as it is stored; then with what is changed.

    Raises:
        BadInput: no such decision, what it was made from is not kept, or what to change does not exist.
    """
    kept = look(database, lambda connection: find_kept_decision(connection, args.decision))
    if kept is None:
        raise BadInput("--decision", f"there is no decision {args.decision!r}; --list shows some")
    if kept.given is None:
        raise BadInput("--decision", f"what {args.decision!r} was made from is not kept (any more)")
    city = load_city(args.city)
    layout = Layout.of(city)
    given = unpacked(kept.given, kept.prices, layout)
    recommender = Recommender(city, layout)
    before = recommender(given)
    after = recommender(given.changed(layout, weights=weights, solver=args.solver, outages=args.outage))
    then, now = kept.decision, _of(after, args.decision)
    exact = _of(before, args.decision) == then
    moved = sum(_where(one) != _where(other) for one, other in zip(before, after, strict=True))
    if args.json:
        said = {"exact": exact, "requests": len(after), "moved": moved}
        say_json({"then": json.loads(to_json(then)), "now": json.loads(to_json(now)), **said, "outcome": _outcome(kept)})
        return 0
    names = dict(zip(layout.station_ids, layout.station_names, strict=True))
    _print(then, now, names, kept)
    same = "comes out exactly as it is stored" if exact else "does NOT come out as it is stored: another city or version?"
    sys.stdout.write(
        f"With nothing changed the decision {same}. Decided together: {len(after)}; sent elsewhere now: {moved}.\n"
    )
    return 0


def _print(then: Decision, now: Decision, names: dict[str, str], kept: Kept) -> None:
    console = Console(file=sys.stdout)
    table = Table(title=f"{then.decision_id}, {then.at:%Y-%m-%d %H:%M:%S} UTC")
    for name in ("", "then", "now", "happened"):
        table.add_column(name, justify="left" if name == "" else "right")
    happened = {"wait_min": _shown(kept.realised_wait_min), "amount": kept.realised_amount or ""}
    table.add_row("station", *(names.get(_where(each) or "", "-") for each in (then, now)), "")
    for label, name in FACTS:
        table.add_row(label, *(_shown(getattr(each.chosen, name, None)) for each in (then, now)), happened.get(name, ""))
    table.add_section()
    for term in (then.chosen or now.chosen or _NOTHING).terms:
        table.add_row(f"{term}, CNY", *(_shown(each.chosen.terms[term] if each.chosen else None) for each in (then, now)), "")
    table.add_row("F, CNY", *(_shown(each.chosen.score if each.chosen else None) for each in (then, now)), "")
    table.add_section()
    for n in range(max(len(_others(then)), len(_others(now)))):
        table.add_row(f"alternative {n + 1} (F)", *(_other(each, n, names) for each in (then, now)), "")
    console.print(table)
    for label, each in (("then", then), ("now", now)):
        console.print(f"{label}: {each.why}", highlight=False, soft_wrap=True)


_NOTHING = argparse.Namespace(terms={})


def _others(decision: Decision) -> list[Offer]:
    return [offer for offer in decision.offers if offer != decision.chosen]


def _other(decision: Decision, n: int, names: dict[str, str]) -> str:
    others = _others(decision)
    return f"{names[others[n].station_id]} ({others[n].score:.2f})" if n < len(others) else ""


def _of(decisions: Sequence[Decision], decision_id: str) -> Decision:
    return next(each for each in decisions if each.decision_id == decision_id)


def _where(decision: Decision) -> str | None:
    return decision.chosen.station_id if decision.chosen else None


def _outcome(kept: Kept) -> dict[str, object]:
    return {"realised_wait_min": kept.realised_wait_min, "realised_amount": kept.realised_amount}


def _utc(decision: Decision) -> str:
    return decision.at.isoformat().replace("+00:00", "Z")


def _shown(value: object) -> str:
    return "" if value is None else f"{value:.2f}"
