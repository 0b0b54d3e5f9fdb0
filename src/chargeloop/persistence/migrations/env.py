"""Alembic runs this to bring a database to the newest layout; the connection is handed in by `chargeloop.persistence`."""

from alembic import context

from chargeloop.persistence.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
