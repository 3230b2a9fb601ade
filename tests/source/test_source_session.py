"""Requests as they arrive at a source, where they may lead, and the waits it asks for."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from source_made import QUICK, Reply, connector, request

from hde.errors import Refused, WrongUse
from hde.source.rules import asked_wait
from hde.source.session import Session, Unlimited
from hde.source.transport import Reply as Received
from hde.spec.connector import Wait
from hde.spec.template import TemplateError


def test_a_request_arrives_as_the_author_shows_it(source, open_session):
    session = open_session(
        settings={"key": "k 1"},
        http={"params": {"key": "{{ settings.key }}"}, "headers": {"X-Key": "{{ settings.key }}"}},
    )
    shown = request(
        "/v1/{{ each }}/items",
        params={"from": "{{ window.start }}", "cursor": "{{ page.cursor }}", "kind": ["a", "b"], "deep": True},
        headers={"X-Own": "1"},
    )
    session.answer(shown, {"each": "a/b", "window": {"start": "2026-01-01T00:00:00Z"}, "page": {"cursor": None}})
    [seen] = source.seen
    assert seen.raw_path.startswith("/api/v1/a%2Fb/items?")
    assert seen.query == {"key": ["k 1"], "from": ["2026-01-01T00:00:00Z"], "kind": ["a", "b"], "deep": ["true"]}
    assert (seen.headers["x-key"], seen.headers["x-own"]) == ("k 1", "1")
    assert seen.headers["user-agent"].startswith("hde/")


def test_a_cookie_that_a_source_sets_goes_with_the_next_request_to_it(source, open_session):
    source.answer = lambda seen: Reply({}, headers={"Set-Cookie": "seen=1; Path=/"}) if len(source.seen) == 1 else {}
    with open_session() as session:
        for _ in range(3):
            session.answer(request(), {})
    assert [seen.headers.get("cookie") for seen in source.seen] == [None, "seen=1", "seen=1"]


@pytest.mark.parametrize(
    ("parts", "kind", "body"),
    [
        ({"json": {"since": "{{ window }}", "n": 1}}, "application/json", b'{"n":1}'),
        ({"form": {"a": ["1", "2"], "b": "x y"}}, "application/x-www-form-urlencoded", b"a=1&a=2&b=x%20y"),
    ],
)
def test_bodies_are_sent_as_json_or_form(source, open_session, parts, kind, body):
    open_session().answer(request(method="POST", **parts), {"window": None})
    assert (source.seen[0].headers["content-type"], source.seen[0].body) == (kind, body)


@pytest.mark.parametrize("reference", ["Medication/a%20b", "/Medication/a%20b", "{url}/api/Medication/a%20b"])
def test_a_path_that_is_one_expression_is_a_reference(source, open_session, reference):
    open_session().answer(request("{{ each }}"), {"each": reference.replace("{url}", source.url)})
    assert source.seen[0].raw_path == "/api/Medication/a%20b"


@pytest.mark.parametrize(
    "reference",
    [
        "https://evil.example/x",
        "//evil.example/x",
        "../secret",
        "a/%2e%2e/secret",
        "a/..%2fsecret",
        "http://me@127.0.0.1/x",
        "ftp://127.0.0.1/x",
        "a\nb",
        "http://127.0.0.1:1/x",
        "\\\\evil.example\\x",
    ],
)
def test_a_reference_that_leads_elsewhere_is_refused(source, open_session, reference):
    with pytest.raises(Refused):
        open_session().answer(request("{{ each }}"), {"each": reference})
    assert source.seen == []


@pytest.mark.parametrize("value", ["..", "."])
def test_a_value_cannot_climb_out_of_its_folder(source, open_session, value):
    with pytest.raises(Refused, match="leads out"):
        open_session().answer(request("/users/{{ each }}/x"), {"each": value})


def test_nothing_inside_a_path_is_an_error(open_session):
    with pytest.raises(TemplateError):
        open_session().answer(request("/users/{{ each }}"), {"each": None})


def test_a_header_with_a_line_break_is_refused(source, open_session):
    session = open_session(settings={"key": "a\r\nX-Evil: 1"}, http={"headers": {"X-Key": "{{ settings.key }}"}})
    with pytest.raises(WrongUse, match="X-Key"):
        session.answer(request(), {})
    assert source.seen == []


def test_a_redirect_on_the_same_origin_is_followed(source, open_session):
    source.in_turn(Reply(status=302, headers={"Location": "/api/there"}), {"ok": 1})
    answer = open_session(http={"headers": {"Authorization": "Bearer key"}}).answer(request(params={"a": "1"}), {})
    assert answer.body == b'{"ok":1}'
    assert [seen.raw_path for seen in source.seen] == ["/api/things?a=1", "/api/there"]
    assert source.seen[1].headers["authorization"] == "Bearer key"
    assert answer.requests == 2


def test_a_redirect_to_another_origin_is_refused(source, other_source, open_session):
    source.in_turn(Reply(status=307, headers={"Location": other_source.url + "/x?secret=1"}))
    with pytest.raises(Refused, match="another origin") as caught:
        open_session().answer(request(), {})
    assert other_source.seen == []
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_redirects_in_circles_and_of_posts_are_refused(source, open_session, method):
    source.in_turn(Reply(status=302, headers={"Location": "/api/things"}))
    with pytest.raises(Refused, match="not followed"):
        open_session().answer(request(method=method), {})
    assert len(source.seen) == (6 if method == "GET" else 1)


WAITS = [
    (None, {"Retry-After": "7"}, 7),
    (None, {"Retry-After": "{http+8}"}, 8),
    (Wait("X-Reset", "seconds"), {"X-Reset": "9", "Retry-After": "1"}, 9),
    (Wait("X-Reset", "seconds"), {"Retry-After": "3"}, 3),
    (Wait("X-Reset", "epoch"), {"X-Reset": "{epoch+6}"}, 6),
    (Wait("X-Reset", "epoch"), {"X-Reset": "{epoch_ms+6}"}, 6),
    (Wait("X-Reset", "timestamp"), {"X-Reset": "{iso+5}"}, 5),
    (Wait("X-Reset", "seconds"), {"X-Reset": "5000"}, 3600),
    (Wait("X-Reset", "seconds"), {"X-Reset": "0"}, 0),
    (Wait("X-Reset", "seconds"), {"X-Reset": "-5"}, None),
    (Wait("X-Reset", "seconds"), {"X-Reset": "1893456000"}, None),
    (Wait("X-Reset", "seconds"), {"X-Reset": "soon"}, None),
    (Wait("X-Reset", "epoch"), {"X-Reset": "5"}, None),
    (None, {"Retry-After": "NaN"}, None),
    (None, {}, None),
]


@pytest.mark.parametrize(("wait", "headers", "seconds"), WAITS)
def test_waits_are_read_from_the_headers(wait, headers, seconds):
    now = datetime.now(UTC).replace(microsecond=0)
    stamps = {
        "{epoch+6}": str(int(now.timestamp()) + 6),
        "{epoch_ms+6}": str((int(now.timestamp()) + 6) * 1000),
        "{http+8}": format_datetime(now + timedelta(seconds=8), usegmt=True),
        "{iso+5}": (now + timedelta(seconds=5)).isoformat(),
    }
    given = httpx.Headers({name: stamps.get(value, value) for name, value in headers.items()})
    asked = asked_wait(Received(429, given, b"", now, None, ""), (wait,) if wait else ())
    assert asked == (seconds if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("url", ["http://a b", "http://xn--/", "http://xn--a", "http://[::1", "http://ä.example"])
def test_an_address_that_is_no_url_is_wrong_use(url, stop):
    def ask() -> None:
        with Session(connector(url), {}, auth=None, budget=Unlimited(), stop=stop, patience=QUICK) as session:
            session.answer(request(), {})

    with pytest.raises(WrongUse, match="URL"):
        ask()


@pytest.mark.parametrize("base", ["ftp://h", "nowhere", "http://", "http://u:p@h"])
def test_a_base_url_that_is_none_is_wrong_use(base, stop):
    with pytest.raises(WrongUse) as caught:
        Session(connector(base), {}, auth=None, budget=Unlimited(), stop=stop)
    assert "p@" not in str(caught.value)


def test_a_session_is_shared_by_threads(source, open_session):
    source.answer = lambda seen: {"path": seen.path}
    session = open_session()
    bodies: list[bytes] = []

    def ask(number: int) -> None:
        bodies.append(session.answer(request("/{{ each }}"), {"each": number}).body)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(bodies)) == 8
