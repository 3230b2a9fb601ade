"""Requests as they arrive at a source, and what the session makes of its answers."""

from __future__ import annotations

import gzip
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from source_made import QUICK, Reply, connector, request

from hde.errors import Refused, SignInNeeded, Stopped, Unreachable, Unreadable, WrongUse
from hde.source.rules import asked_wait
from hde.source.session import Patience, Session, Unlimited
from hde.source.transport import Reply as Received
from hde.spec.connector import AccountRequest, ErrorRule, Setting, Wait
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


@pytest.mark.parametrize(
    ("rules", "reply", "outcome"),
    [
        ((), Reply({}), "read"),
        ((), Reply(status=204), "empty"),
        ((), Reply(b" \n"), "empty"),
        (({"do": "skip", "status": (403,)},), Reply(status=403), "skip"),
        (({"do": "empty", "status": (404,)},), Reply(status=404), "empty"),
        (({"do": "restart", "status": (410,)},), Reply({}, status=410), "restart"),
        (({"do": "skip", "body": "code == `7`"},), Reply({"code": 7}), "skip"),
        (({"do": "skip", "body": "code == `7`"},), Reply({"code": 8}), "read"),
        (({"do": "skip", "body": "code"},), Reply({"code": 0}), "skip"),
        (({"do": "skip", "body": "code"},), Reply({"code": ""}), "read"),
        (({"do": "skip", "status": (404,), "body": "gone"},), Reply({"gone": True}), "read"),
        (({"do": "empty", "status": (403,)}, {"do": "skip", "status": (403,)}), Reply(status=403), "empty"),
    ],
)
def test_the_first_rule_that_matches_says_what_an_answer_means(source, open_session, rules, reply, outcome):
    source.in_turn(reply)
    assert open_session().answer(request(), {}, tuple(ErrorRule(**rule) for rule in rules)).outcome == outcome


def test_the_resources_rules_come_before_those_of_http(source, open_session):
    source.in_turn(Reply(status=403))
    session = open_session(http={"errors": (ErrorRule("fail", (403,)),)})
    assert session.answer(request(), {}, (ErrorRule("skip", (403,)),)).outcome == "skip"


def test_body_rules_are_not_asked_about_what_is_not_json(source, open_session):
    source.in_turn(Reply(b"<html>", status=404))
    with pytest.raises(Refused) as caught:
        open_session().answer(request(), {}, (ErrorRule("skip", body="error"),))
    assert caught.value.status == 404


def test_a_failure_tells_status_and_path_and_the_sources_own_words(source, open_session):
    source.in_turn(Reply({"error": {"text": "no\nsuch " + "x" * 500}}, status=400))
    with pytest.raises(Refused) as caught:
        open_session().answer(request(params={"who": "me"}), {}, (ErrorRule("fail", (400,), message="error.text"),))
    message = str(caught.value)
    assert message.startswith("demo: GET /things answers 400: no such xxx")
    assert len(message) < 260
    assert "me" not in message.split("answers")[0].split()


@pytest.mark.parametrize("status", [408, 500, 502, 503, 599])
def test_what_may_pass_is_tried_again(source, open_session, status):
    source.in_turn(Reply(status=status), Reply(status=status), {"ok": 1})
    answer = open_session().answer(request(), {})
    assert (answer.outcome, answer.requests) == ("read", 3)


def test_a_failure_that_says_when_to_come_back_is_waited_for(source, open_session):
    budget = Counting()
    source.in_turn(*[Reply(status=503, headers={"Retry-After": "0"})] * 4, {"ok": 1})
    assert open_session(budget=budget).answer(request(), {}).outcome == "read"
    assert len(budget.waits) == 4


def test_what_does_not_pass_ends_after_the_last_try(source, open_session):
    source.in_turn(Reply(status=500))
    with pytest.raises(Refused, match="after 3 tries") as caught:
        open_session().answer(request(), {})
    assert (caught.value.status, len(source.seen)) == (500, 3)


@pytest.mark.parametrize("broken", [Reply(hang_up=True), Reply({"a": "x" * 500}, cut_at=100)])
def test_a_broken_connection_is_tried_again(source, open_session, broken):
    source.in_turn(broken, {"ok": 1})
    assert open_session().answer(request(), {}).body == b'{"ok":1}'


def test_no_answer_at_all_is_unreachable(source, open_session):
    source.in_turn(Reply(hang_up=True))
    with pytest.raises(Unreachable, match="3 tries"):
        open_session().answer(request(), {})


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
    asked = asked_wait(Received(429, given, b"", now, None, ""), wait)
    assert asked == (seconds if seconds is None else pytest.approx(seconds))


class Counting:
    def __init__(self) -> None:
        self.reserved = 0
        self.waits: list[float] = []
        self.first = 0.01

    def reserve(self) -> float:
        self.reserved += 1
        return self.first if self.reserved == 1 else 0.0

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)


def test_every_request_is_counted_and_a_wait_is_told_to_all(source, open_session):
    budget = Counting()
    source.in_turn(Reply(status=429, headers={"Retry-After": "0.03"}), Reply(status=503), {"ok": 1})
    open_session(budget=budget).answer(request(), {})
    assert budget.reserved == 4  # the first reservation said: later
    assert budget.waits == [pytest.approx(0.03)]


def test_waits_without_end_are_refused(source, open_session):
    source.in_turn(Reply(status=429))
    with pytest.raises(Refused, match="still asks to wait") as caught:
        open_session().answer(request(), {})
    assert (caught.value.status, len(source.seen)) == (429, 5)


@pytest.mark.parametrize("reply", [Reply(status=429, headers={"Retry-After": "600"}), Reply(status=500)])
def test_stopping_ends_a_wait(source, open_session, stop, reply):
    source.in_turn(reply)
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(Stopped):
        open_session(patience=Patience(first=60, tries=9)).answer(request(), {})


def test_stopping_cuts_an_answer_that_does_not_come(source, open_session, stop):
    hold = threading.Event()
    source.in_turn(Reply({}, hold=hold))
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(Stopped):
        open_session().answer(request(), {})
    hold.set()


def test_credentials_that_are_refused_are_for_the_person(source, open_session):
    source.in_turn(Reply(status=401))
    with pytest.raises(SignInNeeded, match="check its settings"):
        open_session().answer(request(), {})


def test_secret_settings_are_named_where_they_are_refused(source, stop):
    made = connector(source.url, settings={"api_key": Setting("api_key", secret=True)})
    source.in_turn(Reply(status=401))
    with (
        Session(made, {"api_key": "very secret"}, auth=None, budget=Unlimited(), stop=stop) as session,
        pytest.raises(SignInNeeded, match="check DEMO_API_KEY"),
    ):
        session.answer(request(), {})


def test_an_error_page_that_says_200_is_unreadable(source, open_session):
    source.in_turn(Reply(b"\n<!DOCTYPE html><html>Hello Mary</html>", headers={"Content-Type": "text/html; charset=x"}))
    with pytest.raises(Unreadable, match=r"not JSON but text/html, beginning with <!DOCTYPE>") as caught:
        open_session().answer(request(), {})
    assert "Mary" not in str(caught.value)


def test_packed_answers_are_unpacked(source, open_session):
    source.in_turn(Reply(gzip.compress(b'{"a":1}'), headers={"Content-Encoding": "gzip"}))
    assert open_session().answer(request(), {}).body == b'{"a":1}'


def test_a_bomb_is_not_unpacked(source, open_session):
    session = open_session()
    session._line._largest = 1_000_000
    source.in_turn(Reply(gzip.compress(b" " * 20_000_000), headers={"Content-Encoding": "gzip"}))
    with pytest.raises(Unreadable, match="larger than"):
        session.answer(request(), {})


def test_a_byte_order_mark_is_no_content(source, open_session):
    source.in_turn(Reply(b"\xef\xbb\xbf{}"))
    assert open_session().answer(request(), {}).body == b"{}"


def test_the_time_of_the_source_comes_with_its_answer(open_session):
    answer = open_session().answer(request(), {})
    assert answer.server_time is not None
    assert answer.server_time.utcoffset() == timedelta(0)
    assert abs(answer.server_time - answer.received_at) < timedelta(minutes=1)


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


def test_an_account_is_read_from_its_request(source, open_session):
    source.answer = lambda seen: {"user": {"id": 12345678901234567890, "zone": "UTC"}}
    session = open_session(
        account=AccountRequest("user.id", request("/me"), {"zone": "user.zone", "since": "user.since"})
    )
    assert session.identify() == {"id": "12345678901234567890", "zone": "UTC", "since": None}
    session.answer(request("/{{ account.id }}"), {})
    assert source.seen[-1].path == "/api/12345678901234567890"


@pytest.mark.parametrize(
    "answer", [{}, {"id": None}, {"id": ""}, {"id": True}, {"id": [1]}, {"id": "a\nb"}, {"id": 1.5}]
)
def test_an_account_without_an_id_is_unreadable(source, open_session, answer):
    source.answer = lambda seen: answer
    with pytest.raises(Unreadable, match=r"account\.id"):
        open_session(account=AccountRequest("id", request("/me"))).identify()


def test_without_a_word_about_accounts_there_is_one(open_session):
    assert open_session().identify() == {"id": "default"}


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
