"""Runs the migrations of a log on the connection that `migrating.py` hands over. Alembic loads this file."""

from alembic import context

from retailops_sandbox.runlog.postgres.version import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
