"""Endpoints out of a discovery document: used where nothing is written, trusted on declared origins only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from grant_made import CODE, Grants, first_token, read_connector, settings_for, signed_in
from source_made import Reply, Seen, Source, request

from hde.errors import Refused, Unreachable, Unreadable, WrongUse

DISCOVERED = """\
auth:
  kind: oauth2_code
  discovery: "{{ settings.url }}/.well-known/smart-configuration"
  client: {id: "{{ settings.client_id }}"}
  authorize: {redirect_uri: "{{ settings.redirect }}"}
account: {id: user}
"""


def serving(source: Source, document: Any, then: Callable[[Seen], Any]) -> list[str]:
    """The source gives the document; how often it was asked for."""
    asked: list[str] = []

    def answer(seen: Seen) -> Any:
        if seen.path.startswith("/.well-known/"):
            asked.append(seen.path)
            return document
        return then(seen)

    source.answer = answer
    return asked


def endpoints(source: Source, **more: str) -> dict[str, str]:
    return {"authorization_endpoint": f"{source.url}/authorize", "token_endpoint": f"{source.url}/token", **more}


def test_endpoints_are_read_once_and_kept(source, store, tmp_path) -> None:
    grants = Grants(source)
    asked = serving(source, endpoints(source), grants.answer)
    session, account = signed_in(read_connector(tmp_path, DISCOVERED), settings_for(source), store)
    grants.end_access()
    with session:
        session.answer(request(), {})
    assert (account, len(grants.asked), len(asked)) == ("ada", 2, 1)


def test_what_is_written_wins_over_the_document(source, other_source, store, tmp_path) -> None:
    grants = Grants(source)
    asked = serving(source, endpoints(other_source), grants.answer)
    line = '  discovery: "{{ settings.url }}/.well-known/openid-configuration"\n'
    made = read_connector(tmp_path, CODE.replace("  client:", line + "  client:"))
    signed_in(made, settings_for(source), store)
    assert (asked, other_source.seen) == ([], [])


def test_another_origin_must_be_declared(source, other_source, tmp_path) -> None:
    grants = Grants(other_source)
    serving(source, endpoints(other_source), lambda seen: Reply(status=404))
    with pytest.raises(Refused, match=r"authorization_endpoint leads to another origin, .*auth\.origins"):
        first_token(read_connector(tmp_path, DISCOVERED), settings_for(source))
    assert other_source.seen == []
    declared = DISCOVERED.replace("  client:", f'  origins: ["{other_source.url}"]\n  client:')
    assert first_token(read_connector(tmp_path, declared), settings_for(source)).access == grants.access


@pytest.mark.parametrize(
    ("document", "error", "words"),
    [
        (
            Reply(status=404),
            Refused,
            r"at http://127\.0\.0\.1:\d+/\.well-known/smart-configuration is answered with 404: check DEMO_URL",
        ),
        (Reply(status=302, headers={"Location": "https://evil.example"}), Refused, "302"),
        (Reply(status=503), Unreachable, "is away"),
        (Reply(hang_up=True), Unreachable, r"document at http://127\.0\.0\.1:\d+/\S+ got no answer"),
        (Reply(b"<html>Mary</html>"), Unreadable, "no JSON object"),
        ([], Unreadable, "no JSON object"),
        ({"token_endpoint": "x"}, WrongUse, "names no authorization_endpoint: write auth.authorize.url"),
        ({"authorization_endpoint": 5}, Unreadable, "is no address"),
        ({"authorization_endpoint": "javascript:alert(1)"}, Unreadable, "no http or https URL"),
    ],
)
def test_a_document_that_does_not_help_is_said(document, error, words, source, tmp_path) -> None:
    serving(source, document, lambda seen: Reply(status=500))
    with pytest.raises(error, match=words) as caught:
        first_token(read_connector(tmp_path, DISCOVERED), settings_for(source))
    assert "Mary" not in str(caught.value)
    assert [seen.path for seen in source.seen] == ["/.well-known/smart-configuration"]


def test_a_document_that_is_away_spends_no_token(source, store, tmp_path) -> None:
    from hde.source import endpoints as kept

    grants = Grants(source)
    serving(source, endpoints(source), grants.answer)
    session, _ = signed_in(read_connector(tmp_path, DISCOVERED), settings_for(source), store)
    kept._documents.clear()  # another process
    grants.end_access()
    serving(source, Reply(status=503), grants.answer)
    with session, pytest.raises(Unreachable):
        session.answer(request(), {})
    assert len(grants.asked) == 1
    assert store.read("demo", "ada").refreshing_since is None


def test_a_server_that_is_not_there_is_said_with_its_address_and_no_secret(source, tmp_path) -> None:
    settings = settings_for(source, url="http://127.0.0.1:1/r4?code=s3cr-t")
    with pytest.raises(Unreachable) as caught:
        first_token(read_connector(tmp_path, DISCOVERED), settings)
    assert str(caught.value) == (
        "demo: the discovery document at http://127.0.0.1:1/r4 found no connection (ConnectError): check DEMO_URL"
    )


def test_nobody_signs_in_over_plain_http_where_the_document_leads(source, tmp_path) -> None:
    open_line = "http://192.0.2.2"
    serving(source, {"authorization_endpoint": f"{open_line}/a"}, lambda seen: Reply(status=404))
    declared = DISCOVERED.replace("  client:", f'  origins: ["{open_line}"]\n  client:')
    with pytest.raises(WrongUse, match=r"DEMO_URL leads to http://192\.0\.2\.2, which is not encrypted"):
        first_token(read_connector(tmp_path, declared), settings_for(source))
