"""Dimension 5: the site: where a station stands and what surrounds it."""

from dataclasses import dataclass
from enum import StrEnum

from chargeloop.model.quantities import Id, Latitude, Longitude, NonNegative, Positive


class SiteType(StrEnum):
    RESIDENTIAL = "residential"
    OFFICE = "office"
    PUBLIC = "public"
    HIGHWAY_SERVICE = "highway_service"


@dataclass(frozen=True, slots=True)
class Place:
    """A point on the ground, WGS-84 degrees."""

    lon: Longitude
    lat: Latitude


@dataclass(frozen=True, slots=True)
class Zone:
    """A traffic zone. `speed_factor`: driving speed there against free flow (1 = free)."""

    zone_id: Id
    centre: Place
    radius_m: Positive
    land_use: SiteType
    speed_factor: Positive = 1.0


@dataclass(frozen=True, slots=True)
class Site:
    """The place of one or more stations behind one grid connection."""

    site_id: Id
    place: Place
    zone_id: Id
    site_type: SiteType
    circuit_id: Id
    base_load_kw: NonNegative = 0.0
