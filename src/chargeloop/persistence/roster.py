"""The chargers that are known: who they are, where they stand, how they prove it."""

from dataclasses import dataclass
from typing import Literal

from chargeloop.model.quantities import Utc

State = Literal["adopted", "quarantined", "retired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """`evse_ids[n - 1]`: the city's EVSE at connector n (1.6) or EVSE n (2.x). `password_hash`: see the gateway's credentials.

    `security_profile`: 0 none, 1 Basic, 2 Basic over TLS, 3 client certificate (OCPP 2.0.1, part 2, chapter A).
    `password_since`: when it was changed last. `meter_keys[n - 1]`: public key of connector n's meter, DER in hex; empty where
    it is not known.
    """

    charger_id: str
    state: State
    first_seen: Utc
    station_id: str | None = None
    evse_ids: tuple[str, ...] = ()
    security_profile: int = 0
    password_hash: str | None = None
    password_since: Utc | None = None
    version: str | None = None
    vendor: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    meter_keys: tuple[str, ...] = ()
