"""Score live answers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scorings",
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("declared", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("done_seq", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", name=op.f("pk_scorings")),
    )


def downgrade() -> None:
    op.drop_table("scorings")
