"""Whose data it is, out of the answer that says so. Asks nobody."""

from __future__ import annotations

from hde.errors import Unreadable
from hde.source.records import Body
from hde.spec.connector import AccountRequest

NOT_SAID = "default"
"""The id of the account of a connector that does not say whose it is."""


def account_in(body: Body, spec: AccountRequest, connector: str, said: str | None = None) -> dict[str, object]:
    """`{"id": "10129", **kept}`; Unreadable where the id is not in the answer, and was not `said` otherwise."""
    kept = {name: body.value(path) for name, path in spec.keep.items()}
    found = body.value(spec.id) if spec.id else None
    return {"id": _account_id(said if found is None and said else found, spec.id or "value", connector), **kept}


def _account_id(value: object, path: str, connector: str) -> str:
    """The provider's id as text; a number or a text of sensible length, else Unreadable."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text or len(text) > 200 or not text.isprintable():
        raise Unreadable(f"{connector}: account.id: {path!r} gives no id in the answer")
    return text
