"""What `.env` may say, and to whom."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hde.errors import WrongUse
from hde.places import load_env_file
from hde.spec.connector import Connector, Http, Setting
from hde.spec.template import compile_template
from hde.steps.settings import settings_of

ENV_FILE = """
HDE_TOKEN_STORE=database
HDE_DATABASE_URL=postgresql://me:p${HOME}w@localhost/hde
MY_SOURCE_CLIENT_ID=from the file
MY_SOURCE_CLIENT_SECRET='s3cr${HOME}t'
MY_SOURCE_EMPTY=
PGPASSWORD=x
HTTPS_PROXY=http://evil.example
PYTHONPATH=/evil
hde_lower=x
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    before = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(ENV_FILE)
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


def connector(*names: str, **defaults: str) -> Connector:
    settings = {name: Setting(name, default=defaults.get(name), secret="secret" in name) for name in names}
    http = Http(compile_template("https://api.example"))
    return Connector(name="my-source", file=Path("my-source.yaml"), http=http, resources={}, settings=settings)


def test_only_our_own_names_of_the_env_file_reach_the_environment(here):
    before = dict(os.environ)
    load_env_file()
    assert {name: value for name, value in os.environ.items() if before.get(name) != value} == {
        "HDE_TOKEN_STORE": "database",
        "HDE_DATABASE_URL": "postgresql://me:p${HOME}w@localhost/hde",
    }


def test_the_environment_wins_over_the_env_file(here, monkeypatch):
    monkeypatch.setenv("HDE_TOKEN_STORE", "file")
    monkeypatch.setenv("MY_SOURCE_CLIENT_ID", "from the environment")
    load_env_file()
    assert os.environ["HDE_TOKEN_STORE"] == "file"
    assert settings_of(connector("client_id")) == {"client_id": "from the environment"}


def test_a_connector_finds_its_settings_in_the_env_file_as_they_stand_there(here):
    assert settings_of(connector("client_id", "client_secret", "empty", empty="default")) == {
        "client_id": "from the file",
        "client_secret": "s3cr${HOME}t",
        "empty": "default",
    }


def test_a_setting_that_is_nowhere_is_named(here):
    with pytest.raises(WrongUse, match=r"needs MY_SOURCE_EMPTY and MY_SOURCE_KEY\."):
        settings_of(connector("client_id", "empty", "key"))


def test_a_misspelt_variable_is_named_and_its_value_is_not(here):
    (here / ".env").write_text("MY_SOURCE_KEYY=s3cret\n")
    with pytest.raises(WrongUse, match=r"needs MY_SOURCE_KEY\. There is MY_SOURCE_KEYY, which no setting") as raised:
        settings_of(connector("key"))
    assert "s3cret" not in str(raised.value)
    assert "\nPut it into .env" in str(raised.value)


def test_no_env_file_is_fine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    load_env_file()
    assert settings_of(connector("key", key="default")) == {"key": "default"}
