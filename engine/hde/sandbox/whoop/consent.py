"""The page on which the member allows or denies access. Markup only; it decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

MEANING = {
    "read:recovery": "Recovery: score, heart rate variability, resting heart rate",
    "read:cycles": "Cycles: day strain, energy and heart rate",
    "read:workout": "Workouts: sport, strain, heart rate zones, distance",
    "read:sleep": "Sleep: stages, need, performance",
    "read:profile": "Profile: name and e-mail address",
    "read:body_measurement": "Body: height, weight, maximum heart rate",
    "offline": "Stay connected while you are away",
}

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


def page(form: Mapping[str, str], member: str) -> str:
    """Asks `member` to allow what the checked authorization request `form` wants; posts back with `decision`."""
    items = "".join(f"<li>{escape(MEANING[scope])}</li>" for scope in form["scope"].split())
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in form.items()
    )
    content = (
        f"<h1>{escape(form['client_id'])} would like to read your data</h1>"
        f"<small>Signed in as {escape(member)}. A simulated account on this computer: no real person, no real data."
        f'</small><ul>{items}</ul><form method="post" action="/oauth/oauth2/auth">{hidden}'
        '<button name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button></form>'
    )
    return _PAGE.format(title="WHOOP sandbox: allow access?", content=content)


def refusal(reason: str) -> str:
    """What the member sees when the request is not even fit to be sent back to the client."""
    return _PAGE.format(title="WHOOP sandbox", content=f"<h1>This request cannot be served</h1><p>{escape(reason)}</p>")
