"""Add up what was used."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0035"
branch_labels = None
depends_on = None

_SUMS = ("requests", "errors", "calls", "tokens_in", "tokens_out", "nano_usd", "unpriced")


def upgrade() -> None:
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.add_column(sa.Column("api_key", sa.String(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("calls", sa.Text(), nullable=True))
    op.create_table(
        "usage_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("api_key", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _SUMS),
        sa.PrimaryKeyConstraint("day", "endpoint", "api_key", "model", name=op.f("pk_usage_days")),
    )


def downgrade() -> None:
    op.drop_table("usage_days")
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.drop_column("calls")
        batch_op.drop_column("api_key")
