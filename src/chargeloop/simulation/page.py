"""A report as one HTML file that needs nothing else: paragraphs, tables, and pictures drawn as SVG."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from chargeloop.model import City

WIDE, HIGH, LEFT, BELOW = 640, 300, 64, 44
COLOURS = ("#0b7285", "#e8590c", "#5f3dc4", "#2b8a3e")
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b2327 }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #d8dfe2; text-align: right }
th:first-child, td:first-child { text-align: left }
.scroll { overflow-x: auto } svg { max-width: 100%; height: auto } svg text { font: 12px system-ui, sans-serif; fill: #39464d }
"""
Series = Mapping[str, Sequence[tuple[float, float]]]


def document(title: str, parts: Sequence[str]) -> str:
    """`parts`: HTML, such as the functions below return."""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    body = f"<h1>{escape(title)}</h1>{''.join(parts)}"
    return f'<!doctype html><html lang="en"><head>{head}<style>{STYLE}</style></head><body>{body}</body></html>\n'


def heading(text: str) -> str:
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def points(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{escape(each)}</th>' for each in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def lines(series: Series, x: str, y: str) -> str:
    return _plot(series, x, y, joined=True)


def dots(series: Series, x: str, y: str) -> str:
    return _plot(series, x, y, joined=False)


def bars(named: Sequence[tuple[str, float, float]], y: str) -> str:
    """`named`: name, value and the half-width of its interval (0 or infinite: none is drawn)."""
    reach = [value + sign * (half if np.isfinite(half) else 0) for _, value, half in named for sign in (-1, 1)]
    low, high = _range([*reach, 0.0])
    step = (WIDE - LEFT) / max(len(named), 1)
    drawn = [_frame("", y, (0, 1), (low, high), ticks_x=False)]
    zero = _y(0.0, low, high)
    for n, (name, value, half) in enumerate(named):
        middle, top = LEFT + (n + 0.5) * step, _y(value, low, high)
        drawn.append(
            f'<rect x="{middle - step / 4:.1f}" y="{min(top, zero):.1f}" width="{step / 2:.1f}" height="{abs(top - zero):.1f}"'
            f' fill="{COLOURS[n % len(COLOURS)]}"><title>{escape(name)}: {value:,.3g}</title></rect>'
            f'<text x="{middle:.1f}" y="{HIGH - BELOW + 18}" text-anchor="middle">{escape(name)}</text>'
        )
        if 0 < half < np.inf:
            ends = (_y(value - half, low, high), _y(value + half, low, high))
            drawn.append(f'<path d="M{middle:.1f} {ends[0]:.1f}V{ends[1]:.1f}" stroke="#1b2327" stroke-width="2"/>')
    return _svg(drawn, y)


def city_map(city: City, marks: Sequence[tuple[float, float, float, str]]) -> str:
    """Zones as discs, stations as small points, and `marks` (longitude, latitude, weight, label) as large ones by weight."""
    places = {site.site_id: site.place for site in city.sites}
    stations = [places[station.site_id] for station in city.stations]
    lon = np.array([place.lon for place in stations] + [mark[0] for mark in marks])
    lat = np.array([place.lat for place in stations] + [mark[1] for mark in marks])
    west, south = lon.min(), lat.min()
    squeeze = float(np.cos(np.radians(lat.mean())))
    span = max(float(np.ptp(lon)) * squeeze, float(np.ptp(lat)), 1e-6)
    scale = (WIDE - 40) / span
    high = float(np.ptp(lat)) * scale + 40

    def at(lon: float, lat: float) -> tuple[float, float]:
        return 20 + (lon - west) * squeeze * scale, high - 20 - (lat - south) * scale

    drawn = []
    for zone in city.zones:
        x, y = at(zone.centre.lon, zone.centre.lat)
        drawn.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{zone.radius_m / 111_195 * scale:.1f}" fill="#0b7285" opacity=".07"/>'
        )
    for place in stations:
        x, y = at(place.lon, place.lat)
        drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.6" fill="#7b8a92"/>')
    most = max((mark[2] for mark in marks), default=1.0) or 1.0
    for mark_lon, mark_lat, weight, label in marks:
        x, y = at(mark_lon, mark_lat)
        drawn.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{4 + 9 * (max(weight, 0) / most) ** 0.5:.1f}" fill="#e8590c" opacity=".75">'
            f"<title>{escape(label)}</title></circle>"
        )
    return f'<svg viewBox="0 0 {WIDE} {high:.0f}" role="img" aria-label="map of {escape(city.name)}">{"".join(drawn)}</svg>'


def _plot(series: Series, x: str, y: str, *, joined: bool) -> str:
    span_x = _range([point[0] for each in series.values() for point in each], 0.0)
    span_y = _range([point[1] for each in series.values() for point in each])
    drawn = [_frame(x, y, span_x, span_y)]
    for n, (name, each) in enumerate(series.items()):
        colour = COLOURS[n % len(COLOURS)]
        places = [(_x(a, *span_x), _y(b, *span_y)) for a, b in each]
        if joined:
            path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
            drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        else:
            drawn += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="5" fill="{colour}" opacity=".8"/>' for a, b in places]
        drawn.append(f'<text x="{LEFT + 8 + 150 * n}" y="14" style="fill:{colour}">{escape(name)}</text>')
    return _svg(drawn, f"{y} by {x}")


def _frame(x: str, y: str, span_x: tuple[float, float], span_y: tuple[float, float], *, ticks_x: bool = True) -> str:
    """Axes with their names and round figures on each."""
    bottom = HIGH - BELOW
    drawn = [f'<path d="M{LEFT} 20V{bottom}H{WIDE}" fill="none" stroke="#9aa7ad"/>']
    for value in round_ticks(*span_y):
        drawn.append(f'<text x="{LEFT - 6}" y="{_y(value, *span_y) + 4:.1f}" text-anchor="end">{value:,.4g}</text>')
    for value in round_ticks(*span_x) if ticks_x else ():
        anchor = "end" if _x(value, *span_x) > WIDE - 20 else "middle"
        drawn.append(f'<text x="{_x(value, *span_x):.1f}" y="{bottom + 18}" text-anchor="{anchor}">{value:,.4g}</text>')
    drawn.append(f'<text x="{(LEFT + WIDE) / 2}" y="{HIGH - 6}" text-anchor="middle">{escape(x)}</text>')
    drawn.append(f'<text transform="translate(12 {bottom / 2}) rotate(-90)" text-anchor="middle">{escape(y)}</text>')
    return "".join(drawn)


def round_ticks(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten within a span: two to seven of them."""
    least = (high - low) / 6
    power = 10.0 ** np.floor(np.log10(least))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= least * (1 - 1e-9))
    return [float(round(n * step, 12)) for n in range(int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9)) + 1)]


def _svg(drawn: Sequence[str], label: str) -> str:
    return f'<svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{escape(label)}">{"".join(drawn)}</svg>'


def _range(values: Sequence[float], room: float = 0.05) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    extra = room * (high - low) or (0.0 if high > low else max(abs(high), 1.0) * 0.05)
    return low - extra, high + extra


def _x(value: float, low: float, high: float) -> float:
    return LEFT + (value - low) / (high - low) * (WIDE - LEFT - 10)


def _y(value: float, low: float, high: float) -> float:
    return HIGH - BELOW - (value - low) / (high - low) * (HIGH - BELOW - 24)
