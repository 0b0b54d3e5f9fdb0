"""Setpoints that a station works out by itself from what it measures (OCPP 2.1, Q07 and Q08)."""

from numpy import interp

from chargeloop.protocols.ocpp.smart.profile import Curve, Period, Reason, Refused


def frequency_setpoint_w(period: Period, frequency_hz: float, signal: float | None = None) -> float:
    """Setpoint of LocalFrequency: the baseline, what the curve tells of the grid's frequency, and of an aFRR signal.

    Between the points of a curve it is linear, beyond its ends level.

    Raises:
        Refused: the period has no such curve.
    """
    if not period.frequency_curve:
        raise Refused(Reason.NO_FREQUENCY_CURVE, "the period has no v2xFreqWattCurve")
    if signal is not None and not period.signal_curve:
        raise Refused(Reason.NO_SIGNAL_CURVE, "the period has no v2xSignalWattCurve")
    by_signal = 0.0 if signal is None else _on(period.signal_curve, signal)
    return (period.baseline_w or 0.0) + _on(period.frequency_curve, frequency_hz) + by_signal


def load_balancing_delta_w(
    load_w: float, upper_w: float, upper_offset_w: float, lower_w: float, lower_offset_w: float
) -> float:
    """What LocalLoadBalancing adds to the setpoint, given the load at the grid connection: nothing within the thresholds."""
    if load_w > upper_w:
        return upper_w + upper_offset_w - load_w
    return lower_w + lower_offset_w - load_w if load_w < lower_w else 0.0


def _on(curve: Curve, x: float) -> float:
    return float(interp(x, [point[0] for point in curve], [point[1] for point in curve]))
