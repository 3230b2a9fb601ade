"""Simulated providers for the demo and for tests, by name. Each is written from its provider's API documents, never
from our connector for it, so that the two can disagree."""

from __future__ import annotations

from hde.sandbox.fhir.demo import PROVIDER as FHIR
from hde.sandbox.provider import Demo, Provider, Sandbox
from hde.sandbox.whoop.demo import PROVIDER as WHOOP

__all__ = ["Demo", "Provider", "Sandbox", "providers"]


def providers() -> dict[str, Provider]:
    """By name; the first is the one a demo shows where none is named."""
    return {"whoop": WHOOP, "fhir": FHIR}
