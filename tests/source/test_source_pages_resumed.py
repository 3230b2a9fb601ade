"""Reading goes on where it was left, or the window begins anew."""

from __future__ import annotations

from itertools import count

import pytest
from pages_made import BODY_NEXT, CURSOR, OFFSET, PAGE, ids, offset_source, read, things
from source_made import Reply, resource

from hde.errors import Refused
from hde.source.pages import WindowLost, read_pages
from hde.spec.connector import Cursor, ErrorRule, NextUrl, Offset, PageNumber


@pytest.mark.parametrize(
    ("what", "state", "rest"),
    [
        ({**CURSOR, "pagination": Cursor(BODY_NEXT)}, {"cursor": "b", "pages": 1}, {"after": ["b"], "limit": ["2"]}),
        (
            {**OFFSET, "pagination": Offset(size=2)},
            {"offset": 4, "pages": 2, "received": 4},
            {"offset": ["4"], "limit": ["2"]},
        ),
        ({**PAGE, "pagination": PageNumber()}, {"number": 3, "pages": 2, "received": 4}, {"page": ["3"]}),
    ],
)
def test_reading_goes_on_from_a_pages_next(source, open_session, what, state, rest):
    source.in_turn({"items": []})
    read(open_session(), resource(**what), resume=state)
    assert source.seen[0].query == rest


def test_the_first_pages_next_resumes_exactly_there(source, open_session):
    source.answer = offset_source(5)
    what = resource(**OFFSET, pagination=Offset(size=2))
    first = next(read_pages(open_session(), what, None, arrived=count().__next__))
    assert ids(read(open_session(), what, resume=first.next)) == ["2", "3", "4"]


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_dead_cursor_asks_for_the_window_anew(source, open_session, status):
    source.in_turn(Reply(status=status))
    what = resource(**CURSOR, pagination=Cursor(BODY_NEXT))
    with pytest.raises(WindowLost):
        read(open_session(), what, resume={"cursor": "old", "pages": 3})
    with pytest.raises(Refused):
        read(open_session(), what)


@pytest.mark.parametrize(("status", "error"), [(404, WindowLost), (410, WindowLost), (400, Refused), (403, Refused)])
@pytest.mark.parametrize("pagination", [Cursor(BODY_NEXT), NextUrl(BODY_NEXT)], ids=["cursor", "url"])
def test_a_next_page_that_is_gone_asks_for_the_window_anew(source, open_session, pagination, status, error):
    following = "a" if isinstance(pagination, Cursor) else f"{source.url}/api/a"
    source.in_turn({"items": things(1), "next": following}, Reply({}, status=status))
    with pytest.raises(error):
        read(open_session(), resource(**CURSOR, pagination=pagination))


def test_a_restart_rule_asks_for_the_window_anew(source, open_session):
    source.in_turn({"items": things(1), "next": "a"}, Reply({}, status=410))
    with pytest.raises(WindowLost, match="begin anew"):
        read(open_session(), resource(**CURSOR, pagination=Cursor(BODY_NEXT), errors=(ErrorRule("restart", (410,)),)))
