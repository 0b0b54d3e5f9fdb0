"""Chargeloop runs the charging of a whole city as one closed loop: perceive, predict, recommend, guide, execute, settle."""

__version__ = "0.1.0"
