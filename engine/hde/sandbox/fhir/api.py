"""Everything below a FHIR server's base: reads, searches and exports, who may have them, and in which words they are
refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime

from hde.sandbox.exchange import HTML, Reply, Request
from hde.sandbox.fhir import described, xml
from hde.sandbox.fhir.bulk import Source
from hde.sandbox.fhir.bundles import outcome
from hde.sandbox.fhir.chart import Resource
from hde.sandbox.fhir.oauth import Grant
from hde.sandbox.fhir.record import Json
from hde.sandbox.fhir.scopes import allows
from hde.sandbox.fhir.search import PARAMETERS, Pairs, Refused, search
from hde.sandbox.fhir.world import World

JSON = "application/fhir+json;charset=utf-8"
NOT_FOUND = b"<!DOCTYPE html><html><head><title>404</title></head><body><h2>404 - not found</h2></body></html>"
_EXPORT = re.compile(r"(?:Patient/|Group/[^/]+/)?\$export")
_ANYONE = Grant("", ("system/*.rs",), offline=False, patient=None)


def answer(world: World, request: Request) -> Reply:
    """The reply to a request below the base."""
    path = request.path.removeprefix(f"{world.manners.path}/")
    try:
        return _answer(world, request, path)
    except Refused as refused:
        headers = {"Retry-After": str(world.bulk.wait)} if refused.status == 429 else {}
        severity = "fatal" if refused.local else "error"
        said = outcome(severity, refused.code, refused.text, refused.local)
        return _resource(world, request, said, refused.status)._replace(headers=headers)


def _answer(world: World, request: Request, path: str) -> Reply:
    if path == "metadata":
        date = world.clock.date().date().isoformat()
        return _resource(world, request, described.capability_statement(world.origin, world.manners, date))
    grant = world.oauth.bearer(request.authorization) if world.manners.signs_in else _ANYONE
    if grant is None:
        return _unknown_token(world, request)
    kind, _, rest = path.partition("/")
    if _EXPORT.fullmatch(path) or kind == "export":
        return _bulk(world, request, grant, path) if world.manners.exports else _nowhere(world, request)
    if kind not in PARAMETERS or "/" in rest:
        return _nowhere(world, request)
    searching = (request.method, rest) in (("GET", ""), ("POST", "_search"))
    if request.method != "GET" and not searching:
        raise Refused(405, "not-supported", "This server is only read.")
    if not allows(grant.scopes, kind, "s" if searching else "r"):
        return _beyond_scope(world, request, kind)
    return _search(world, request, grant, kind) if searching else _read(world, request, kind, rest)


def _read(world: World, request: Request, kind: str, key: str) -> Reply:
    found = world.resources.get(kind, {}).get(key)
    if found is not None:
        return _resource(world, request, found.body)
    if (kind, key) in world.chart.deleted and not world.manners.bare_refusals:
        raise Refused(410, "deleted", "This resource was deleted.")
    raise Refused(404, "not-found", "There is no such resource.")


def _search(world: World, request: Request, grant: Grant, kind: str) -> Reply:
    pairs: Pairs = (*request.pairs, *(request.form or {}).items())
    asked = dict(pairs)
    if "sessionID" in asked and world.manners.paging == "session":
        return _resource(world, request, world.bundles.later(asked["sessionID"], grant.access))
    strict = "handling=strict" in request.headers.get("prefer", "")
    everything = world.resources.get(kind, {}).values()
    found = search(kind, everything, pairs, world.manners, strict)
    along: list[Resource] = []
    if any(name == "_include" and value == "MedicationRequest:medication" for name, value in pairs):
        along = list(world.resources.get("Medication", {}).values())
    return _resource(world, request, world.bundles.first(kind, found, pairs, grant.access, along))


def _bulk(world: World, request: Request, grant: Grant, path: str) -> Reply:
    _, _, rest = path.partition("/")
    if path.startswith("export/"):
        name, _, file = rest.partition("/")
        return world.bulk.file(name, file) if file else world.bulk.status(name, request.method)
    if "respond-async" not in request.headers.get("prefer", ""):
        raise Refused(400, "required", "Ask with Prefer: respond-async.")
    if "json" not in request.headers.get("accept", ""):
        raise Refused(406, "not-supported", "Ask with Accept: application/fhir+json.")
    asked = {**dict(request.pairs), **(request.form or {})}
    wanted = [kind for kind in asked.get("_type", "").split(",") if kind]
    given = [kind for kind in PARAMETERS if allows(grant.scopes, kind, "r")]
    if not given:
        raise Refused(403, "forbidden", "This token may not export.")
    query = "&".join(f"{name}={value}" for name, value in request.pairs)
    source = Source(
        has=lambda kind: kind in given,
        resources=lambda kind: world.resources.get(kind, {}).values(),
        deleted=lambda: _deleted(world),
        needs_token=world.manners.signs_in,
    )
    url = f"{world.origin}{request.path}{'?' if query else ''}{query}"
    since = asked.get("_since", "")
    return world.bulk.kick_off(grant.client, url, wanted or given, since, source, world.manners.one_export)


def _deleted(world: World) -> Iterable[tuple[str, str, datetime]]:
    return ((kind, key, at) for (kind, key), at in world.chart.deleted.items())


def _unknown_token(world: World, request: Request) -> Reply:
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    if world.manners.bare_refusals:
        return Reply(401, b"", JSON, headers)
    said = outcome("error", "login", "A valid access token is needed.")
    return _resource(world, request, said, 401)._replace(headers=headers)


def _beyond_scope(world: World, request: Request, kind: str) -> Reply:
    headers = {"WWW-Authenticate": f'Bearer error="insufficient_scope", error_description="{kind} was not granted"'}
    if world.manners.bare_refusals:
        return Reply(403, b"", JSON, headers)
    said = outcome("error", "forbidden", f"{kind} was not granted to this client.")
    return _resource(world, request, said, 403)._replace(headers=headers)


def _nowhere(world: World, request: Request) -> Reply:
    if world.manners.bare_refusals:
        return Reply(404, NOT_FOUND, HTML)
    raise Refused(404, "not-supported", "This server has no such resource or operation.")


def _resource(world: World, request: Request, body: Json, status: int = 200) -> Reply:
    accept = request.query.get("_format") or request.headers.get("accept", "*/*")
    wants_json = "json" in accept or ("xml" not in accept and not world.manners.xml_by_default)
    if wants_json:
        return Reply(status, json.dumps(body, ensure_ascii=False).encode(), JSON)
    return Reply(status, xml.as_xml(body), xml.KIND)
