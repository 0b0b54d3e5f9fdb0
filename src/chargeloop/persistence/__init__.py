"""The database: durable events, raw messages, snapshots, and the records that are asked for often."""

from chargeloop.persistence.journal import Entry, OcppFrame, SignedRow, Stored
from chargeloop.persistence.roster import Registration
from chargeloop.persistence.store import Outcome, Store

__all__ = ["Entry", "OcppFrame", "Outcome", "Registration", "SignedRow", "Store", "Stored"]
