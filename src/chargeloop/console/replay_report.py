"""A replayed day as a page of its own: tables and drawings, nothing from elsewhere."""

import math
from collections.abc import Sequence
from datetime import timedelta
from html import escape

from chargeloop.physics import local
from chargeloop.simulation import Figures, Replay

COLOURS = ("#5b6b75", "#1f8a7d", "#c9791b", "#3f6fc4", "#a8479b", "#7a7f1c", "#b3452c")
WIDTH, HEIGHT = 860, 260
LEFT, RIGHT, TOP, BOTTOM = 48, 24, 12, 28
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #17242b; max-width: 920px; margin: 32px auto; padding: 0 16px; }
h1 { font-size: 22px; margin: 0; } h2 { font-size: 15px; margin: 28px 0 6px; } p { margin: 4px 0 12px; color: #51636d; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }
th, td { padding: 4px 14px 4px 0; text-align: right; border-bottom: 1px solid #dfe6ea; white-space: nowrap; }
th:first-child { text-align: left; font-weight: 400; } thead th { font-weight: 600; vertical-align: bottom; }
svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: #51636d; }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; padding: 0; margin: 0 0 4px; }
.key i { display: inline-block; width: 18px; height: 4px; border-radius: 2px; margin-right: 6px; vertical-align: middle; }
"""


def report(title: str, trouble: str, replay: Replay, found: Sequence[Figures]) -> str:
    """HTML."""
    parts = [
        f"<h1>{escape(title)}</h1><p>{escape(trouble)}</p>",
        "<h2>Minutes a driver lost, by when he asked</h2>",
        "<p>Drive and wait, mean of each quarter of an hour; one who gave up counts 60 minutes more.</p>",
        _key(found),
        _lines(replay, found),
        "<h2>What the minutes are made of</h2>",
        _bars(found),
        "<h2>Side by side</h2>",
        _table(found),
        f"<p>The drivers are the same in every column. Differences are driver by driver, against “{escape(found[0].name)}”,"
        " with a 95 % interval of the mean over quarters of an hour. Better or worse off: by half a minute or more.</p>",
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return f'<!doctype html><html lang="en"><head>{head}<style>{STYLE}</style></head><body>{"".join(parts)}</body></html>\n'


def _key(found: Sequence[Figures]) -> str:
    items = (f'<li><i style="background:{_colour(n)}"></i>{escape(each.name)}</li>' for n, each in enumerate(found))
    return f'<ul class="key">{"".join(items)}</ul>'


def _lines(replay: Replay, found: Sequence[Figures]) -> str:
    size = len(found[0].by_quarter)
    top = _round_up(max((value for each in found for value in each.by_quarter if math.isfinite(value)), default=1.0))
    across = (WIDTH - LEFT - RIGHT) / max(size - 1, 1)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)

    shapes = [_rule(y(top * k / 4), f"{top * k / 4:g}") for k in range(5)]
    for n in range(0, size, max(size // 8, 1)):
        at = local(replay.start + timedelta(hours=replay.from_h + n / 4), replay.city.time_zone)
        shapes.append(f'<text x="{LEFT + n * across:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{at:%H:%M}</text>')
    for n, each in enumerate(found):
        points = " ".join(f"{LEFT + k * across:.1f},{y(v):.1f}" for k, v in enumerate(each.by_quarter) if math.isfinite(v))
        shapes.append(
            f'<polyline points="{points}" fill="none" stroke="{_colour(n)}" stroke-width="2" stroke-linejoin="round"/>'
        )
    return _drawing(HEIGHT, "Mean minutes by quarter of an hour", shapes)


def _bars(found: Sequence[Figures]) -> str:
    """Drive, wait, and what giving up counts, one bar a branch."""
    top = max(each.minutes for each in found) or 1.0
    scale, shapes = (WIDTH - 330) / top, []
    for n, each in enumerate(found):
        row, x = 30 * n + 6, 190.0
        shapes.append(f'<text x="180" y="{row + 15}" text-anchor="end">{escape(each.name)}</text>')
        lost = max(each.minutes - each.drive_min - each.wait_min, 0.0)
        for minutes, opacity, name in ((each.drive_min, 0.35, "drive"), (each.wait_min, 0.7, "wait"), (lost, 1.0, "gave up")):
            width = minutes * scale
            bar = f'<rect x="{x:.1f}" y="{row}" width="{width:.1f}" height="20" fill="{_colour(n)}" fill-opacity="{opacity}">'
            shapes.append(f"{bar}<title>{name} {minutes:.2f} min</title></rect>")
            x += width
        shapes.append(f'<text x="{x + 8:.1f}" y="{row + 15}">{each.minutes:.2f} min</text>')
    note = "<p>From light to dark: driving, waiting, giving up.</p>"
    return note + _drawing(30 * len(found) + 8, "Minutes by branch", shapes)


def _table(found: Sequence[Figures]) -> str:
    rows = [
        ("drivers", [f"{each.drivers:,}" for each in found]),
        ("drive + wait, min", [f"{each.minutes:.2f}" for each in found]),
        ("wait, min", [f"{each.wait_min:.2f}" for each in found]),
        ("wait p95, min", [f"{each.wait_p95_min:.1f}" for each in found]),
        ("served", [f"{each.served_share:.2%}" for each in found]),
        ("amount, CNY", [f"{each.amount_cny:.2f}" for each in found]),
        *((f"drive + wait, {tier}", [f"{each.tier_minutes[tier]:.2f}" for each in found]) for tier in found[0].tier_minutes),
        ("drivers of events", [f"{each.crowd:,}" for each in found]),
        ("their drive + wait, min", ["–" if each.crowd_minutes is None else f"{each.crowd_minutes:.2f}" for each in found]),
        (
            "difference, min",
            ["–" if (d := each.against) is None else f"{d.mean_min:+.2f} ± {d.half_min:.2f}" for each in found],
        ),
        ("better / worse off", ["–" if (d := each.against) is None else f"{d.better:.0%} / {d.worse:.0%}" for each in found]),
    ]
    head = "".join(f"<th>{escape(each.name)}</th>" for each in found)
    body = "".join(f"<tr><th>{name}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>" for name, cells in rows)
    return f'<div class="wide"><table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _rule(y: float, label: str) -> str:
    line = f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dfe6ea"/>'
    return f'{line}<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'


def _drawing(height: int, label: str, shapes: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">{"".join(shapes)}</svg>'


def _colour(n: int) -> str:
    return COLOURS[n % len(COLOURS)]


def _round_up(value: float) -> float:
    """To 1, 2, 4 or 8 times a power of ten, so that quarters of it are plain numbers."""
    power = 10 ** math.floor(math.log10(max(value, 1.0)))
    return float(next(k * power for k in (1, 2, 4, 8, 10) if k * power >= value))
