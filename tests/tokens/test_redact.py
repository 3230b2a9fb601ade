"""What reaches a log."""

from __future__ import annotations

import logging

import pytest

from hde import redact


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("GET https://api.example/v1/x?token=abc&y=1 200", "GET https://api.example/v1/x 200"),
        ("at http://user:pw@host:80/p#frag.", "at http://host:80/p"),
        ('"https://a/b?c"', '"https://a/b"'),
        ("Authorization: Bearer abcdefghijkl", "Authorization: Bearer ***"),
        ("Basic dXNlcjpwYXNz", "Basic ***"),
        ("nothing to hide? no", "nothing to hide? no"),
        ("with s3cret-value inside", "with *** inside"),
    ],
)
def test_messages_are_cleaned(text, cleaned):
    redact.register_secret("s3cret-value")
    assert redact.clean(text) == cleaned


@pytest.mark.parametrize(
    "text",
    ["sec/ret+wö", "?t=sec/ret%2Bw%C3%B6", "?t=sec%2Fret%2Bw%C3%B6&a", "?t=sec%2fret%2bw%c3%b6", '"sec/ret+w\\u00f6"',
     '"sec\\/ret+w\\u00f6"'],
)  # fmt: skip
def test_a_secret_is_hidden_however_it_is_spelled(text):
    redact.register_secret("sec/ret+wö")
    assert "ret" not in redact.without_secrets(text)


def test_short_and_missing_secrets_hide_nothing():
    redact.register_secret("a")
    redact.register_secret(None)
    assert redact.clean("a cat") == "a cat"


@pytest.fixture
def installed():
    before = logging.getLogRecordFactory()
    redact.install()
    redact.install()
    yield
    logging.setLogRecordFactory(before)


def test_every_logger_is_cleaned(installed, caplog):
    redact.register_secret("t0ken-of-mine")
    caplog.set_level(logging.INFO)
    logging.getLogger("httpx").info("HTTP Request: %s %s", "GET", "https://h/p?access_token=t0ken-of-mine")
    logging.getLogger("anything").warning("it is %(what)s", {"what": "t0ken-of-mine"})
    logging.getLogger("anything").warning("two %s %s", "t0ken-of-mine")
    try:
        raise ValueError("t0ken-of-mine")
    except ValueError:
        logging.getLogger("anything").exception("failed")
    assert "t0ken-of-mine" not in caplog.text
    assert "GET https://h/p" in caplog.text
    assert "it is ***" in caplog.text
    assert "ValueError: ***" in caplog.text
