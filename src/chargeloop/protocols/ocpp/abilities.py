"""What a station can be told of charging profiles, and the loop's limits in those terms."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from chargeloop.model import BadInput, SetChargingProfile

VOLTS, PHASES = 230.0, 3  # of AC, where nothing else is said (OCPP: numberPhases is 3 by default)
DIRECT = 0  # phases of a direct-current EVSE
UNITS = {"W": "W", "Power": "W", "A": "A", "Current": "A"}  # 2.x and 1.6 call them differently


@dataclass(frozen=True, slots=True)
class Abilities:
    """`rate_unit`: W is the total, A is per phase. `max_periods`: of one schedule; None: as many as the standard allows.

    `phases`: of alternating current at that EVSE; 0: direct current. `volts`: between a phase and neutral.
    """

    rate_unit: Literal["W", "A"] = "W"
    max_periods: int | None = None
    phases: int = PHASES
    volts: float = VOLTS

    @property
    def unit(self) -> Literal["W", "A"]:
        """What limits are told in: amperes mean nothing where the voltage is the vehicle's."""
        return "W" if self.phases == DIRECT else self.rate_unit


PLAIN = Abilities()


def rate_unit(named: Iterable[str]) -> Literal["W", "A"] | None:
    """The unit to use of those that a station names; None where it names none that is known."""
    units = {UNITS[each.strip()] for each in named if each.strip() in UNITS}
    return "W" if "W" in units else "A" if units else None


def schedule(command: SetChargingProfile, abilities: Abilities) -> dict[str, Any]:
    """Unit and periods of a charging schedule: equal neighbours merged, never above what the site may draw.

    Where a station takes fewer periods, the last one holds the lowest limit of the rest. Amperes are those of all phases
    that the EVSE has: a vehicle on fewer of them then draws less than it may, not more.

    Raises:
        BadInput: there is no limit.
    """
    if not command.limits_kw:
        raise BadInput("limits_kw", "a charging profile needs at least one step")
    found: list[dict[str, Any]] = []
    for i, kw in enumerate(command.limits_kw):
        limit = _limit(kw, abilities)
        if not found or found[-1]["limit"] != limit:
            found.append({"startPeriod": i * command.step_s, "limit": limit})
    most = abilities.max_periods or len(found)
    last = min(each["limit"] for each in found[most - 1 :]) if len(found) > most else found[-1]["limit"]
    del found[most:]
    found[-1]["limit"] = last
    if abilities.unit == "A":
        found = [each | {"numberPhases": abilities.phases} for each in found]
    return {"chargingRateUnit": abilities.unit, "chargingSchedulePeriod": found}


def _limit(kw: float, abilities: Abilities) -> float:
    """Whole watts, or tenths of an ampere (1.6 has no finer ones), rounded down."""
    if abilities.unit == "W":
        return float(math.floor(kw * 1000 + 1e-6))
    return math.floor(kw * 1000 / (abilities.volts * abilities.phases) * 10 + 1e-6) / 10
