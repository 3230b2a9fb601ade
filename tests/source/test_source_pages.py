"""Every kind of pagination, every way it ends, every way it must not."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

import pytest
from pages_made import BODY_NEXT, CURSOR, OFFSET, PAGE, ids, offset_source, page_source, read, things
from source_made import Reply, resource

from hde.errors import Refused, Unreadable
from hde.source.pages import Bounds, read_pages
from hde.spec.connector import Cursor, ErrorRule, LinkHeader, NextUrl, Offset, PageNumber, RawColumn, Where, Window


@pytest.mark.parametrize(
    ("answer", "what", "requests", "stopped"),
    [
        (offset_source(5), {**OFFSET, "pagination": Offset(size=2)}, 4, "empty page"),
        (offset_source(5), {**OFFSET, "pagination": Offset(size=3)}, 4, "empty page"),
        (offset_source(5), {**OFFSET, "pagination": Offset(size=2, stop="short")}, 3, "short page"),
        (offset_source(5), {**OFFSET, "pagination": Offset(size=9, total=Where("total"))}, 3, "total reached"),
        (offset_source(5), {**OFFSET, "pagination": Offset(size=2, more=Where("more"))}, 3, "no more"),
        (offset_source(5, 5), {**OFFSET, "pagination": Offset(size=5)}, 2, "empty page"),
        (page_source(5), {**PAGE, "pagination": PageNumber(size=2)}, 4, "empty page"),
        (page_source(5), {**PAGE, "pagination": PageNumber(size=2, stop="short")}, 3, "short page"),
        (page_source(5), {**PAGE, "pagination": PageNumber(size=2, total=Where("total"))}, 3, "total reached"),
    ],
)
def test_counted_pages_end_where_they_end(source, open_session, answer, what, requests, stopped):
    source.answer = answer
    pages = read(open_session(), resource(**what))
    assert ids(pages) == ["0", "1", "2", "3", "4"]
    assert (len(source.seen), pages[-1].stopped, pages[-1].next) == (requests, stopped, None)
    assert [page.ordinal for page in pages] == list(range(1, requests + 1))


def test_a_short_page_that_is_not_the_last_loses_nothing(source, open_session):
    source.answer = lambda seen: {"items": things(*{0: [0, 1, 2], 3: [3], 4: [4, 5, 6]}.get(int(seen["offset"]), []))}
    pages = read(open_session(), resource(**OFFSET, pagination=Offset(size=3)))
    assert ids(pages) == [str(number) for number in range(7)]


def test_page_numbers_may_begin_at_nought(source, open_session):
    source.answer = lambda seen: {"items": things(0) if seen["page"] == "0" else []}
    read(open_session(), resource(**PAGE, pagination=PageNumber(first=0)))
    assert [(seen["page"], seen["size"]) for seen in source.seen] == [("0", None), ("1", None)]


@pytest.mark.parametrize("nothing", [{}, {"next": None}, {"next": ""}, {"next": False}, {"next": 0}, {"next": []}])
def test_a_cursor_that_is_nothing_ends_paging(source, open_session, nothing):
    pages = {
        None: {"items": things(1), "next": "b c"},
        "b c": {"items": [], "next": 7},
        "7": {"items": things(2), **nothing},
    }
    source.answer = lambda seen: pages[seen["after"]]
    found = read(open_session(), resource(**CURSOR, pagination=Cursor(BODY_NEXT)))
    assert (ids(found), [page.stopped for page in found]) == (["1", "2"], [None, None, "no next"])
    assert "after" not in source.seen[0].query


@pytest.mark.parametrize("nothing", [{}, {"X-Next": ""}, {"X-Next": "0"}, {"X-Next": "false"}])
def test_a_cursor_may_stand_in_a_header(source, open_session, nothing):
    source.in_turn(Reply(things(1), headers={"X-Next": "2"}), Reply(things(2), headers=nothing))
    what = resource(params=CURSOR["params"], pagination=Cursor(Where(header="X-Next")))
    assert ids(read(open_session(), what)) == ["1", "2"]


@pytest.mark.parametrize("next_", [True, {"a": 1}, ["a"], "x" * 20_000])
def test_a_cursor_that_is_none_is_unreadable(source, open_session, next_):
    source.in_turn({"items": things(1), "next": next_})
    with pytest.raises(Unreadable, match="a cursor was expected"):
        read(open_session(), resource(**CURSOR, pagination=Cursor(BODY_NEXT)))


def test_a_cursor_in_circles_is_an_error_after_its_page_was_handed_on(source, open_session):
    pages = {None: ("1", "a"), "a": ("2", "b"), "b": ("3", "a")}
    source.answer = lambda seen: {"items": things(int(pages[seen["after"]][0])), "next": pages[seen["after"]][1]}
    found = []
    with pytest.raises(Unreadable, match="repeats a page"):
        found.extend(
            read_pages(open_session(), resource(**CURSOR, pagination=Cursor(BODY_NEXT)), None, arrived=count().__next__)
        )
    assert len(source.seen) == 3


def test_the_page_before_a_circle_is_not_to_be_resumed(source, open_session):
    source.answer = lambda seen: {"items": things(1), "next": "a"}
    pages = read_pages(open_session(), resource(**CURSOR, pagination=Cursor(BODY_NEXT)), None, arrived=count().__next__)
    assert next(pages).next == {"cursor": "a", "pages": 1}
    second = next(pages)
    assert (second.next, second.stopped) == (None, None)
    with pytest.raises(Unreadable):
        next(pages)


@pytest.mark.parametrize("nothing", [Reply(status=204), Reply(b""), Reply(b"\r\n")])
def test_nothing_where_the_source_named_a_next_page_is_no_end(source, open_session, nothing):
    source.in_turn({"items": things(1), "next": "2"}, nothing)
    with pytest.raises(Unreadable, match="names a next page and answers it with nothing"):
        read(open_session(), resource(**CURSOR, pagination=Cursor(BODY_NEXT)))


def test_nothing_on_a_next_page_is_an_end_where_a_rule_says_so(source, open_session):
    source.in_turn({"items": things(1), "next": "2"}, Reply(status=204))
    what = resource(**CURSOR, pagination=Cursor(BODY_NEXT), errors=(ErrorRule("empty", (204,)),))
    assert ids(read(open_session(), what)) == ["1"]


def test_a_page_of_blanks_is_not_an_empty_one(source, open_session):
    source.in_turn(Reply(b" " * 1000))
    with pytest.raises(Unreadable, match="is not JSON"):
        read(open_session(), resource())


@pytest.mark.parametrize("what", [{**PAGE, "pagination": PageNumber()}, {**OFFSET, "pagination": Offset()}])
def test_a_source_that_ignores_the_page_is_an_error(source, open_session, what):
    source.in_turn({"items": things(1, 2)})
    with pytest.raises(Unreadable, match="repeats a page"):
        read(open_session(), resource(**what))
    assert len(source.seen) == 2


def test_an_offset_that_does_not_grow_is_an_error(source, open_session):
    source.in_turn({"items": [], "more": True})
    with pytest.raises(Unreadable, match="repeats a page"):
        read(open_session(), resource(**OFFSET, pagination=Offset(more=Where("more"))))


def test_max_pages_is_an_error_never_a_success(source, open_session):
    numbers = count()
    source.answer = lambda seen: {"items": things(next(numbers)), "next": f"c{len(source.seen)}"}
    with pytest.raises(Unreadable, match="more than the 3 pages"):
        read(open_session(), resource(**CURSOR, pagination=Cursor(BODY_NEXT, max_pages=3)))
    assert len(source.seen) == 3


def test_a_window_that_ends_on_its_last_allowed_page_is_complete(source, open_session):
    source.in_turn({"items": things(1), "next": "a"}, {"items": things(2)})
    assert len(read(open_session(), resource(**CURSOR, pagination=Cursor(BODY_NEXT, max_pages=2)))) == 2


@pytest.mark.parametrize("link", ["{url}/api/more?p=2", "/api/more?p=2", "more?p=2"])
def test_a_next_url_is_gone_to_as_it_stands(source, open_session, link):
    source.in_turn({"items": things(1), "next": link.replace("{url}", source.url)}, {"items": things(2)})
    session = open_session(http={"headers": {"X-Key": "k"}, "params": {"everywhere": "1"}})
    what = resource(params={"first": "1"}, records="items", pagination=NextUrl(BODY_NEXT))
    assert ids(read(session, what)) == ["1", "2"]
    assert source.seen[0].query == {"first": ["1"], "everywhere": ["1"]}
    assert (source.seen[1].raw_path, source.seen[1].headers["x-key"]) == ("/api/more?p=2", "k")


@pytest.mark.parametrize(
    "header",
    [
        '<{url}/api/more?p=2,3>; rel="next"',
        '<{url}/x>; rel="prev", </api/more?p=2,3>;title="a, b"; REL=next',
        '<{url}/x>; rel=last,<{url}/api/more?p=2,3>; rel="nofollow next"',
    ],
)
def test_a_link_header_leads_on(source, open_session, header):
    source.in_turn(
        Reply(things(1), headers={"Link": header.replace("{url}", source.url)}),
        Reply(things(2), headers={"Link": f'<{source.url}/x>; rel="first"'}),
    )
    assert ids(read(open_session(), resource(pagination=LinkHeader()))) == ["1", "2"]
    assert source.seen[1].raw_path == "/api/more?p=2,3"


@pytest.mark.parametrize("tail", [";a " * 2000 + "!", " " * 7000 + "!", ';a="' + "a" * 6000])
def test_a_hostile_link_header_is_read_in_time(source, open_session, tail):
    source.in_turn(Reply(things(1), headers={"Link": "</api/x>" + tail}))
    [page] = read(open_session(), resource(pagination=LinkHeader()))
    assert page.stopped == "no next"


def test_a_link_header_too_long_to_be_read_is_no_end(source, open_session):
    source.in_turn(Reply(things(1), headers={"Link": "x" * 9000}))
    with pytest.raises(Unreadable, match="Link header"):
        read(open_session(), resource(pagination=LinkHeader()))


@pytest.mark.parametrize(
    "link", ["https://evil.example/x", "//evil.example/x", "http://127.0.0.1:1/", "file:///etc/passwd"]
)
def test_a_next_page_on_another_origin_is_refused(source, other_source, open_session, link):
    for target in (link, other_source.url):
        source.in_turn({"items": things(1), "next": target})
        with pytest.raises(Refused, match="next page"):
            read(open_session(), resource(records="items", pagination=NextUrl(BODY_NEXT)))
    assert other_source.seen == []


@pytest.mark.parametrize(
    ("rule", "status", "outcome", "stopped"),
    [("skip", 403, "skip", "skipped: 403"), ("empty", 404, "empty", "empty: 404"), (None, 204, "empty", "empty: 204")],
)
def test_what_is_not_there_and_what_is_not_allowed_are_told_apart(source, open_session, rule, status, outcome, stopped):
    source.in_turn(Reply(status=status))
    rules = (ErrorRule(rule, (status,)),) if rule else ()
    [page] = read(open_session(), resource(records="items", errors=rules))
    assert (page.outcome, page.stopped, page.rows, page.next) == (outcome, stopped, [], None)


def test_one_object_is_a_page_of_its_own(source, open_session):
    source.in_turn({"id": 5})
    [page] = read(open_session(), resource())
    assert (ids([page]), page.stopped, page.requests) == (["5"], "single page", 1)


@pytest.mark.parametrize(
    ("body", "records"),
    [
        (b'{"records": null}', "records"),
        (b"{}", "records"),
        (b'{"records": 7}', "records"),
        (b'{"records": [{"id": 1}', "records"),
        (b'[{"id": 1}, {"id', None),
        (b'{"id": 1', None),
        (b'"text"', None),
        (b"null", None),
        (b"nonsense", None),
        (b'{"a": {"b": null}}', "a.b[?x]"),
    ],
)
def test_a_page_without_records_is_a_failure_not_an_empty_one(source, open_session, body, records):
    source.in_turn(Reply(body))
    with pytest.raises(Unreadable, match="things"):
        read(open_session(), resource(records=records))


def test_one_bad_record_stops_itself_only(source, open_session):
    source.in_turn(Reply(b'{"items": [{"id": 1}, {"id": nul}, {"x": 1}, 7, {"id": "x"}, {"id": 2}]}'))
    [page] = read(open_session(), resource(records="items"))
    assert ids([page]) == ["1", "2"]
    assert [(issue.path, issue.rule) for issue in page.unkeyed] == [
        ("", "not JSON"),
        ("id", "key missing"),
        ("", "not an object"),
        ("id", "bigint: form"),
    ]


def test_a_window_is_rendered_and_readable_by_columns(source, open_session):
    source.in_turn({"items": [{"id": 1}]})
    what = resource(
        params={"from": "{{ window.start }}", "to": "{{ window.end }}"},
        records="items",
        window=Window(settle=datetime.resolution, format="date"),
        columns={"id": "bigint"},
    )
    extra = (RawColumn("day", "date", "$window.start"), RawColumn("who", "text", "$account.id"))
    what = type(what)(**{**vars(what), "columns": what.columns + extra})
    session = open_session()
    session.identify()
    bounds = Bounds(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    [page] = read(session, what, bounds)
    assert source.seen[0].query == {"from": ["2026-01-01"], "to": ["2026-02-01"]}
    assert page.read()[0][0].values == ("1", "2026-01-01", "default")


def test_pages_are_asked_for_only_when_wanted(source, open_session):
    source.answer = offset_source(50)
    pages = read_pages(open_session(), resource(**OFFSET, pagination=Offset()), None, arrived=count().__next__)
    next(pages)
    next(pages)
    assert len(source.seen) == 2


def test_templates_can_send_the_page_in_the_path(source, open_session):
    source.answer = lambda seen: {"items": things(1) if seen.path.endswith("/1") else []}
    what = resource("/things/{{ page.number }}", records="items", pagination=PageNumber())
    assert ids(read(open_session(), what)) == ["1"]
