"""The security schemes of an OpenAPI document as parts of a connector."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from hde.author.document import Document
from hde.author.part import Part, look
from hde.author.signin import SignIn, signin_part


def security_part(document: Document, base_url: str) -> tuple[Part, list[str]]:
    """How requests are signed, by the first scheme that can be said; and remarks on what could not."""
    remarks: list[str] = []
    for name, scheme in _schemes(document):
        part = _part(document, name, scheme, base_url)
        if part is not None:
            return part, []
        remarks.append(f"the security scheme {name!r} ({_kind(scheme)}) was not drafted: see docs/reference.md, `auth`")
    return Part(), remarks


def _schemes(document: Document) -> list[tuple[str, dict[str, Any]]]:
    """Those the document asks for first, in its order."""
    found = document.at("components", "securitySchemes")
    schemes = {name: document.resolved(one) for name, one in found.items()} if isinstance(found, dict) else {}
    asked = document.data.get("security")
    first = [name for one in (asked if isinstance(asked, list) else ()) if isinstance(one, dict) for name in one]
    return [(name, schemes[name]) for name in dict.fromkeys((*first, *schemes)) if name in schemes]


def _part(document: Document, name: str, scheme: dict[str, Any], base_url: str) -> Part | None:
    where, key = str(scheme.get("in", "")), str(scheme.get("name", ""))
    match scheme.get("type"), str(scheme.get("scheme", "")).lower():
        case "apiKey", _ if where == "header" and key:
            return signin_part(SignIn("key-header", key), base_url)
        case "apiKey", _ if where == "query" and key:
            return signin_part(SignIn("key-query", key), base_url)
        case "apiKey", _ if where == "cookie" and key:
            return signin_part(SignIn("key-header", "Cookie", f"{key}="), base_url)
        case "http", "bearer":
            return signin_part(SignIn("key-header", "Authorization"), base_url)
        case "http", "basic":
            return signin_part(SignIn("basic"), base_url)
        case "oauth2", _:
            return _oauth2(document, scheme, base_url)
        case "openIdConnect", _ if str(scheme.get("openIdConnectUrl", "")).startswith("http"):
            return signin_part(SignIn("oauth2_code", discovery=str(scheme["openIdConnectUrl"])), base_url)
        case _:
            return None


def _oauth2(document: Document, scheme: dict[str, Any], base_url: str) -> Part | None:
    flows = document.resolved(scheme.get("flows"))
    code = document.resolved(flows.get("authorizationCode"))
    flow = code or document.resolved(flows.get("clientCredentials"))
    if not flow:
        return None
    authorize, token, refresh = (
        urljoin(f"{base_url}/", str(flow[name])) if flow.get(name) else None
        for name in ("authorizationUrl", "tokenUrl", "refreshUrl")
    )
    scopes = tuple(document.resolved(flow.get("scopes")))
    sign_in = SignIn("oauth2_code" if code else "oauth2_client", None, None, authorize, token, None, scopes)
    part = signin_part(sign_in, base_url)
    if code and refresh and refresh != token:
        part += Part({"auth": {"refresh": {"url": refresh}}})
    where = ("auth", "authorize", "scopes") if code else ("auth", "scopes")
    return part + Part({}, {where: look("all there are; which does it need?")} if scopes else {})


def _kind(scheme: dict[str, Any]) -> str:
    flows = scheme.get("flows")
    more = [str(scheme[name]) for name in ("scheme", "in") if scheme.get(name)]
    return " ".join([str(scheme.get("type")), *more, *(flows if isinstance(flows, dict) else ())])
