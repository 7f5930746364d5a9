"""Makes the index by which a text is found in deliveries, where the server has what it needs."""

from alembic import op

from retailops_sandbox.runlog.postgres.text_index import make_text_index

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    make_text_index(op.get_bind())
