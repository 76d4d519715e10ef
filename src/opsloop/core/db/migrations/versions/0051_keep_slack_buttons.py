"""Keep the buttons by which people in Slack say yes or no to repairs."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "remediation_buttons",
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("remediation", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("is_yes", sa.Boolean(), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_remediation_buttons")),
    )
    for column in ("remediation", "expires_at"):
        op.create_index(op.f(f"ix_remediation_buttons_{column}"), "remediation_buttons", [column])


def downgrade() -> None:
    op.drop_table("remediation_buttons")
