"""What `chargeloop schedule` found, in words and as a page with plots that needs nothing else."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from chargeloop.execution import Shortfall, shortfalls
from chargeloop.execution.charging import account_of, load_kw
from chargeloop.model.city import Floats, Ints
from chargeloop.simulation import page

if TYPE_CHECKING:
    from chargeloop.console.own_sessions import OwnDay
    from chargeloop.execution import ChargingPlan

MOST_PLOTS = 12  # of circuits, the fullest first
HAIR_KW = 1e-3
PROVEN = 1e-5  # a gap that is only rounding


def shortages(day: "OwnDay", plan: "ChargingPlan") -> list[str]:
    """In words: limits that base load alone breaks, then everybody who lacks something, most first."""
    return [*_overloaded(day), *(_words(day, each) for each in shortfalls(day.problem, plan))]


def _overloaded(day: "OwnDay") -> list[str]:
    circuits = day.problem.circuits
    alone, found = circuits.below(circuits.base_kw - circuits.pv_kw), []
    for c, name in enumerate(day.site.names):
        over = alone[c] - circuits.limit_kw[c]
        steps = np.flatnonzero(over > HAIR_KW)
        if steps.size:
            found.append(f"{name}: its base load alone is up to {over.max():.1f} kW over the limit, {_span(day, steps)}")
    return found


def _words(day: "OwnDay", short: Shortfall) -> str:
    name = day.asked[short.session].name
    asked, stay = day.problem.sessions.energy_kwh[short.session], day.asked[short.session]
    of = f" of {asked:.1f}" if asked > 0 else ""
    why = []
    if short.own_kwh > 0.01:
        hours = (stay.departure - stay.arrival) / timedelta(hours=1)
        why.append(f"{short.own_kwh:.1f} kWh are more than {stay.max_kw:g} kW give in a stay of {hours:.1f} h")
    if short.kwh - short.own_kwh > 0.01 and short.circuit >= 0:
        phase = f"phase {short.phase} of " if short.phase else ""
        why.append(f"{phase}{day.site.names[short.circuit]} is full, {_span(day, short.steps)}")
    elif short.kwh - short.own_kwh > 0.01:
        why.append("a kWh more would cost more than it is said to be worth")
    return f"{name}: {short.kwh:.1f}{of} kWh short: {'; '.join(why)}"


def _span(day: "OwnDay", steps: Ints) -> str:
    """First and last of these steps on the site's clock, and for how long of it."""
    step, zone = timedelta(minutes=day.site.step_min), day.site.zone
    begin, end = (each.astimezone(zone) for each in (day.begins[steps[0]], day.begins[steps[-1]] + step))
    to = f"{end:%H:%M}" if end.date() == begin.date() else f"{end:%d %b %H:%M}"
    hours = steps.size * step / timedelta(hours=1)
    return f"{begin:%d %b %H:%M} to {to}" + ("" if steps.size == steps[-1] - steps[0] + 1 else f" ({hours:g} h of it)")


def report(day: "OwnDay", plan: "ChargingPlan", short: Sequence[str]) -> str:
    """HTML."""
    site, cars = day.site, len(day.asked) - day.storage
    asked, lacks = day.problem.sessions.energy_kwh[:cars], plan.shortfall_kwh[:cars]
    begin = day.begins[0].astimezone(site.zone)
    parts = [
        page.paragraph(
            f"{cars} sessions from {begin:%d %B %Y %H:%M} ({site.time_zone}); {asked.sum() - lacks.sum():,.1f} of "
            f"{asked.sum():,.1f} kWh planned. {_certificate(plan)}"
        ),
        page.heading("Left short"),
        page.points(short) if short else page.paragraph("Nobody."),
        page.heading("What it comes to"),
        _money(day, plan),
        *_circuit_plots(day, plan),
        *_price_plot(day, plan),
        *_sun_plot(day, plan),
        *_storage_plot(day, plan),
        page.heading("Sessions"),
        _table(day, plan, cars),
    ]
    return page.document(f"{site.name}: charging schedule", parts)


def _certificate(plan: "ChargingPlan") -> str:
    return "No plan is cheaper." if plan.gap < PROVEN else f"No plan can be more than {100 * plan.gap:.2g} % cheaper."


def _money(day: "OwnDay", plan: "ChargingPlan") -> str:
    """Of the plan, and of charging at once without a look at limits and prices, which need not be possible."""
    problem = day.problem
    left, at_once = problem.sessions.energy_kwh / problem.sessions.efficiency, np.zeros_like(plan.charge_kw)
    most = problem.sessions.max_kw[:, None] * problem.hours()
    for t in range(problem.steps):
        at_once[:, t] = np.minimum(left, most[:, t]) / problem.step_h
        left = left - at_once[:, t] * problem.step_h
    idle, unused = np.zeros_like(at_once), np.zeros_like(problem.circuits.pv_kw)
    load = load_kw(problem, at_once, idle, unused)
    gained = problem.step_h * at_once.sum(axis=1) * problem.sessions.efficiency
    rows = []
    for name, account, peak in (
        ("this plan", plan.account, plan.load_kw[0].max()),
        ("all at once, limits not kept", account_of(problem, load, idle, gained), load[0].max()),
    ):
        money = (f"{each:,.2f}" for each in (account.energy, account.demand, account.wear, account.paid))
        rows.append((name, *money, f"{peak:,.1f}"))
    unit = day.site.currency
    return page.table(("", f"energy, {unit}", "demand charge", "battery wear", "together", "peak, kW"), rows)


def _circuit_plots(day: "OwnDay", plan: "ChargingPlan") -> list[str]:
    circuits = day.problem.circuits
    base = circuits.below(circuits.base_kw - circuits.pv_kw)
    full = np.max(plan.load_kw / np.maximum(circuits.limit_kw, 1e-9), axis=1)
    shown = np.argsort(-full, kind="stable")[:MOST_PLOTS]
    left_out = circuits.parent.size - shown.size
    parts = []
    for c in sorted(shown):
        series = {"load": _curve(day, plan.load_kw[c]), "without cars": _curve(day, base[c])}
        if np.isfinite(circuits.limit_kw[c]).all():
            series["limit"] = _curve(day, circuits.limit_kw[c])
        parts += [page.heading(f"{day.site.names[c]}: load"), page.lines(series, _axis(day), "kW")]
    if left_out:
        parts.append(page.paragraph(f"{left_out} other circuits are less full."))
    return parts


def _price_plot(day: "OwnDay", plan: "ChargingPlan") -> list[str]:
    buy, sell = day.problem.buy_per_kwh, day.problem.circuits.sell_per_kwh
    series = {"to buy": _curve(day, buy[0])}
    if sell[0].any():
        series["fed in"] = _curve(day, sell[0])
    series["one kWh more"] = _curve(day, plan.price_per_kwh[0])
    return [page.heading(f"Price at {day.site.names[0]}"), page.lines(series, _axis(day), f"{day.site.currency} a kWh")]


def _sun_plot(day: "OwnDay", plan: "ChargingPlan") -> list[str]:
    there = day.problem.circuits.pv_kw.sum(axis=0)
    if not there.any():
        return []
    series = {"PV": _curve(day, there), "used or fed in": _curve(day, there - plan.curtailed_kw.sum(axis=0))}
    return [page.heading("PV"), page.lines(series, _axis(day), "kW")]


def _storage_plot(day: "OwnDay", plan: "ChargingPlan") -> list[str]:
    if not day.storage:
        return []
    series = {}
    for s in range(len(day.asked) - day.storage, len(day.asked)):
        each = day.asked[s]
        change = plan.charge_kw[s] * each.efficiency - plan.discharge_kw[s] / each.efficiency
        series[each.name] = _curve(day, each.soc_kwh + day.problem.step_h * np.cumsum(change))
    return [page.heading("Storage"), page.lines(series, _axis(day), "kWh")]


def _table(day: "OwnDay", plan: "ChargingPlan", cars: int) -> str:
    rows = []
    price = plan.price_per_kwh
    for s, each in enumerate(day.asked[:cars]):
        net = plan.charge_kw[s] - plan.discharge_kw[s]
        got = each.energy_kwh - plan.shortfall_kwh[s]
        stay = (f"{at.astimezone(day.site.zone):%d %b %H:%M}" for at in (each.arrival, each.departure))
        worth = day.problem.step_h * float(net @ price[each.circuit])
        figures = (f"{each.energy_kwh:.1f}", f"{got:.1f}", f"{max(plan.shortfall_kwh[s], 0.0):.1f}", f"{net.max():.1f}")
        rows.append((each.name, day.site.names[each.circuit], *stay, *figures, f"{worth:.2f}"))
    head = ("", "circuit", "comes", "leaves", "asked, kWh", "planned", "short", "most, kW", f"worth, {day.site.currency}")
    return page.table(head, rows)


def _curve(day: "OwnDay", values: Floats) -> list[tuple[float, float]]:
    """Steps, by the hour of the first day."""
    begin = day.begins[0].astimezone(day.site.zone)
    first = begin.hour + begin.minute / 60
    step = day.problem.step_h
    return [(first + step * (t + end), float(value)) for t, value in enumerate(values) for end in (0, 1)]


def _axis(day: "OwnDay") -> str:
    return f"hour, from {day.begins[0].astimezone(day.site.zone):%d %B %Y} 0:00"
