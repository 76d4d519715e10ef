"""`opsloop token`: API keys."""

from __future__ import annotations

import click

from opsloop.cli import text, token_limits
from opsloop.cli.session import Session
from opsloop.cli.verbs import noun, verb

# The roles of `opsloop.core.caller.Role`; a test holds the two together, so that help need not import it.
ROLES = ("viewer", "developer", "operator", "admin")


@noun("token")
def token() -> None:
    """API keys."""


for _command in token_limits.COMMANDS:
    token.add_command(_command)


@verb(token, "create", example="opsloop token create ci --role developer --days 90")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True, help="What it may do.")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it lasts; default: until it is revoked.")
def create(session: Session, name: str, role: str, days: int | None) -> None:
    """Make a key. Its secret is shown once and stored nowhere."""
    from opsloop.core.caller import Role

    with session.client() as client:
        made = client.keys.create(name, role=Role(role), lifetime_days=days)
    session.note(f"key {made.key.name} with the role {made.key.role}; this is its secret, shown this once:")
    session.answer(made, made.secret)


@verb(token, "list", example="opsloop token list")
def listed(session: Session) -> None:
    """List keys, without their secrets."""
    with session.client() as client:
        keys = client.keys.listed()
    rows = [(key.name, key.role, key.created_at, key.expires_at, key.revoked_at) for key in keys]
    words = text.table(("name", "role", "created", "expires", "revoked"), rows)
    session.answer({"items": keys}, words or "no keys yet; make one with `opsloop token create NAME`")


@verb(token, "revoke", example="opsloop token revoke ci")
@click.argument("name")
def revoke(session: Session, name: str) -> None:
    """End a key's life; requests with it are refused from now on."""
    with session.client() as client:
        key = client.keys.revoke(name)
    session.answer(key, f"key {name} is revoked")
