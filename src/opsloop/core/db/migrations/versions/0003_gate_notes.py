"""Keep what a gate's report says of the rows that it compared."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("evaluation_gate_reports", schema=None) as batch_op:
        batch_op.add_column(sa.Column("notes", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("evaluation_gate_reports", schema=None) as batch_op:
        batch_op.drop_column("notes")
