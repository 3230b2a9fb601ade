"""What a setting may leave empty: one connector for public and confidential clients, with and without origins, scopes
and accounts of their own.
"""

from __future__ import annotations

from typing import Any

import pytest
from grant_made import Grants, first_token, read_connector, settings_for, signed_in
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from source_made import Reply, Seen, resource

from hde.errors import Unreadable
from hde.source.pages import WindowLost, read_pages
from hde.spec.connector import AccountRequest, ErrorRule, NextUrl, Where
from hde.spec.template import compile_template

AUTH = """\
  discovery: "{{ settings.url | trim('/') }}/.well-known/smart-configuration"
  origins: ["{{ settings.user }}"]
  client:
    id: "{{ settings.client_id }}"
    secret: "{{ settings.client_secret }}"
    key: "{{ settings.key }}"
    kid: "{{ settings.user }}"
    send: discovered
"""
ASKS = """\
auth:
  kind: oauth2_code
%s
  authorize:
    redirect_uri: "{{ settings.redirect }}"
    scopes: [openid, "{{ settings.user }}", "{{ settings.password }}"]
account: {id: patient, value: "{{ settings.user }}"}
"""
CODE = ASKS % AUTH.rstrip()
KEYS = {
    "RS384": RSAKey.generate_key(2048, {"kid": "one"}, private=True),
    "ES384": ECKey.generate_key("P-384", {"kid": "one"}, private=True),
}
EMPTY = {"user": "", "key": "", "client_secret": "", "password": "patient/*.rs"}


@pytest.fixture
def grants(source) -> Grants:
    """A provider with a discovery document, `methods` in it."""
    made = Grants(source, beside={"patient": "ada"})
    made.methods = None

    def answer(seen: Seen) -> Any:
        if seen.path.startswith("/.well-known/"):
            document = {"authorization_endpoint": f"{source.url}/authorize", "token_endpoint": f"{source.url}/token"}
            methods = {} if made.methods is None else {"token_endpoint_auth_methods_supported": made.methods}
            return document | methods
        return made.answer(seen)

    source.answer = answer
    return made


@pytest.mark.parametrize(
    ("methods", "secret", "sends_basic"),
    [
        (None, "s3cr:t", True),
        (["client_secret_basic", "client_secret_post"], "s3cr:t", True),
        (["client_secret_post"], "s3cr:t", False),
        (["private_key_jwt"], "s3cr:t", True),
        (["client_secret_basic"], "", False),
    ],
)
def test_a_secret_goes_as_the_document_says(methods, secret, sends_basic, grants, source, store, tmp_path) -> None:
    grants.methods = methods
    settings = settings_for(source, **{**EMPTY, "client_secret": secret})
    _, account = signed_in(read_connector(tmp_path, CODE), settings, store)
    (seen, fields), *_ = grants.asked
    assert account == "ada"
    assert ("authorization" in seen.headers) == sends_basic
    assert (fields.get("client_id"), fields.get("client_secret")) == (
        (None, None) if sends_basic else ("the id", secret or None)
    )


@pytest.mark.parametrize("alg", KEYS)
def test_a_key_says_itself_how_it_signs_and_comes_before_the_secret(alg, grants, source, store, tmp_path) -> None:
    pem = KEYS[alg].as_pem(private=True).decode()
    signed_in(
        read_connector(tmp_path, CODE), settings_for(source, **{**EMPTY, "key": pem, "client_secret": "x"}), store
    )
    (seen, fields), *_ = grants.asked
    token = jwt.decode(fields["client_assertion"], KEYS[alg], algorithms=[alg])
    assert token.header == {"typ": "JWT", "alg": alg}
    assert not {"client_secret", "client_id"} & set(fields)
    assert "authorization" not in seen.headers


def test_scopes_come_from_settings_and_empty_ones_are_left_out(grants, source, tmp_path) -> None:
    first_token(read_connector(tmp_path, CODE), settings_for(source, **EMPTY))
    assert grants.pages[0].query["scope"] == ["openid patient/*.rs"]


def test_an_address_may_end_with_a_slash(grants, source, tmp_path) -> None:
    assert first_token(read_connector(tmp_path, CODE), settings_for(source, **EMPTY, url=f"{source.url}/")).access


def test_the_account_is_the_settings_where_the_answer_has_none(source, store, tmp_path) -> None:
    grants = Grants(source, beside={})
    above, _, below = CODE.partition("  discovery:")
    code = above + '  token: {url: "{{ settings.url }}/token"}\n' + below.split("\n", 2)[2]
    code = code.replace("  authorize:\n", '  authorize:\n    url: "{{ settings.url }}/authorize"\n')
    made = read_connector(tmp_path, code)
    _, account = signed_in(made, settings_for(source, **{**EMPTY, "user": "bob"}), store)
    assert account == "bob"
    assert grants.asked
    with pytest.raises(Unreadable, match=r"account\.id: 'patient' gives no id"):
        signed_in(made, settings_for(source, **EMPTY), store)


def test_without_a_token_the_account_is_what_a_setting_says(source, open_session) -> None:
    session = open_session(
        account=AccountRequest(value=compile_template("{{ settings.patient }}")),
        settings={"patient": "pat-1"},
    )
    assert session.identify() == {"id": "pat-1"}


def test_a_page_the_source_named_is_no_place_to_say_not_for_you(source, open_session) -> None:
    pages = [{"data": [{"id": "1"}], "next": f"{source.url}/api/two"}, Reply(status=404)]
    source.in_turn(*pages)
    made = resource(pagination=NextUrl(Where("next")), errors=(ErrorRule("skip", (404,)),), records="data")
    number = iter(range(9))
    reading = read_pages(open_session(), made, None, arrived=lambda: next(number))
    assert len(next(reading).rows) == 1
    with pytest.raises(WindowLost, match=r"refuses a page that it named itself \(404\)"):
        next(reading)
    source.in_turn(Reply(status=404))
    (page,) = read_pages(open_session(), made, None, arrived=lambda: next(number))
    assert page.stopped == "skipped: 404"
