"""The forecast of a whole city in one call."""

from datetime import datetime

from chargeloop.model import City, Demand, Weather
from chargeloop.physics import full_hour, hours_between
from chargeloop.prediction.forecast import Forecast
from chargeloop.prediction.regression import Regression


def forecast_city(
    city: City, origin: datetime, hours: int, *, history: Demand | None = None, weather: Weather | None = None
) -> Forecast:
    """Fit the regression to what had ended at `origin`, and forecast from there. The city's own record unless given."""
    demand = history or city.demand
    then = weather or city.weather
    ended = max(hours_between(demand.start, full_hour(origin)), 0)
    known = Demand(demand.start, demand.energy_kwh[:ended])
    model = Regression.fit(known, then, city.time_zone, [zone.zone_id for zone in city.zones])
    return model.forecast(known, then, origin, hours)
