"""`from promptflow.tools.common import render_jinja_template, parse_chat`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from opsloop.flows.compat.tools import parse_chat as _parse_chat
from opsloop.flows.compat.tools import render

F = TypeVar("F", bound=Callable[..., Any])


def render_jinja_template(
    prompt: str, trim_blocks: bool = True, keep_trailing_newline: bool = True, **kwargs: Any
) -> str:
    return render(prompt, kwargs)


def parse_chat(
    chat_str: str,
    images: Any = None,
    valid_roles: Any = None,
    image_detail: str = "auto",
    escape_dict: Any = None,
) -> list[dict[str, Any]]:
    return _parse_chat(chat_str, images, image_detail)


def build_messages(prompt: str, images: Any = None, image_detail: str = "auto", **kwargs: Any) -> list[dict[str, Any]]:
    return _parse_chat(render(prompt, kwargs), images, image_detail)


def to_bool(value: Any) -> bool:
    return str(value).lower() == "true"


def handle_openai_error(tries: int = 10) -> Callable[[F], F]:
    """Calls are tried again by what makes them."""
    return lambda function: function
