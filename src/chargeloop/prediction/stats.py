"""Means, quantiles and losses that more than one forecaster is fitted or judged by."""

import numpy as np

from chargeloop.model.city import Floats


def mean_of_known(values: Floats) -> Floats:
    """Over the first axis, NaN left out; NaN where nothing is known."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0))


def weighted_quantiles(values: Floats, weight: Floats, shares: float | tuple[float, ...]) -> Floats:
    """The values at which `shares` of the weight are reached, of at least one value; in the shape of `shares`."""
    order = np.argsort(values)
    upto = np.cumsum(weight[order])
    reached = np.searchsorted(upto, np.asarray(shares) * upto[-1])
    return np.asarray(values[order][np.minimum(reached, values.size - 1)])


def pinball(came: Floats, told: Floats, quantile: float) -> Floats:
    """The loss that the true quantile makes least: q (y - f) above it, (1 - q) (f - y) below."""
    return np.asarray(np.maximum(quantile * (came - told), (quantile - 1) * (came - told)))
