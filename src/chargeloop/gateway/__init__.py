"""Where the outside connects: charge points by OCPP, feeds of many EVSEs by telemetry."""
