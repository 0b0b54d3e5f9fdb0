"""CDR and bill."""

from chargeloop.settlement.settle import Bill, bill, settle

__all__ = ["Bill", "bill", "settle"]
