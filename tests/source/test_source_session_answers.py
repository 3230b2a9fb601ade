"""What the session makes of an answer: rules, refusals, bodies, and who signed in."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest
from source_made import Reply, connector, request

from hde.errors import Refused, SignInNeeded, Unreadable
from hde.source.session import Session, Unlimited
from hde.spec.connector import AccountRequest, ErrorRule, Setting


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
