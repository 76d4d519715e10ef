"""Remember deliveries of webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "incident_deliveries",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("delivery", sa.String(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("source", "delivery", name=op.f("pk_incident_deliveries")),
    )
    op.create_index(op.f("ix_incident_deliveries_at"), "incident_deliveries", ["at"])


def downgrade() -> None:
    op.drop_table("incident_deliveries")
