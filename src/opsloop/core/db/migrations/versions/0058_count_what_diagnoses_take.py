"""Count the tokens that diagnoses take of models in a day."""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "diagnosis_days",
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_diagnosis_days")),
    )


def downgrade() -> None:
    op.drop_table("diagnosis_days")
