"""What a hospital says of itself: the document that SMART clients begin with, and the CapabilityStatement."""

from __future__ import annotations

from hde.sandbox.fhir.manners import Manners
from hde.sandbox.fhir.record import Json
from hde.sandbox.fhir.search import PARAMETERS

AUTHORIZE, TOKEN = "/oauth2/authorize", "/oauth2/token"
_CAPABILITIES = (
    "launch-standalone", "client-public", "client-confidential-symmetric", "client-confidential-asymmetric",
    "context-standalone-patient", "permission-offline", "permission-patient",
)  # fmt: skip


def smart_configuration(origin: str, manners: Manners) -> Json:
    return {
        "authorization_endpoint": f"{origin}{AUTHORIZE}",
        "token_endpoint": f"{origin}{TOKEN}",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "scopes_supported": ["launch/patient", "offline_access", *_scopes(manners)],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "capabilities": [*_CAPABILITIES, *(f"permission-{form}" for form in manners.permissions)],
    }


def _scopes(manners: Manners) -> list[str]:
    suffix = {"v1": "read", "v2": "rs"}
    return [f"patient/*.{suffix[form]}" for form in manners.permissions]


def capability_statement(origin: str, manners: Manners, date: str) -> Json:
    oauth = {
        "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
        "extension": [
            {"url": "authorize", "valueUri": f"{origin}{AUTHORIZE}"},
            {"url": "token", "valueUri": f"{origin}{TOKEN}"},
        ],
    }
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "format": ["json", "xml"],
        "software": {"name": f"simulated hospital ({manners.name})"},
        "implementation": {"description": "No real person", "url": f"{origin}{manners.path}"},
        "rest": [
            {
                "mode": "server",
                **({"security": {"extension": [oauth]}} if manners.signs_in else {}),
                "resource": [_resource(kind) for kind in PARAMETERS],
                **({"operation": [{"name": "export", "definition": "export"}]} if manners.exports else {}),
            }
        ],
    }


def _resource(kind: str) -> Json:
    named = [{"name": name, "type": "string"} for name in PARAMETERS[kind]]
    interactions = [{"code": "read"}, {"code": "search-type"}]
    return {"type": kind, "interaction": interactions, **({"searchParam": named} if named else {})}
