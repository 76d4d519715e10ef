"""Count the time of repairs beside the wall clock."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("remediations", schema=None) as batch_op:
        # Of what is there already nobody counted: an empty name is that of no machine.
        batch_op.add_column(sa.Column("counter", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("lapses_s", sa.Double(), nullable=False, server_default=sa.text("0")))
        batch_op.add_column(sa.Column("acted_counter", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("acted_s", sa.Double(), nullable=True))
    with op.batch_alter_table("remediations", schema=None) as batch_op:
        batch_op.alter_column("counter", server_default=None)
        batch_op.alter_column("lapses_s", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("remediations", schema=None) as batch_op:
        for column in ("acted_s", "acted_counter", "lapses_s", "counter"):
            batch_op.drop_column(column)
