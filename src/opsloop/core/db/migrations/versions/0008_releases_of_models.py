"""Let a release serve a model as well as a flow."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

RENAMED = {"flow": "serves", "flow_digest": "serves_digest", "flow_artifact": "serves_artifact"}


def upgrade() -> None:
    with op.batch_alter_table("releases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(), nullable=False, server_default="flow"))
        for old, new in RENAMED.items():
            batch_op.alter_column(old, new_column_name=new)


def downgrade() -> None:
    with op.batch_alter_table("releases", schema=None) as batch_op:
        for old, new in RENAMED.items():
            batch_op.alter_column(new, new_column_name=old)
        batch_op.drop_column("kind")
