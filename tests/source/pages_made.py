"""Sources that answer in pages, and resources that read them."""

from __future__ import annotations

from itertools import count

from source_made import Seen

from hde.source.pages import read_pages
from hde.spec.connector import Where

OFFSET = {"params": {"offset": "{{ page.offset }}", "limit": "{{ page.size }}"}, "records": "items"}
PAGE = {"params": {"page": "{{ page.number }}", "size": "{{ page.size }}"}, "records": "items"}
CURSOR = {"params": {"after": "{{ page.cursor }}", "limit": 2}, "records": "items"}
BODY_NEXT = Where(body="next")


def things(*numbers: int) -> list[dict[str, int]]:
    return [{"id": number} for number in numbers]


def read(session, what, bounds=None, resume=None):
    return list(read_pages(session, what, bounds, resume=resume, arrived=count(1).__next__))


def ids(pages):
    return [row.key[0] for page in pages for row in page.rows]


def offset_source(total: int, most: int = 2):
    def answer(seen: Seen):
        start = int(seen["offset"] or 0)
        return {"items": things(*range(start, min(start + most, total))), "total": total, "more": start + most < total}

    return answer


def page_source(total: int, most: int = 2):
    def answer(seen: Seen):
        start = (int(seen["page"] or 1) - 1) * most
        return {"items": things(*range(start, min(start + most, total))), "total": str(total)}

    return answer
