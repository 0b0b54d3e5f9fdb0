"""Options as they are shown: the amount by the Decimal price, and named terms that sum to the score."""

from datetime import UTC, datetime

import numpy as np

from chargeloop.model import Current, Offer, World
from chargeloop.model.city import Floats, Ints
from chargeloop.pricing import RateTable, quote
from chargeloop.recommendation.build import Options
from chargeloop.recommendation.objective import TERMS, plan_terms
from chargeloop.recommendation.promises import promised_waits_s


def write_offers(
    world: World,
    rates: RateTable,
    options: Options,
    choice: Ints,
    wait_s: Floats,
    busy: Floats,
    inflow_per_h: Floats,
    kg_co2_per_kwh: Floats,
    request: Ints,
    option: Ints,
) -> list[Offer]:
    """One offer for each pair of `request` and `option`. `wait_s`, `busy`: R x K, under the plan `choice`."""
    problem, facts, layout, chosen = options.problem, options.facts, world.layout, (request, option)
    late_min = np.maximum(problem.over_s + wait_s, 0) / 60
    planned = plan_terms(options.drivers, wait_s / 60, late_min, busy, problem.busy_curve)
    terms = options.terms | planned | {"preference": options.terms["preference"] + planned["preference"]}
    term_rows = np.stack([terms[name][chosen] for name in TERMS], axis=1).tolist()
    pool = problem.pool[chosen]
    pools, are_dc = options.pools, layout.pool_is_dc[options.pools.of]
    inflow, coming = pools.inflow(inflow_per_h), (pools.common[world.coming_pool], world.coming_arrive_s)
    promised_s = promised_waits_s(problem, choice, are_dc, world.now_s, inflow, request, option, *coming)
    begin_s = problem.arrive_s[chosen] + wait_s[chosen]
    fact_rows = np.stack(
        [
            pools.station[pool],
            are_dc[pool],
            facts.drive_min[chosen],
            facts.drive_km[chosen],
            wait_s[chosen] / 60,
            np.maximum(promised_s, wait_s[chosen]) / 60,
            facts.charge_min[chosen],
            facts.energy_kwh[chosen],
            options.arrival_soc[chosen],
            kg_co2_per_kwh[options.start_h[chosen].astype(np.int64) % 24] * facts.energy_kwh[chosen],
            begin_s,
            options.drivers.amount[request, 0],
        ],
        axis=1,
    ).tolist()
    offers = []
    for values, costs in zip(fact_rows, term_rows, strict=True):
        station, is_dc, drive_min, drive_km, wait_min, wait_p90, charge_min, energy_kwh, soc, kg_co2, begin, weight = values
        amount = quote(rates.tariff_of(int(station)), datetime.fromtimestamp(begin, UTC), charge_min, energy_kwh).amount
        named = dict(zip(TERMS, costs, strict=True))
        named["amount"] = weight * float(amount)  # to the cent what was ranked, and exactly what is shown
        offers.append(
            Offer(
                station_id=layout.station_ids[int(station)],
                current=Current.DC if is_dc else Current.AC,
                drive_min=drive_min,
                drive_km=drive_km,
                wait_min=wait_min,
                wait_p90_min=wait_p90,
                charge_min=charge_min,
                energy_kwh=energy_kwh,
                arrival_soc=soc,
                amount=amount,
                score=sum(named.values()),
                terms=named,
                kg_co2=kg_co2,
            )
        )
    return offers
