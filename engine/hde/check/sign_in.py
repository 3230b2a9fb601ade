"""What a connector's sign-in says that cannot work, or that gives a secret away."""

from __future__ import annotations

from collections.abc import Iterator

from hde.check.place import complain
from hde.spec.connector import Connector
from hde.spec.problem import KeyPath, Problem, with_hint
from hde.spec.request import Errand
from hde.spec.sign_in import Auth, Basic, OAuth2Client, OAuth2Code, SessionLogin
from hde.spec.template import Template
from hde.spec.yaml_file import YamlFile


def sign_in_problems(connector: Connector, file: YamlFile) -> Iterator[Problem]:
    """What is wrong with `auth`, and with an `account` that reads an answer which never comes."""
    yield from _account(connector, file)
    yield from _tenants(connector, file)
    if connector.auth is None:
        return
    for trail, template in _secrets(connector.auth):
        yield from _secret(trail, template, connector, file)
    for trail, errand in _errands(connector.auth):
        for index, rule in enumerate(errand.errors):
            if rule.do == "restart":
                message = "'restart' begins a window anew, and there is none here: take retry, empty or fail"
                yield complain(file, (*trail, "errors", index, "do"), message)
    yield from _sent_nowhere(connector.auth, file)


def _account(connector: Connector, file: YamlFile) -> Iterator[Problem]:
    account = connector.account
    if account is None or account.request is not None or connector.has_tokens or account.id is None:
        return
    why = "kind basic has none" if connector.auth else "nobody signs in here"
    yield complain(file, ("account", "id"), f"without a path it is read from the token answer, and {why}: add a path")


def _tenants(connector: Connector, file: YamlFile) -> Iterator[Problem]:
    for name in connector.tenants.settings if connector.tenants else ():
        if name not in connector.settings:
            message = with_hint(f"{name} is not a setting of {connector.name}", name, connector.settings)
            yield complain(file, ("tenants", "settings", name), message, about_key=True)
    if connector.tenants and not connector.has_tokens:
        message = "a place is chosen when somebody signs in, and nobody does here: take it out, or add `auth`"
        yield complain(file, ("tenants",), message)


def _secrets(auth: Auth) -> Iterator[tuple[KeyPath, Template | None]]:
    match auth:
        case Basic(password=password):
            # where the name is all that counts (a key in its place), the password is an empty text
            yield (("auth", "password"), password) if password.text else (("auth", "username"), auth.username)
        case OAuth2Code(client=client) | OAuth2Client(client=client):
            yield ("auth", "client", "secret"), client.secret
            yield ("auth", "client", "key"), client.key


def _secret(trail: KeyPath, template: Template | None, connector: Connector, file: YamlFile) -> Iterator[Problem]:
    if template is None:
        return
    settings = [name[1] for name in template.names if name[0] == "settings" and name[1:2]]
    if not template.names:
        message = "a secret that stands in a connector is none: take it from a setting"
        yield complain(file, trail, message, "warning")
    for name in sorted(settings):
        if name in connector.settings and not connector.settings[name].secret:
            message = f"settings.{name} is a secret here; say so, and it is never shown: {name}: {{secret: true}}"
            yield complain(file, trail, message, "warning")


def _errands(auth: Auth) -> Iterator[tuple[KeyPath, Errand]]:
    for name in ("after_consent", "revoke"):
        errand = getattr(auth, name, None)
        if isinstance(errand, Errand):
            yield ("auth", name), errand


def _sent_nowhere(auth: Auth, file: YamlFile) -> Iterator[Problem]:
    """How a body is written, where there is none."""
    if isinstance(auth, Basic | SessionLogin):
        return
    requests = {"token": auth.token, **({"refresh": auth.refresh} if isinstance(auth, OAuth2Code) else {})}
    for name, request in requests.items():
        if request.send is not None and (request.method or auth.token.method) == "GET":
            yield complain(file, ("auth", name, "send"), "a GET has no body: its parameters stand in the query")
