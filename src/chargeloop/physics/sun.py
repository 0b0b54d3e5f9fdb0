"""Where the sun stands, and what it would send onto a panel through a clear sky."""

from datetime import UTC, datetime

import numpy as np

from chargeloop.model.city import Floats

GROUND = 0.2  # share of light that the ground throws back
LEAST_DIFFUSE = 0.05  # of the horizontal irradiance, when the sun is high
PER_HOUR = 6  # instants that an hour's mean is made from
DAY_S = 86400.0
NEW_YEAR_D = datetime(2020, 1, 1, tzinfo=UTC).timestamp() / DAY_S


def sun_position(at_s: Floats, lon: float, lat: float) -> tuple[Floats, Floats]:
    """Elevation and azimuth (from north by east) of the sun in radians at epoch seconds; within 0.5 degrees.

    Fourier series for declination and equation of time: Spencer (1971).
    """
    day = at_s / DAY_S
    g = 2 * np.pi * (day - NEW_YEAR_D - 0.5) / 365.25
    declination = (
        0.006918
        - (0.399912 * np.cos(g) - 0.070257 * np.sin(g))
        - (0.006758 * np.cos(2 * g) - 0.000907 * np.sin(2 * g))
        - (0.002697 * np.cos(3 * g) - 0.00148 * np.sin(3 * g))
    )
    equation_min = 229.18 * (
        0.000075 + 0.001868 * np.cos(g) - 0.032077 * np.sin(g) - 0.014615 * np.cos(2 * g) - 0.040849 * np.sin(2 * g)
    )
    hour_angle = np.radians((at_s % DAY_S / 60 + equation_min) / 4 + lon - 180)
    phi = np.radians(lat)
    sine = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(hour_angle)
    azimuth = np.pi + np.arctan2(np.sin(hour_angle), np.cos(hour_angle) * np.sin(phi) - np.tan(declination) * np.cos(phi))
    return np.asarray(np.arcsin(np.clip(sine, -1, 1))), np.asarray(azimuth)


def clear_sky(at_s: Floats, lon: float, lat: float, tilt_deg: float = 0.0, azimuth_deg: float = 180.0) -> Floats:
    """Irradiance on a panel in kW/m2 under a clear sky at epoch seconds.

    Horizontal: Haurwitz (1945). Direct: Meinel (1976) with the air mass of Kasten and Young (1989); the rest is diffuse,
    and comes evenly from the whole sky.
    """
    elevation, azimuth = sun_position(at_s, lon, lat)
    sine = np.maximum(np.sin(elevation), 1e-3)
    up = elevation > 0
    horizontal = 1.098 * sine * np.exp(-0.057 / sine)
    degrees = np.maximum(np.degrees(elevation), 0.0)
    air_mass = 1 / (sine + 0.50572 * (degrees + 6.07995) ** -1.6364)
    direct = np.minimum(1.353 * 0.7 ** (air_mass**0.678), (1 - LEAST_DIFFUSE) * horizontal / sine)
    diffuse = horizontal - direct * sine
    tilt = np.radians(tilt_deg)
    facing = np.sin(elevation) * np.cos(tilt) + np.cos(elevation) * np.sin(tilt) * np.cos(azimuth - np.radians(azimuth_deg))
    sky, ground = (1 + np.cos(tilt)) / 2, (1 - np.cos(tilt)) / 2
    return np.where(up, direct * np.maximum(facing, 0) + diffuse * sky + GROUND * horizontal * ground, 0.0)


def clear_hours(
    start_s: float, count: int, lon: float, lat: float, tilt_deg: float = 0.0, azimuth_deg: float = 180.0
) -> Floats:
    """The mean of `clear_sky` in each of `count` hours from `start_s` on."""
    at_s = start_s + 3600.0 * (np.arange(count * PER_HOUR) + 0.5) / PER_HOUR
    return np.asarray(clear_sky(at_s, lon, lat, tilt_deg, azimuth_deg).reshape(count, PER_HOUR).mean(axis=1))
