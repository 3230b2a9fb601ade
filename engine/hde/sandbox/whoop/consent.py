"""The words with which the member allows or denies access."""

from __future__ import annotations

from collections.abc import Mapping

from hde.sandbox import markup

MEANING = {
    "read:recovery": "Recovery: score, heart rate variability, resting heart rate",
    "read:cycles": "Cycles: day strain, energy and heart rate",
    "read:workout": "Workouts: sport, strain, heart rate zones, distance",
    "read:sleep": "Sleep: stages, need, performance",
    "read:profile": "Profile: name and e-mail address",
    "read:body_measurement": "Body: height, weight, maximum heart rate",
    "offline": "Stay connected while you are away",
}


def page(form: Mapping[str, str], member: str) -> str:
    """Asks `member` to allow what the checked authorization request `form` wants; posts back with `decision`."""
    return markup.question(
        "WHOOP sandbox: allow access?",
        who=member,
        client=form["client_id"],
        wishes=[MEANING[scope] for scope in form["scope"].split()],
        form=form,
        action="/oauth/oauth2/auth",
    )


def refusal(reason: str) -> str:
    """What the member sees when the request is not even fit to be sent back to the client."""
    return markup.refusal("WHOOP sandbox", reason)
