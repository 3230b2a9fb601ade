"""Owed time, cut into the windows that are asked for one by one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hde.store.ledger import Span

RECENT = timedelta(days=730)
"""Without a declared beginning, only so much of the past is cut into steps; what is older stays one window."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BEGINNING = datetime.min.replace(tzinfo=UTC)


def cut(spans: Sequence[Span], step: timedelta | None, now: datetime) -> list[Span]:
    """Windows: spans cut at multiples of `step` since the epoch; the youngest first, then oldest first."""
    pieces = [piece for span in spans for piece in _cut(span, step, now)]
    pieces.sort(key=lambda piece: piece.start or _BEGINNING)
    return [*pieces[-1:], *pieces[:-1]]


def _cut(span: Span, step: timedelta | None, now: datetime) -> list[Span]:
    if step is None:
        return [span]
    at = span.start or max(_multiple(now - RECENT, step), _EPOCH)
    if at >= span.end:
        return [span]
    pieces = [] if span.start else [Span(None, at)]
    while at < span.end:
        upper = min(at + (step - (at - _EPOCH) % step), span.end)
        pieces.append(Span(at, upper))
        at = upper
    return pieces


def _multiple(at: datetime, step: timedelta) -> datetime:
    return _EPOCH + (at - _EPOCH) // step * step
