"""A login that begins a session: the request, and the token out of its answer. Stores nothing, prints nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.cookies import CookieError, SimpleCookie

from hde.errors import Refused, Unreachable, Unreadable, WrongUse
from hde.source.endpoints import Settings
from hde.source.grant import Ask, Spent, judge
from hde.source.outgoing import rendered
from hde.source.token_answer import LONGEST, as_object, found, is_token, token
from hde.source.transport import Reply
from hde.spec.connector import Connector
from hde.spec.sign_in import SessionLogin, TokenPlace
from hde.spec.template import Template, Tree
from hde.tokens import Token

NOT_ACCEPTED = (400, 401, 403)


def login_ask(connector: Connector, settings: Settings, auth: SessionLogin) -> Ask:
    scope = {"settings": settings}
    outgoing = rendered(connector.http, connector.http.base_url.render(scope), auth.login.request, scope)
    where = f"{connector.name}: the login"
    return Ask(where, outgoing, partial(_read, connector, auth, where))


def _read(connector: Connector, auth: SessionLogin, where: str, reply: Reply) -> Token:
    try:
        judge(where, reply, auth.login.errors)
    except Spent as error:
        raise _not_accepted(connector, auth, str(error)) from None
    if reply.status in NOT_ACCEPTED:
        raise _not_accepted(connector, auth, f"{where} is answered with {reply.status}")
    if reply.status == 429 or reply.status >= 500:
        raise Unreachable(f"{where} is answered with {reply.status}")
    answer = as_object(reply.body) or {}
    try:
        given = _given(auth.token, answer, reply)
    except Unreadable as error:
        raise Unreadable(f"{where}: {error}") from None
    if given is None and reply.status >= 300:
        raise Refused(f"{where} is answered with {reply.status} and no {_place(auth.token)}", reply.status)
    if given is None:
        raise Unreadable(f"{where}: its answer holds no {_place(auth.token)}")
    return token(given, None, answer, auth.expires, reply)


def _given(place: TokenPlace, answer: object, reply: Reply) -> str | None:
    """The token; None where nothing stands at its place."""
    if place.header is not None:
        value: object = reply.headers.get(place.header)
    elif place.cookie is not None:
        value = _cookie(place.cookie, reply)
    else:
        value = found(answer, place.body or "@")
        value = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if value is None or value == "":
        return None
    if not is_token(value):
        raise Unreadable(f"its {_place(place)} is nothing that could be sent (a text of at most {LONGEST} letters)")
    return str(value)


def _cookie(name: str, reply: Reply) -> str | None:
    given = None
    for line in reply.headers.get_list("set-cookie"):
        try:
            morsel = SimpleCookie(line).get(name)
        except CookieError:
            continue
        given = morsel.coded_value if morsel is not None else given
    return given


def _place(place: TokenPlace) -> str:
    if place.header is not None:
        return f"header {place.header}"
    return f"cookie {place.cookie}" if place.cookie is not None else f"token at {place.body!r}"


def _not_accepted(connector: Connector, auth: SessionLogin, what: str) -> WrongUse:
    request = auth.login.request
    trees = (request.json, request.form, request.params, request.headers)
    names = connector.variables(*(one for tree in trees for one in _templates(tree)))
    return WrongUse(f"{what}: the login is not accepted; check {names or 'auth.login'}")


def _templates(tree: Tree) -> Iterator[Template]:
    match tree:
        case Template():
            yield tree
        case tuple():
            for item in tree:
                yield from _templates(item)
        case dict():
            for item in tree.values():
                yield from _templates(item)
