"""The simulated hospital in `hde demo`: a patient who consents at once, and what to ask about a chart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hde.sandbox.fhir import MANNERS, serve
from hde.sandbox.provider import Demo, Provider, free_port


@contextmanager
def demo(days: int, seed: int) -> Iterator[Demo]:
    """A hospital with the habits that take most to be read well."""
    with serve(days=days, seed=seed, manners="epic", auto_consent=True) as running:
        settings = {"FHIR_REDIRECT_URI": f"http://localhost:{free_port()}/callback"}
        yield Demo("fhir", running.base_url, {**running.environment, **settings})


PROVIDER = Provider(
    serve=serve,
    demo=demo,
    days=1460,
    whom="a patient",
    questions=(),
    query="SELECT * FROM canonical.labs_latest",
    yours="your hospital's FHIR address and a client id into .env (.env.example)",
    manners=tuple(MANNERS),
)
