"""Number scores of live answers in the order in which they come."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

KEPT = "endpoint, request_id, measure, evaluator, value, is_good, scored_at, scored_by"


def upgrade() -> None:
    _set_aside()
    op.create_table(
        "live_scores",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        *_columns(),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_live_scores")),
        sa.UniqueConstraint(
            *("endpoint", "request_id", "measure", "evaluator"),
            name=op.f("uq_live_scores_endpoint_request_id_measure_evaluator"),
        ),
        sqlite_autoincrement=True,
    )
    _put_back()
    with op.batch_alter_table("rollouts") as batch_op:
        batch_op.add_column(sa.Column("scores_after", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("rollouts") as batch_op:
        batch_op.drop_column("scores_after")
    _set_aside()
    op.create_table(
        "live_scores",
        *_columns(),
        sa.PrimaryKeyConstraint("endpoint", "request_id", "measure", "evaluator", name=op.f("pk_live_scores")),
    )
    _put_back()


def _columns() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("evaluator", sa.String(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("is_good", sa.Boolean(), nullable=False),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scored_by", sa.String(), nullable=False),
    )


def _set_aside() -> None:
    # Renaming would keep the names of constraints, which PostgreSQL has once in a schema.
    op.execute("CREATE TABLE live_scores_aside AS SELECT * FROM live_scores")
    op.drop_table("live_scores")


def _put_back() -> None:
    op.execute(f"INSERT INTO live_scores ({KEPT}) SELECT {KEPT} FROM live_scores_aside ORDER BY scored_at")  # noqa: S608
    op.drop_table("live_scores_aside")
