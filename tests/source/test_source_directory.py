"""A vendor's directory: what of it is a place, and which place a person means."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hde.errors import Unreadable, WrongUse
from hde.source.directory import Tenant, tenants_in, the_one
from hde.spec.sign_in import Tenants
from hde.spec.template import compile_template

SPEC = Tenants(compile_template("https://example.com"), "name", {"base_url": "address"}, "entry[].resource")
NAMES = (
    "St. Elsewhere Hospital", "St. Elsewhere Children's Clinic", "Sacré-Cœur", "Universitätsklinikum Köln",
    "Mercy West", "MERCY WEST", "Seattle Grace Mercy West",
)  # fmt: skip
PLACES = [Tenant(name, {"base_url": f"https://{at}.example/r4"}) for at, name in enumerate(NAMES)]


def body(*resources: Any) -> bytes:
    return json.dumps({"entry": [{"resource": one} for one in resources]}).encode()


@pytest.mark.parametrize(
    "odd",
    [
        None, 7, "text", [], {}, {"name": "A"}, {"address": "https://a"}, {"name": 7, "address": "https://a"},
        {"name": "A", "address": None}, {"name": " ", "address": "https://a"}, {"name": "A", "address": ["https://a"]},
        {"name": "A", "address": ""},
    ],
)  # fmt: skip
def test_what_has_no_name_or_no_address_is_no_place(odd: Any) -> None:
    good = {"name": "B\n \u202e C", "address": " https://b "}
    assert tenants_in(body(odd, good, good), SPEC, "demo") == [Tenant("B C", {"base_url": "https://b"})]


@pytest.mark.parametrize("text", [b"{}", b"[]", b'{"entry": 7}', body({"name": "A"}), b"<html>", b""])
def test_a_directory_without_places_is_none(text: bytes) -> None:
    with pytest.raises(Unreadable):
        tenants_in(text, SPEC, "demo")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("sacre coeur", None),
        ("SACRE cœur", "Sacré-Cœur"),
        ("koln", "Universitätsklinikum Köln"),
        ("köln universitäts", "Universitätsklinikum Köln"),
        ("elsewhere child", "St. Elsewhere Children's Clinic"),
        ("grace", "Seattle Grace Mercy West"),
        ("https://4.example/r4", "Mercy West"),
        ("st. elsewhere hospital", "St. Elsewhere Hospital"),
    ],
)
def test_words_find_a_place_whatever_their_case_and_accents(words: str, name: str | None) -> None:
    if name is None:
        with pytest.raises(WrongUse, match=r"Near that are:\n  Sacré-Cœur"):
            the_one(PLACES, words, "Demo")
        return
    assert the_one(PLACES, words, "Demo").name == name


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "elsewhere",
            r"^2 places of Demo are called so.*\n  St. Elsewhere Hospital  \(https://0.example/r4\)\n  St. Else",
        ),
        ("mercy west", r"^2 places of Demo.*\n  Mercy West  \(https://4.*\n  MERCY WEST  \(https://5"),
        ("mersy west", r"^None of 7 places of Demo is called 'mersy west'\. Near that are:"),
        ("qqq", r"^None of 7 places of Demo is called 'qqq'\.$"),
        ("", r"^None of 7 places"),
        ("?!", r"^None of 7 places"),
        ("x" * 500, r"^None of 7 places of Demo is called 'x{80}'\.$"),
    ],
)
def test_several_are_listed_and_none_says_what_is_near(words: str, said: str) -> None:
    with pytest.raises(WrongUse, match=said):
        the_one(PLACES, words, "Demo")
