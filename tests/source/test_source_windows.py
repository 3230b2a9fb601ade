"""How spans of time are shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from hde.source.windows import Bounds, shown
from hde.spec.connector import Window

JAN = datetime(2026, 1, 1, tzinfo=UTC)
FEB = datetime(2026, 2, 1, tzinfo=UTC)
NOON = datetime(2026, 2, 1, 12, 30, 5, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("format_", "end", "bounds", "start_shown", "end_shown"),
    [
        ("rfc3339", "exclusive", (JAN, FEB), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        ("rfc3339", "exclusive", (NOON, FEB), "2026-02-01T12:30:05.250000Z", "2026-02-01T00:00:00Z"),
        ("rfc3339", "inclusive", (JAN, FEB), "2026-01-01T00:00:00Z", "2026-01-31T23:59:59.999999Z"),
        ("rfc3339", "exclusive", (None, FEB), None, "2026-02-01T00:00:00Z"),
        ("rfc3339", "exclusive", (JAN, None), "2026-01-01T00:00:00Z", None),
        ("date", "exclusive", (JAN, FEB), "2026-01-01", "2026-02-01"),
        ("date", "inclusive", (JAN, FEB), "2026-01-01", "2026-01-31"),
        ("date", "inclusive", (NOON, NOON), "2026-02-01", "2026-02-02"),
        ("date", "exclusive", (NOON, NOON), "2026-02-01", "2026-02-03"),
        ("epoch", "exclusive", (JAN, FEB), 1767225600, 1769904000),
        ("epoch", "inclusive", (NOON, NOON), 1769949005, 1769949005),
        ("epoch", "exclusive", (NOON, NOON), 1769949005, 1769949006),
        ("epoch_ms", "exclusive", (NOON, NOON), 1769949005250, 1769949005250),
        ("epoch_ms", "inclusive", (JAN, FEB), 1767225600000, 1769903999999),
        ("%d/%m/%Y", "inclusive", (JAN, FEB), "01/01/2026", "31/01/2026"),
        ("%d/%m/%Y", "exclusive", (NOON, NOON), "01/02/2026", "02/02/2026"),
        ("%Y%m%d%H%M", "inclusive", (JAN, NOON), "202601010000", "202602011230"),
        ("%Y-%m-%d %H:%M:%S", "inclusive", (JAN, FEB), "2026-01-01 00:00:00", "2026-01-31 23:59:59"),
    ],
)
def test_ends_are_shown_in_every_format(format_, end, bounds, start_shown, end_shown):
    window = Window(settle=timedelta(0), format=format_, end=end)
    assert shown(window, Bounds(*bounds)) == {"start": start_shown, "end": end_shown}


def test_what_is_asked_may_be_wider_than_the_window():
    window = Window(settle=timedelta(0), format="date", widen_before=timedelta(days=1), widen_after=timedelta(days=2))
    assert shown(window, Bounds(JAN, FEB)) == {"start": "2025-12-31", "end": "2026-02-03"}


def test_bounds_in_another_zone_are_shown_in_utc():
    there = timezone(timedelta(hours=2))
    window = Window(settle=timedelta(0))
    assert shown(window, Bounds(JAN.astimezone(there), None))["start"] == "2026-01-01T00:00:00Z"


def test_the_end_of_the_calendar_is_an_end():
    window = Window(settle=timedelta(0), widen_before=timedelta(days=9))
    assert shown(window, Bounds(datetime(1, 1, 1, tzinfo=UTC), None))["start"] == "0001-01-01T00:00:00Z"
