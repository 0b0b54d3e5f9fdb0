"""Whether the meter is to be believed."""

import math
from dataclasses import dataclass

from chargeloop.edge.config import Site
from chargeloop.edge.registers import Reading

GOOD_AGAIN = 3  # readings in a row
PLAUSIBLE = 4.0  # times the connection's limit
NO_LIMIT_KW = 1e4


@dataclass(slots=True)
class Sight:
    """Call `look` once a second. `why`: what is wrong; empty while the meter is believed. `reading`: the last one."""

    site: Site
    why: str = "no reading yet"
    reading: Reading | None = None
    _at_s: float = -math.inf
    _changed_s: float = -math.inf
    _doubted_s: float | None = None
    _good: int = 0

    def look(self, now_s: float, reading: Reading | None, drawn_kw: float | None) -> Reading | None:
        """A reading, or None where there is none, to what may be relied on.

        `drawn_kw`: what the chargers say they draw; None: vehicles charge, and none of them has said so lately.

        One or two readings that are missing don't count: the last is held, for `stale_s`.
        """
        meter = self.site.meter
        if meter is None:
            return None
        fault = self._fault(reading)
        if reading is not None and not fault:
            if self.reading != reading:
                self._changed_s = now_s
            self.reading, self._at_s = reading, now_s
        fault = fault or self._doubt(now_s, drawn_kw)
        if now_s - self._at_s >= meter.stale_s:
            self.why = fault or f"no reading for {meter.stale_s:g} s"
        elif meter.frozen_s and now_s - self._changed_s >= meter.frozen_s:
            self.why = f"not a digit has changed for {meter.frozen_s:g} s"
        elif self._doubted_s is not None and now_s - self._doubted_s >= meter.stale_s:
            self.why = fault
        elif self.why:
            self._good = self._good + 1 if reading is not None and not fault else 0
            if self._good >= GOOD_AGAIN:
                self.why, self._good = "", 0
        return None if self.why else self.reading

    def _fault(self, reading: Reading | None) -> str:
        """What is wrong with a reading by itself."""
        if reading is None:
            return ""
        circuit = self.site.circuits[0]
        limit_kw = circuit.limit_kw or (circuit.limit_a or NO_LIMIT_KW) * 3 * self.site.voltage_v / 1000
        most_kw = PLAUSIBLE * limit_kw + self.site.generation_kw
        values = (reading.kw, *(each * self.site.voltage_v / 1000 for each in reading.amperes.values()))
        is_plausible = all(math.isfinite(each) and abs(each) <= most_kw for each in values)
        return "" if is_plausible else f"says {reading.kw:.4g} kW, which cannot be"

    def _doubt(self, now_s: float, drawn_kw: float | None) -> str:
        """The site cannot draw less than its chargers, but for what is made there."""
        if drawn_kw is None and self.why and self._doubted_s is not None:
            return self.why  # being blind changes what chargers may take, so their last reports don't count: no refutation
        if self.reading is None or drawn_kw is None or self.reading.kw + self.site.generation_kw >= 0.9 * drawn_kw - 1.0:
            self._doubted_s = None
            return ""
        self._doubted_s = now_s if self._doubted_s is None else self._doubted_s
        return f"says {self.reading.kw:.4g} kW while the chargers say they draw {drawn_kw:.4g}"
