"""Names in a connector's templates: each must be in scope where it stands, and what a request declares it must name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from hde.check.elements import each_fault
from hde.check.place import complain, in_resource
from hde.spec.connector import Connector, Cursor, Offset, PageNumber, Request, Resource
from hde.spec.export import Export
from hde.spec.problem import KeyPath, Problem, did_you_mean
from hde.spec.request import Errand
from hde.spec.sign_in import Basic, OAuth2Client, OAuth2Code, Revocation, SessionLogin, TokenRequest
from hde.spec.template import Template, TemplateError, Tree
from hde.spec.yaml_file import YamlFile

PAGE_NAMES = {"cursor": ("cursor",), "page": ("number", "size"), "offset": ("offset", "size")}
"""What each kind of pagination gives; kinds that are not here go to a URL as it stands and give nothing."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Spot:
    """A template and where it stands: in a URL or not, in a resource or not, before or after sign-in."""

    trail: KeyPath
    template: Template
    in_url: bool = False
    resource: Resource | None = None
    in_request: bool = False
    in_receipt: bool = False
    in_export: Export | None = None
    is_order: bool = False
    """In the request that orders an export, before anything of it is known."""
    signed_in: bool = False


def spots(connector: Connector, file: YamlFile) -> Iterator[Spot]:
    """Every template of a connector."""
    http = connector.http
    yield Spot(("http", "base_url"), http.base_url, in_url=True)
    for spot in (*_tree(http.params, ("http", "params"), in_url=True), *_tree(http.headers, ("http", "headers"))):
        yield replace(spot, signed_in=True)
    for index, limit in enumerate(http.rate_limits):
        yield Spot(("http", "rate_limits", index, "requests"), limit.requests)
    yield from _auth(connector)
    if connector.account and connector.account.request:
        yield from _request(connector.account.request, ("account",))
    if connector.account and connector.account.value:
        yield Spot(("account", "value"), connector.account.value)
    if connector.tenants:
        yield Spot(("tenants", "url"), connector.tenants.url, in_url=True)
    if connector.files:
        yield Spot(("files", "folder"), connector.files.folder, signed_in=True)
    for export in connector.exports.values():
        for spot in _of_export(export):
            yield replace(spot, trail=("exports", export.name, *spot.trail), in_export=export, signed_in=True)
    for resource in connector.resources.values():
        for spot in _of_resource(resource):
            yield replace(spot, trail=in_resource(file, resource.name, *spot.trail), resource=resource, signed_in=True)


def names_problems(connector: Connector, file: YamlFile) -> Iterator[Problem]:
    """What is wrong with names in templates: out of scope, unknown, never used, or a secret where it is seen."""
    used: set[str] = set()
    wrong = False
    for spot in spots(connector, file):
        for name in sorted(spot.template.names):
            used.add(name[1] if name[0] == "settings" and len(name) > 1 else "")
            if message := _fault(name, spot, connector):
                wrong = True
                yield complain(file, spot.trail, message)
            elif spot.in_url and name[0] == "settings" and connector.settings[name[1]].secret:
                message = f"{'.'.join(name)} is a secret, and URLs end up in logs: if the source takes it in a header, "
                yield complain(file, spot.trail, message + "put it there", "warning")
        yield from _open_line(spot, connector, file)
    for setting in connector.settings:
        if setting not in used and not wrong:  # a wrong name may have meant it
            yield complain(file, ("settings", setting), f"nothing uses settings.{setting}", "warning")
    for resource in connector.resources.values():
        yield from _never_named(resource, file)
    for export in connector.exports.values():
        if export.bookmark and not any(name[:1] == ("bookmark",) for name in export.request.names):
            message = "the request never names bookmark: every export would bring everything"
            yield complain(file, ("exports", export.name, "bookmark"), message)


def _auth(connector: Connector) -> Iterator[Spot]:
    match connector.auth:
        case Basic(username=username, password=password):
            yield Spot(("auth", "username"), username)
            yield Spot(("auth", "password"), password)
        case OAuth2Code() as auth:
            yield from _oauth2(auth)
            yield from _url(auth.authorize.url, ("auth", "authorize", "url"))
            yield Spot(("auth", "authorize", "redirect_uri"), auth.authorize.redirect_uri)
            yield from (Spot(("auth", "authorize", "scopes", at), one) for at, one in enumerate(auth.authorize.scopes))
            yield from _tree(auth.authorize.params, ("auth", "authorize", "params"), in_url=True)
            yield from _token_request(auth.refresh, ("auth", "refresh"))
            # Registering comes before asking who that is; where the token says so, it is known by then.
            asks = connector.account is not None and connector.account.request is not None
            yield from _errand(auth.after_consent, ("auth", "after_consent"), signed_in=not asks)
        case OAuth2Client() as auth:
            yield from _oauth2(auth)
            yield from (Spot(("auth", "scopes", at), one) for at, one in enumerate(auth.scopes))
        case SessionLogin() as auth:
            yield from _request(auth.login.request, ("auth", "login"))
            yield from _errand(auth.revoke, ("auth", "revoke"), signed_in=True)


def _oauth2(auth: OAuth2Code | OAuth2Client) -> Iterator[Spot]:
    for part in ("id", "secret", "key", "kid", "audience"):
        template = getattr(auth.client, part)
        if template is not None:
            yield Spot(("auth", "client", part), template)
    yield from _token_request(auth.token, ("auth", "token"))
    yield from _url(auth.discovery, ("auth", "discovery"))
    for index, one in enumerate(auth.origins):
        yield Spot(("auth", "origins", index), one, in_url=True)
    if isinstance(auth.revoke, Revocation):
        yield from _url(auth.revoke.url, ("auth", "revoke", "url"))
        yield from _tree(auth.revoke.params, ("auth", "revoke", "params"))
    else:
        yield from _errand(auth.revoke, ("auth", "revoke"), signed_in=True)


def _token_request(request: TokenRequest, trail: KeyPath) -> Iterator[Spot]:
    yield from _url(request.url, (*trail, "url"))
    yield from _tree(request.params, (*trail, "params"), in_url=request.method == "GET")


def _errand(errand: Errand | None, trail: KeyPath, *, signed_in: bool) -> Iterator[Spot]:
    for spot in _request(errand.request, trail) if errand else ():
        yield replace(spot, signed_in=signed_in)


def _url(template: Template | None, trail: KeyPath) -> Iterator[Spot]:
    if template is not None:
        yield Spot(trail, template, in_url=True)


def _request(request: Request, trail: KeyPath) -> Iterator[Spot]:
    yield Spot((*trail, "path"), request.path, in_url=True)
    yield from _tree(request.params, (*trail, "params"), in_url=True)
    yield from _tree(request.headers, (*trail, "headers"))
    yield from _tree(request.json, (*trail, "json"))
    yield from _tree(request.form or {}, (*trail, "form"))


def _of_export(export: Export) -> Iterator[Spot]:
    for spot in _request(export.request, ()):
        yield replace(spot, is_order=True)
    for key, errand in (("status", export.status), ("result", export.result), ("discard", export.discard)):
        if errand is not None:
            yield from _request(errand.request, (key,))
    for index, one in enumerate(export.origins):
        yield Spot(("origins", index), one, in_url=True)


def _of_resource(resource: Resource) -> Iterator[Spot]:
    for spot in _request(resource.request, ()):
        yield replace(spot, in_request=True)
    if resource.when_stored:
        for spot in _request(resource.when_stored.request, ("when_stored",)):
            yield replace(spot, in_receipt=True)
    if resource.window and resource.window.from_:
        yield Spot(("window", "from"), resource.window.from_)


def _tree(tree: Tree, trail: KeyPath, *, in_url: bool = False) -> Iterator[Spot]:
    match tree:
        case Template():
            yield Spot(trail, tree, in_url)
        case tuple():
            for index, item in enumerate(tree):
                yield from _tree(item, (*trail, index), in_url=in_url)
        case dict():
            for key, item in tree.items():
                yield from _tree(item, (*trail, key), in_url=in_url)


def _fault(name: tuple[str, ...], spot: Spot, connector: Connector) -> str | None:
    """What is wrong with one name where it stands, in words for the author; None where nothing is."""
    root, field = name[0], ".".join(name[1:])
    match root:
        case "settings":
            known = list(connector.settings)
            return None if name[1:2] and name[1] in known else _unknown(root, field, known)
        case "account" if spot.trail[:2] == ("auth", "after_consent") and not spot.signed_in:
            return "the account is not known yet: it has a path, and is asked for after this request"
        case "account" if not spot.signed_in:
            return "account is known after sign-in only: in a resource's request, http.headers and window.from"
        case "account" if connector.account is None:
            return f"{root}.{field} needs an `account` in this connector: it says whose data this is"
        case "account" if connector.account:
            known = ["id", *connector.account.keep]
            return None if field in known else _unknown(root, field, known)
        case "export" if spot.in_export and spot.trail[-2:-1] != ("origins",):
            if spot.is_order:
                return "nothing of the export is known before it is ordered: export is for status, result and discard"
            return None if field in spot.in_export.keep else _unknown(root, field, list(spot.in_export.keep))
        case "bookmark" if spot.in_export:
            is_there = spot.in_export.bookmark is not None and spot.is_order
            return None if is_there else "bookmark is for the request that orders an export which has a `bookmark`"
        case "record" if spot.in_receipt:
            return None
        case "window" | "page" | "each" | "bookmark" if not spot.in_request or spot.resource is None:
            return f"{root} is known in a resource's request only"
        case "each" if spot.resource:
            return each_fault(field, spot.resource)
        case "bookmark" if spot.resource:
            return None if spot.resource.bookmark else f"bookmark needs a `bookmark`, and {spot.resource.name} has none"
        case "window" if spot.resource:
            if spot.resource.window is None:
                return f"{'.'.join(name)} needs a `window`, and {spot.resource.name} has none"
            return None if field in ("start", "end") else _unknown(root, field, ["start", "end"])
        case "page" if spot.resource:
            return _page_fault(field, spot.resource)
        case _:
            return _no_name(root, spot, connector)


def _page_fault(field: str, resource: Resource) -> str | None:
    pagination = resource.pagination
    if pagination is None:
        return f"page.{field} needs a `pagination`, and {resource.name} has none"
    known = PAGE_NAMES.get(pagination.kind, ())
    if not known:
        return f"pagination of kind {pagination.kind} goes to the next URL as it stands and gives no page.{field}"
    if field == "size" and field in known and isinstance(pagination, PageNumber | Offset) and pagination.size is None:
        return "page.size needs a `size` in the pagination"
    if field in known:
        return None
    gives = " and ".join(f"page.{word}" for word in known)
    return f"pagination of kind {pagination.kind} gives {gives}, not page.{field}"


def _unknown(root: str, field: str, known: list[str]) -> str:
    names = [f"{root}.{word}" for word in known]
    if not field:
        return f"{root} alone is not a value; {root}.NAME is ({', '.join(names)})"
    hint = "" if root == "window" else did_you_mean(f"{root}.{field}", names)
    return f"{root}.{field} does not exist.{hint or ' ' + _there_is(names)}"


def _there_is(names: list[str]) -> str:
    return f"There is {', '.join(names)}" if names else "There is none here"


def _no_name(root: str, spot: Spot, connector: Connector) -> str:
    if root in ("token", "tokens", "access_token", "auth"):
        return f"{root} is not within reach of templates: the engine adds the Authorization header itself"
    if root in ("env", "environ", "config", "secrets", "credentials", "vars"):
        return f"{root} is not a name here: what a person provides is declared in `settings` and called settings.NAME"
    known = ["settings"]
    if spot.signed_in and connector.account:
        known.append("account")
    if spot.in_export:
        known += ([] if spot.in_export.bookmark is None else ["bookmark"]) if spot.is_order else ["export"]
    if spot.in_receipt:
        known.append("record")
    if spot.in_request and spot.resource:
        known += [name for name in ("each",) if spot.resource.for_each]
        known += [name for name in ("bookmark",) if spot.resource.bookmark]
        known += [name for name in ("window",) if spot.resource.window]
        known += [name for name in ("page",) if spot.resource.pagination]
    return f"{root} is not a name here.{did_you_mean(root, known) or ' ' + _there_is(known)}"


def _never_named(resource: Resource, file: YamlFile) -> Iterator[Problem]:
    """A window, a page or an element that the request never shows would never reach the source."""
    named = {name[:2] for spot in _of_resource(resource) if spot.in_request for name in spot.template.names}
    roots = {name[0] for name in named}
    if resource.for_each and "each" not in roots:
        message = "the request never names each: every element would bring the same"
        yield complain(file, in_resource(file, resource.name, "for_each"), message)
    if resource.bookmark and "bookmark" not in roots:
        message = "the request never names bookmark: every pass would bring everything"
        yield complain(file, in_resource(file, resource.name, "bookmark"), message)
    if resource.window and ("window", "start") not in named and resource.window.order is None:
        place = in_resource(file, resource.name, "window")
        what = "only window.end" if ("window", "end") in named else "neither window.start nor window.end"
        yield complain(file, place, f"the request names {what}: every window would bring the same")
    match resource.pagination:
        case Cursor():
            needed = "cursor"
        case PageNumber():
            needed = "number"
        case Offset():
            needed = "offset"
        case _:
            return
    if ("page", needed) not in named:
        place = in_resource(file, resource.name, "pagination")
        message = f"the request never names page.{needed}: every page would be the first"
        yield complain(file, place, message)


def _open_line(spot: Spot, connector: Connector, file: YamlFile) -> Iterator[Problem]:
    """A URL over plain http, defaults of settings filled in: tokens and records would be readable on the way."""
    defaults = {name: setting.default for name, setting in connector.settings.items()}
    if not spot.in_url or "params" in spot.trail or any(name[0] != "settings" for name in spot.template.names):
        return
    try:
        url = urlsplit(spot.template.render({"settings": defaults}))
    except (TemplateError, ValueError, TypeError):
        return
    if url.scheme == "http" and url.hostname not in LOOPBACK:
        message = f"http://{url.hostname} is not encrypted: whoever is on the way reads tokens and records. Use https"
        yield complain(file, spot.trail, message, "warning")
