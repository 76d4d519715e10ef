"""Take tags and corrections with feedback, support tickets, and surveys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("feedback", schema=None, table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.add_column(sa.Column("csat", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("tags", _JSON, nullable=True))
        batch_op.add_column(sa.Column("correction", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("source", sa.String(), server_default="api", nullable=False))
    op.create_table(
        "tickets",
        sa.Column("seq", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("outer_id", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("endpoint", sa.String(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=True),
        sa.Column("priority", sa.String(), nullable=True),
        sa.Column("tags", _JSON, nullable=False),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("opened_at", _AT, nullable=False),
        sa.Column("imported_at", _AT, nullable=False),
        sa.Column("imported_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_tickets")),
        sa.UniqueConstraint("id", name=op.f("uq_tickets_id")),
        sa.UniqueConstraint("system", "outer_id", name=op.f("uq_tickets_system_outer_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tickets_request_id"), ["request_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tickets_opened_at"), ["opened_at"], unique=False)
    op.create_table(
        "surveys",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("declared", _JSON, nullable=False),
        sa.Column("changed_at", _AT, nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_surveys")),
    )
    op.create_table(
        "survey_invitations",
        sa.Column("seq", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("survey", sa.String(), nullable=False),
        sa.Column("declared", _JSON, nullable=False),
        sa.Column("endpoint", sa.String(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("sent_at", _AT, nullable=False),
        sa.Column("expires_at", _AT, nullable=False),
        sa.Column("answered_at", _AT, nullable=True),
        sa.Column("answers", _JSON, nullable=True),
        sa.ForeignKeyConstraint(["survey"], ["surveys.name"], name=op.f("fk_survey_invitations_survey_surveys")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_survey_invitations")),
        sa.UniqueConstraint("id", name=op.f("uq_survey_invitations_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("survey_invitations", schema=None) as batch_op:
        batch_op.create_index("ix_survey_invitations_survey_sent_at", ["survey", "sent_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("survey_invitations", schema=None) as batch_op:
        batch_op.drop_index("ix_survey_invitations_survey_sent_at")
    op.drop_table("survey_invitations")
    op.drop_table("surveys")
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tickets_opened_at"))
        batch_op.drop_index(batch_op.f("ix_tickets_request_id"))
    op.drop_table("tickets")
    with op.batch_alter_table("feedback", schema=None, table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_column("source")
        batch_op.drop_column("correction")
        batch_op.drop_column("tags")
        batch_op.drop_column("csat")
