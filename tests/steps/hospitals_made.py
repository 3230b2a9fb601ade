"""A simulated hospital whose patient has signed in as people do, and what a database holds of it."""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from run_made import Outcome, ask, call

from hde.sandbox import fhir
from hde.sandbox.provider import free_port

NOW = datetime(2025, 9, 20, tzinfo=UTC)
"""Hours after a visit: its results are preliminary; of them one will be corrected and one withdrawn."""
RESOURCES = {
    "patients": "Patient", "observations": "Observation", "diagnostic_reports": "DiagnosticReport",
    "encounters": "Encounter", "conditions": "Condition", "medication_requests": "MedicationRequest",
    "medications": "Medication", "allergy_intolerances": "AllergyIntolerance", "immunizations": "Immunization",
    "procedures": "Procedure", "document_references": "DocumentReference",
}  # fmt: skip
"""Of the connectors, and what they are called at a hospital."""
SIGNS_IN = ("plain", "epic", "oracle")
NOT_THERE = {"epic": {"procedures"}, "oracle": {"immunizations", "medications"}}
"""What a hospital does not grant, or does not need: where the request names the drug, nothing refers to it."""
KEY = ec.generate_private_key(ec.SECP384R1())


@contextmanager
def hospital(patch: pytest.MonkeyPatch, connector: str = "fhir", **settings: Any) -> Iterator[fhir.Sandbox]:
    """Running, with a connector pointed to it and nobody signed in; whatever fails is tried again at once."""
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    given = {"days": 500, "now": NOW, "auto_consent": True, "public_keys": [public], **settings}
    with fhir.serve(**given) as sandbox:
        prefix = connector.upper().replace("-", "_")
        for name, value in _settings(connector, sandbox).items():
            patch.setenv(f"{prefix}_{name}", value)
        patch.setenv("HDE_PATIENCE", "0.001")
        patch.setattr(webbrowser, "open", _follow)
        yield sandbox


def _settings(connector: str, sandbox: fhir.Sandbox) -> dict[str, str]:
    base = {"BASE_URL": sandbox.base_url}
    match connector:
        case "fhir-open":
            return {**base, "PATIENT": sandbox.patient}
        case "fhir-backend" | "fhir-bulk":
            pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
            signs = {"CLIENT_ID": fhir.KEY_ID, "PRIVATE_KEY": pem}
            return {**base, **signs, "PATIENT": sandbox.patient, "GROUP": "one-of-one"}
    callback = f"http://127.0.0.1:{free_port()}/callback"
    return {**base, "CLIENT_ID": fhir.CLIENT_ID, "CLIENT_SECRET": fhir.CLIENT_SECRET, "REDIRECT_URI": callback}


def _follow(url: str) -> bool:
    """Stands in for the person's browser."""
    options = {"follow_redirects": True, "timeout": 10.0}
    threading.Thread(target=httpx.get, args=(url,), kwargs=options, daemon=True).start()
    return True


def sign_in(connector: str = "fhir") -> None:
    found = call("auth", connector)
    assert found.code == 0, found.said


def run(connector: str = "fhir") -> Outcome:
    """With its numbers in `of(resource)`."""
    return call("run", connector, "--json")


def stored(url: str, resource: str, connector: str = "fhir") -> dict[str, Any]:
    """By id what a raw table holds."""
    return dict(ask(url, f"SELECT payload->>'id', payload FROM {connector.replace('-', '_')}_raw.{resource}"))


def served(sandbox: fhir.Sandbox, resource: str) -> dict[str, Any]:
    """By id what the hospital has."""
    return {one.id: one.body for one in sandbox.resources(RESOURCES[resource])}
