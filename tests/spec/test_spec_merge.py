"""`like`: the shared beginning first, the resource over it; and every key still knows where it was written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spec_made import CONNECTOR, changed, read

from hde.spec.merge import merge


@pytest.mark.parametrize(
    ("shape", "own", "merged"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}}, {"a": {"x": 1, "y": 3}}),
        ({"a": {"x": {"p": 1, "q": 2}}}, {"a": {"x": {"q": 3}}}, {"a": {"x": {"p": 1, "q": 3}}}),
        ({"a": {"x": 1}}, {"a": "text"}, {"a": "text"}),
        ({"a": "text"}, {"a": {"x": 1}}, {"a": {"x": 1}}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": None}}, {"a": {"y": 2}}),
        ({}, {"json": {"x": None}}, {"json": {"x": None}}),
        ({"p": {"kind": "cursor", "next": "n", "max_pages": 9}}, {"p": {"kind": "url", "next": "u"}},
         {"p": {"kind": "url", "next": "u"}}),
        ({"p": {"kind": "cursor", "next": "n"}}, {"p": {"kind": "page"}}, {"p": {"kind": "page"}}),
        ({"p": {"kind": "cursor", "next": "n"}}, {"p": {"kind": "cursor", "max_pages": 9}},
         {"p": {"kind": "cursor", "next": "n", "max_pages": 9}}),
        ({"p": {"kind": "cursor", "next": "n"}}, {"p": {"max_pages": 9}},
         {"p": {"kind": "cursor", "next": "n", "max_pages": 9}}),
        ({"p": {"max_pages": 9}}, {"p": {"kind": "cursor", "next": "n"}},
         {"p": {"kind": "cursor", "next": "n", "max_pages": 9}}),
        ({"a": 1}, {"like": "shape"}, {"a": 1}),
    ],
)  # fmt: skip
def test_the_law_of_like(shape: dict[str, object], own: dict[str, object], merged: dict[str, object]) -> None:
    assert merge(shape, own, ("shared", "shape"), ("resources", "own")).data == merged


_VALUES = st.recursive(
    st.none() | st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from(["a", "b", "kind"]), inner, max_size=3),
    max_leaves=8,
)
_MAPS = st.dictionaries(st.sampled_from(["a", "b", "c"]), _VALUES, max_size=3)


@given(_MAPS, _MAPS)
def test_every_value_stands_where_its_origin_says(shape: dict[str, object], own: dict[str, object]) -> None:
    merged = merge(shape, own, ("shared", "s"), ("resources", "r"))
    file = {"shared": {"s": shape}, "resources": {"r": own}}

    def look(value: object, path: tuple[str, ...]) -> None:
        if isinstance(value, dict):
            for key, below in value.items():
                look(below, (*path, key))
        elif path:
            found: object = file
            for key in merged.origin(path):
                assert isinstance(found, dict)
                found = found[str(key)]
            assert found == value

    look(merged.data, ())


@given(_MAPS)
def test_nothing_over_a_shape_is_the_shape(shape: dict[str, object]) -> None:
    assert merge(shape, {"like": "s"}, (), ()).data == shape


def test_complaints_about_merged_parts_are_where_they_were_written(tmp_path: Path) -> None:
    own = changed(CONNECTOR, "    path: /sleeps", "    path: /sleeps\n    pagination: {kind: url, mak_pages: 3}")
    assert read(tmp_path, connector=own)[1] == [
        "demo.yaml:17:5: resources.sleeps.pagination: 'next' is missing",
        "demo.yaml:17:29: resources.sleeps.pagination.mak_pages: unknown key 'mak_pages'. Did you mean 'max_pages'?",
    ]
    in_shape = changed(CONNECTOR, "next: next}", "next: 'n['}")
    assert read(tmp_path, connector=in_shape)[1] == [
        "demo.yaml:11:38: shared.list.pagination.next: 'n[' is not JMESPath: its end is missing"
    ], "once, although two resources are like it"


def test_what_only_the_merged_resource_lacks_is_found(tmp_path: Path) -> None:
    removed = changed(CONNECTOR, "    path: /naps", "    path: /naps\n    records: null\n    window: {time: null}")
    assert read(tmp_path, connector=removed)[1] == []
    lacking = changed(CONNECTOR, "window: {time: start, settle: 7d}", "window: {time: start}")
    lacking = changed(lacking, "    path: /naps", "    path: /naps\n    window: {settle: 1d}")
    assert read(tmp_path, connector=lacking)[1] == ["demo.yaml:12:5: shared.list.window: 'settle' is missing"]
    partly = changed(CONNECTOR, "    path: /naps", "    path: /naps\n    pagination: {stop: short}")
    assert read(tmp_path, connector=partly)[1] == [
        "demo.yaml:25:18: resources.naps.pagination.stop: 'stop' does not go with kind cursor, "
        "which takes next, max_pages"
    ]


def test_null_removes_what_the_shape_says(tmp_path: Path) -> None:
    removed = changed(CONNECTOR, "    path: /naps", "    path: /naps\n    pagination: null\n    window: null")
    source, complaints = read(tmp_path, connector=removed)
    assert complaints == []
    assert source is not None
    naps, sleeps = source.connector.resources["naps"], source.connector.resources["sleeps"]
    assert (naps.pagination, naps.window, naps.records) == (None, None, "items")
    assert sleeps.pagination is not None
    assert sleeps.window is not None
