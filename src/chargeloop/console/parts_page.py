"""The regression of a zone's demand as a page: its coefficients, and what each term adds, hour by hour."""

from datetime import timedelta

import numpy as np

from chargeloop.model import Demand, Weather
from chargeloop.model.city import Floats
from chargeloop.physics import local
from chargeloop.prediction import Regression
from chargeloop.simulation import page

SHOWN_H = 24 * 14
MODEL = "D(t) = α·P(t) + β·W(t) + γ·S(t) + ε(t)"
TERMS = (("α", "kWh per kWh of P"), ("β", "kWh per unit of W"), ("γ", "kWh on a rest day"))
ABOUT = (
    "P: the same hour on the seven days before and in the last four weeks, known a day ahead. W: discomfort, 1 for 10 °C off "
    "21.5 °C and 1 for heavy rain. S: rest days. W and S count from their means. ε: what is left. Intervals are of 95 %."
)


def parts_page(model: Regression, demand: Demand, weather: Weather, zone_id: str, shown_h: int = SHOWN_H) -> str:
    """One HTML file on the last `shown_h` hours of a record with the model's zones.

    Raises:
        ValueError: the model does not know the zone.
    """
    z = model.zone_ids.index(zone_id)
    parts = model.parts(demand, weather)
    begin = max(len(demand.energy_kwh) - shown_h, 0)
    named = {
        "α·P": parts.usage[begin:, z],
        "β·W": parts.weather[begin:, z],
        "γ·S": parts.season[begin:, z],
        "ε": parts.left[begin:, z],
    }
    first = local(demand.start + timedelta(hours=begin), model.time_zone)
    hours = f"hours since {first:%d %B %Y, %H:%M}"
    whole = {
        "measured": demand.energy_kwh[begin:, z],
        "α·P": named["α·P"],
        "α·P + β·W + γ·S": named["α·P"] + named["β·W"] + named["γ·S"],
    }
    added = {name: values for name, values in named.items() if name != "α·P"}
    sizes = [(name, _size(values), 0.0) for name, values in named.items()]
    estimate, low, high = (
        each[:, z] for each in (model.coefficients.estimate, model.coefficients.low, model.coefficients.high)
    )
    rows = [
        (name, f"{estimate[k]:.4g}", f"{low[k]:.4g} to {high[k]:.4g}", unit, "yes" if low[k] > 0 or high[k] < 0 else "no")
        for k, (name, unit) in enumerate(TERMS)
    ]
    return page.document(
        f"Zone {zone_id}: what its demand is made of",
        [
            page.paragraph(MODEL),
            page.paragraph(ABOUT),
            page.table(("coefficient", "estimate", "interval", "unit", "surely not 0"), rows),
            page.heading("Measured and explained"),
            page.lines({name: _points(values) for name, values in whole.items()}, hours, "kWh in the hour"),
            page.heading("What weather and season add, and what is left"),
            page.lines({name: _points(values) for name, values in added.items()}, hours, "kWh in the hour"),
            page.heading("How much each part moves"),
            page.bars(sizes, "kWh, standard deviation"),
        ],
    )


def _points(values: Floats) -> list[tuple[float, float]]:
    return [(float(h), float(value)) for h, value in enumerate(values) if np.isfinite(value)]


def _size(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.std()) if known.size else 0.0
