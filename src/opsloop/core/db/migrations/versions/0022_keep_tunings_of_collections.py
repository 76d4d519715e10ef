"""Keep tunings of collections."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evaluation_tunings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("collection", sa.String(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("known_by", sa.String(), nullable=False),
        sa.Column("applies", sa.Boolean(), nullable=False),
        sa.Column("tuned", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation_tunings")),
    )
    with op.batch_alter_table("evaluation_tunings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evaluation_tunings_collection"), ["collection"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("evaluation_tunings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evaluation_tunings_collection"))
    op.drop_table("evaluation_tunings")
