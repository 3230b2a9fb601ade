"""The look of the pages that a simulated provider shows a person. Markup only; it decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title}</title><style>
body{{font:16px/1.5 system-ui,sans-serif;background:#101418;color:#e8ecef;display:grid;place-items:center;
min-height:100vh;margin:0}}
main{{background:#1a2026;border-radius:12px;padding:2rem;max-width:26rem;box-shadow:0 8px 30px #0006}}
h1{{font-size:1.25rem;margin:0 0 .5rem}}small{{color:#9aa6b0}}li{{margin:.25rem 0}}
button{{font:inherit;padding:.6rem 1.4rem;border:0;border-radius:8px;margin-right:.5rem;cursor:pointer}}
button[value=allow]{{background:#16ec06;color:#04210a;font-weight:600}}button[value=deny]{{background:#333c45;color:inherit}}
</style></head><body><main>{content}</main></body></html>
"""


def page(title: str, content: str) -> str:
    """A whole page around `content`, which is markup already."""
    return _PAGE.format(title=escape(title), content=content)


def question(title: str, *, who: str, client: str, wishes: Iterable[str], form: Mapping[str, str], action: str) -> str:
    """Asks `who` to allow `client` what it wishes for; posts `form` back with `decision`: allow or deny."""
    items = "".join(f"<li>{escape(wish)}</li>" for wish in wishes)
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in form.items()
    )
    content = (
        f"<h1>{escape(client)} would like to read your data</h1>"
        f"<small>Signed in as {escape(who)}. A simulated account on this computer: no real person, no real data."
        f'</small><ul>{items}</ul><form method="post" action="{escape(action)}">{hidden}'
        '<button name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button></form>'
    )
    return page(title, content)


def refusal(title: str, reason: str) -> str:
    """What a person sees when a request is not even fit to be sent back to the client."""
    return page(title, f"<h1>This request cannot be served</h1><p>{escape(reason)}</p>")
