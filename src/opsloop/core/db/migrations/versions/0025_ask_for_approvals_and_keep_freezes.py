"""Ask for approvals of rollouts and keep freezes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("rollouts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("has_begun", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("override", sa.Text(), server_default="", nullable=False))
    rollouts = sa.table(
        "rollouts",
        sa.column("has_begun", sa.Boolean),
        sa.column("share", sa.Double),
        sa.column("step", sa.Integer),
        sa.column("reason", sa.Text),
    )
    began = sa.or_(rollouts.c.share > 0, sa.and_(rollouts.c.step == -1, rollouts.c.reason != ""))
    op.execute(rollouts.update().where(began).values(has_begun=True))
    op.create_table(
        "rollout_approvals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("rollout", sa.String(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("shown", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["rollout"], ["rollouts.id"], name=op.f("fk_rollout_approvals_rollout_rollouts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollout_approvals")),
    )
    with op.batch_alter_table("rollout_approvals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rollout_approvals_rollout"), ["rollout"], unique=False)
        batch_op.create_index(batch_op.f("ix_rollout_approvals_state"), ["state"], unique=False)
    op.create_table(
        "release_freezes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("began_by", sa.String(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["endpoint"], ["endpoints.name"], name=op.f("fk_release_freezes_endpoint_endpoints")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_freezes")),
    )
    with op.batch_alter_table("release_freezes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_release_freezes_endpoint"), ["endpoint"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("release_freezes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_release_freezes_endpoint"))
    op.drop_table("release_freezes")
    with op.batch_alter_table("rollout_approvals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rollout_approvals_state"))
        batch_op.drop_index(batch_op.f("ix_rollout_approvals_rollout"))
    op.drop_table("rollout_approvals")
    with op.batch_alter_table("rollouts", schema=None) as batch_op:
        batch_op.drop_column("override")
        batch_op.drop_column("has_begun")
