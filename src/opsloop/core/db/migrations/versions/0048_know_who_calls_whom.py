"""Know who calls whom, and how many requests an incident cost."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "topology_calls",
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("callee", sa.String(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("first_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("caller", "callee", name=op.f("pk_topology_calls")),
    )
    op.create_index(op.f("ix_topology_calls_seen_at"), "topology_calls", ["seen_at"])
    op.create_table(
        "topology_cursor",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("ceiling", sa.BigInteger(), nullable=False),
        sa.Column("read_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topology_cursor")),
    )
    op.add_column("incidents", sa.Column("impact", JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("incidents", "impact")
    op.drop_table("topology_cursor")
    op.drop_table("topology_calls")
