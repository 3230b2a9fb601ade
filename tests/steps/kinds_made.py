"""A connector for each way to sign in, and a provider that repeats whatever credential it is given."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey
from loopback_made import Reply, Seen, Source

PASSWORD = "s3cret/word=="
"""With characters that look different in an address."""
GIVEN = "giv/en+"
PRIVATE = ECKey.generate_key("P-384", private=True)
RECORDS = [{"id": 4000 + number, "at": f"2026-01-0{number}T06:00:00Z", "bpm": 50 + number} for number in range(1, 5)]


@dataclass(frozen=True)
class Kind:
    """What the connector says of it, and where its requests carry the credential."""

    auth: str = ""
    http: str = ""
    sent: str = ""
    """`header NAME`, `param NAME` or `cookie NAME`."""
    prefix: str = ""
    is_given: bool = True
    """Whether the credential is a token that the provider gave."""


_SESSION = """\
auth:
  kind: session
  login: {method: POST, path: /login, form: {user: "{{ settings.id }}", word: "{{ settings.secret }}"}}
"""
_TOKEN = '  token: {url: "{{ settings.url }}/token"}\n'
_CLIENT = 'auth:\n  kind: oauth2_client\n  client: {id: "{{ settings.id }}", secret: "{{ settings.secret }}"SEND}\n'
BEARER = {"sent": "header authorization", "prefix": "Bearer "}

KINDS: dict[str, Kind] = {
    "key in a header": Kind(http='headers: {X-Key: "{{ settings.secret }}"}', sent="header x-key", is_given=False),
    "key in a parameter": Kind(http='params: {key: "{{ settings.secret }}"}', sent="param key", is_given=False),
    "key in a cookie": Kind(
        http='headers: {Cookie: "key={{ settings.secret }}"}', sent="cookie key", is_given=False
    ),
    "basic": Kind(
        'auth: {kind: basic, username: "{{ settings.id }}", password: "{{ settings.secret }}"}\n',
        sent="header authorization", prefix="Basic ", is_given=False,
    ),
    "client credentials": Kind(_CLIENT.replace("SEND", "") + _TOKEN, **BEARER),
    "client credentials as basic": Kind(_CLIENT.replace("SEND", ", send: basic") + _TOKEN, **BEARER),
    "a key that signs": Kind(
        'auth:\n  kind: oauth2_client\n  client: {id: "{{ settings.id }}", key: "{{ settings.key }}", alg: ES384}\n'
        + _TOKEN,
        **BEARER,
    ),
    "code": Kind(
        'auth:\n  kind: oauth2_code\n  client: {id: "{{ settings.id }}", secret: "{{ settings.secret }}"}\n'
        '  authorize: {url: "{{ settings.url }}/authorize", redirect_uri: "{{ settings.redirect }}"}\n' + _TOKEN,
        **BEARER,
    ),
    "session in a header": Kind(
        _SESSION + '  token: token\n  send: {header: X-Session, prefix: "Token "}\n', sent="header x-session",
        prefix="Token ",
    ),
    "session in a parameter": Kind(_SESSION + "  token: token\n  send: {param: sid}\n", sent="param sid"),
    "session in a cookie": Kind(_SESSION + "  token: {cookie: sid}\n  send: {cookie: sid}\n", sent="cookie sid"),
}  # fmt: skip

CONNECTOR = """\
name: made
title: Made
settings:
  url: {{}}
{settings}
http:
  base_url: "{{{{ settings.url }}}}"
  {http}
{auth}account: {{path: /me, id: id}}
resources:
  beats:
    path: /beats
    params: {{limit: 2}}
    records: beats
    key: [id]
    pagination: {{kind: url, next: links.next}}
    columns: {{id: bigint, at: timestamptz, bpm: float}}
  linked:
    path: /linked
    records: beats
    key: [id]
    pagination: {{kind: link_header}}
    columns: {{id: bigint, bpm: float}}
"""
MAPPING = """\
from: beats
columns: {start_time: at, state: {const: final}}
to: {biometrics_vitals: {rows: {heart_rate: {value: {path: bpm, unit: /min}}}}}
ignore: {id: the key}
"""


SETTINGS = {
    "id": "{default: us}",
    "secret": "{secret: true}",
    "key": "{secret: true}",
    "redirect": '{default: "http://localhost:1/cb"}',
}


def write_kind(folder: Path, kind: Kind) -> None:
    """The connector, with the settings it needs, and its mapping."""
    used = [f"  {name}: {said}" for name, said in SETTINGS.items() if f"settings.{name} " in kind.auth + kind.http]
    for name, text in {
        "connectors/made.yaml": CONNECTOR.format(auth=kind.auth, http=kind.http, settings="\n".join(used)),
        "mappings/made/beats.yaml": MAPPING,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


class Provider:
    """Answers two records a page to who carries the credential, and repeats it in links, bodies and headers."""

    def __init__(self, source: Source, kind: Kind) -> None:
        self.kind = kind
        self.count = 0
        source.answer = self.answer
        self.url = source.url

    @property
    def credential(self) -> str:
        if self.kind.prefix == "Basic ":
            return base64.b64encode(f"us:{PASSWORD}".encode()).decode()
        return f"{GIVEN}{self.count}" if self.kind.is_given else PASSWORD

    @property
    def secrets(self) -> set[str]:
        """What must be nowhere, as it is and as it stands in addresses."""
        found = {PASSWORD, self.credential, GIVEN}
        return found | {quote(one) for one in found} | {quote(one, safe="") for one in found}

    def answer(self, seen: Seen) -> Reply:
        match seen.path:
            case "/authorize":
                back = urlencode({"code": "c0de", "state": seen.query["state"]})
                return Reply(status=302, headers={"Location": f"{seen.query['redirect_uri']}?{back}"})
            case "/token" | "/login":
                return self._given(seen)
        if not self._is_known(seen):
            return Reply({"error": f"{self.credential} is not you"}, status=401)
        if seen.path == "/me":
            return Reply({"id": "ada", "token": self.credential})
        return self._page(seen)

    def _page(self, seen: Seen) -> Reply:
        at = int(seen.query.get("from", "0"))
        where, _, name = self.kind.sent.partition(" ")
        carried = {name: self.credential} if where == "param" else {}
        link = f"{self.url}{seen.path}?{urlencode({'from': at + 2, **carried})}"
        body: dict[str, Any] = {"beats": RECORDS[at : at + 2], "you": self.credential, "links": {}}
        headers = {"X-Page-Of": self.credential}
        if at + 2 < len(RECORDS):
            body["links"] = {"next": link}
            headers["Link"] = f'<{link}>; rel="next"'
        return Reply(body, headers=headers)

    def _given(self, seen: Seen) -> Reply:
        form = seen.form
        if assertion := form.get("client_assertion"):
            claims = jwt.decode(assertion, PRIVATE, algorithms=["ES384"]).claims
            is_known = claims["iss"] == "us" and claims["exp"] > time.time()
        else:
            basic = base64.b64encode(f"us:{quote(PASSWORD, safe='')}".encode()).decode()
            is_known = PASSWORD in (form.get("client_secret"), form.get("word"))
            is_known = is_known or seen.headers.get("authorization") == f"Basic {basic}"
        if not is_known:
            return Reply({"error": "invalid_client"}, status=401)
        self.count += 1
        given = self.credential
        refresh = {"refresh_token": f"{GIVEN}again"} if "code" in form or "refresh_token" in form else {}
        return Reply(
            {"access_token": given, "token": given, **refresh}, headers={"Set-Cookie": f"sid={given}; Path=/; HttpOnly"}
        )

    def _is_known(self, seen: Seen) -> bool:
        where, _, name = self.kind.sent.partition(" ")
        wanted = self.kind.prefix + self.credential
        match where:
            case "header":
                return seen.headers.get(name) == wanted
            case "param":
                return seen.query.get(name) == wanted
        return seen.headers.get("cookie") == f"{name}={wanted}"
