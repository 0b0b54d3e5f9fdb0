"""Smart charging of all OCPP versions, pure: what the charging profiles at a station amount to, and how they are kept."""

from chargeloop.protocols.ocpp.smart.composite import Composite, composite
from chargeloop.protocols.ocpp.smart.grid import frequency_setpoint_w, load_balancing_delta_w
from chargeloop.protocols.ocpp.smart.install import (
    after_outage,
    after_transaction,
    clear,
    draw_delays,
    install,
    matching,
    update,
)
from chargeloop.protocols.ocpp.smart.profile import (
    Installed,
    Kind,
    Mode,
    Period,
    Profile,
    Purpose,
    Reason,
    Recurrence,
    Refused,
    Schedule,
    Unit,
    Update,
    Value,
)
from chargeloop.protocols.ocpp.smart.station import Conversion, Options, Running, State, Station, Version
from chargeloop.protocols.ocpp.smart.wire import composite_payload, read_profile, read_purpose, read_update

__all__ = [
    "Composite",
    "Conversion",
    "Installed",
    "Kind",
    "Mode",
    "Options",
    "Period",
    "Profile",
    "Purpose",
    "Reason",
    "Recurrence",
    "Refused",
    "Running",
    "Schedule",
    "State",
    "Station",
    "Unit",
    "Update",
    "Value",
    "Version",
    "after_outage",
    "after_transaction",
    "clear",
    "composite",
    "composite_payload",
    "draw_delays",
    "frequency_setpoint_w",
    "install",
    "load_balancing_delta_w",
    "matching",
    "read_profile",
    "read_purpose",
    "read_update",
    "update",
]
