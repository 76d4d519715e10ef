"""Keep objectives of endpoints, and tallies of what they count."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("span_s", sa.Integer(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("good", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", "measure", "span_s", "at_s", name=op.f("pk_tallies")),
    )
    with op.batch_alter_table("tallies", schema=None) as batch_op:
        batch_op.create_index("ix_tallies_span_s_at_s", ["span_s", "at_s"], unique=False)
    op.create_table(
        "tallied",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_tallied")),
    )
    op.create_table(
        "objectives",
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("declared", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("declared_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", name=op.f("pk_objectives")),
    )


def downgrade() -> None:
    op.drop_table("objectives")
    op.drop_table("tallied")
    with op.batch_alter_table("tallies", schema=None) as batch_op:
        batch_op.drop_index("ix_tallies_span_s_at_s")
    op.drop_table("tallies")
