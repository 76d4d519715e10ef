"""Watch releases that serve, tell why one was left, and recall what none may serve."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("releases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("left_for", sa.Text(), nullable=True))
    with op.batch_alter_table("rollouts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("bakes_until", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "release_recalls",
        sa.Column("serves_digest", sa.String(), nullable=False),
        sa.Column("serves", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recalled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recalled_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["release"], ["releases.id"], name=op.f("fk_release_recalls_release_releases")),
        sa.PrimaryKeyConstraint("serves_digest", name=op.f("pk_release_recalls")),
    )


def downgrade() -> None:
    op.drop_table("release_recalls")
    with op.batch_alter_table("rollouts", schema=None) as batch_op:
        batch_op.drop_column("bakes_until")
    with op.batch_alter_table("releases", schema=None) as batch_op:
        batch_op.drop_column("left_for")
