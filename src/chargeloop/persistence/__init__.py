"""The database: durable events, raw messages, snapshots, and the records that are asked for often."""

from chargeloop.persistence.forecasts import Record, find_drift, find_forecast, find_forecasts, find_origins, find_records
from chargeloop.persistence.givens import Kept, find_kept_decision, find_newest, look
from chargeloop.persistence.journal import Entry, OcppFrame, SignedRow, Stored
from chargeloop.persistence.partners import PartnerBook, PartnerCharge, Waiting
from chargeloop.persistence.promises import (
    Bin,
    Columns,
    Standing,
    calibration,
    find_kept,
    find_promises,
    find_taken,
    standing,
    standings,
)
from chargeloop.persistence.roster import Registration
from chargeloop.persistence.store import Outcome, Store

__all__ = [
    "Bin",
    "Columns",
    "Entry",
    "Kept",
    "OcppFrame",
    "Outcome",
    "PartnerBook",
    "PartnerCharge",
    "Record",
    "Registration",
    "SignedRow",
    "Standing",
    "Store",
    "Stored",
    "Waiting",
    "calibration",
    "find_drift",
    "find_forecast",
    "find_forecasts",
    "find_kept",
    "find_kept_decision",
    "find_newest",
    "find_origins",
    "find_promises",
    "find_records",
    "find_taken",
    "look",
    "standing",
    "standings",
]
