"""The database: durable events, snapshots, and the records that are asked for often."""

from chargeloop.persistence.store import Outcome, Store, Stored, Transaction

__all__ = ["Outcome", "Store", "Stored", "Transaction"]
