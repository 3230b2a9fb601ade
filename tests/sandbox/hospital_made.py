"""A simulated hospital on a loopback port with a fixed date, and a client that is signed in to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from hde.sandbox import fhir

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
AS_JSON = {"Accept": "application/fhir+json"}

Json = dict[str, Any]


class Hospital:
    """A signed-in client of one hospital; paths are below its FHIR base."""

    def __init__(self, sandbox: fhir.Sandbox, client: httpx.Client) -> None:
        self.sandbox, self.client = sandbox, client
        self.bearer = {"Authorization": f"Bearer {sandbox.sign_in()['access_token']}"}

    def get(self, path: str, headers: Json | None = None, **params: Any) -> httpx.Response:
        url = path if path.startswith("http") else f"{self.sandbox.base_url}/{path}"
        return self.client.get(url, params=params or None, headers={**self.bearer, **AS_JSON, **(headers or {})})

    def of_patient(self, kind: str, **params: Any) -> httpx.Response:
        return self.get(kind, patient=self.sandbox.patient, **params)

    def pages(self, kind: str, **params: Any) -> Iterator[Json]:
        answer = self.of_patient(kind, **params)
        while True:
            bundle = answer.raise_for_status().json()
            yield bundle
            following = next_of(bundle)
            if following is None:
                return
            answer = self.get(following)

    def all(self, kind: str, **params: Any) -> list[Json]:
        return [one for bundle in self.pages(kind, **params) for one in matches(bundle)]


def next_of(bundle: Json) -> str | None:
    return next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)


def matches(bundle: Json) -> list[Json]:
    return [entry["resource"] for entry in bundle.get("entry", []) if entry["search"]["mode"] == "match"]


def ids(resources: list[Json]) -> list[str]:
    return [one["id"] for one in resources]


@contextmanager
def hospital(**settings: Any) -> Iterator[Hospital]:
    with fhir.serve(**{"now": NOW, "token_seconds": 10**8, **settings}) as sandbox, httpx.Client() as client:
        yield Hospital(sandbox, client)
