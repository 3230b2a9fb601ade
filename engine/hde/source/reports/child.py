"""Reads one PDF: `python -m hde.source.reports.child`, templates and then the file on standard input, records out.

A file can make what reads PDFs take any time and memory, or end in any error: here it takes only this process along.
Every line it writes is a JSON object: `{"page": 3}` as it begins a page, `{"record": ...}`, and at last `{"end": true}`
or `{"error": "..."}`. Health values go nowhere else: nothing is written to standard error.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator

import msgspec
import pdfplumber
from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect
from pdfplumber.utils.exceptions import PdfminerException

from hde.errors import HdeError, Unreadable
from hde.source.reports.documents import documents
from hde.source.reports.lines import Line, Word, lines_of
from hde.spec.report import ReportTemplate

DAMAGED = "is damaged, or written in a way that is not understood"
MOST_PAGES = 500
MOST_WORDS = 20_000
"""Of a page; small print that fills one has 2,000."""
LONGEST_LINE = 2_000
"""Characters."""
PAGE_SECONDS = 20
"""Of CPU. A page of a report takes a tenth of one."""
MEMORY = 1536 * 1024 * 1024
"""Bytes of address space, a third of which Python and its libraries map."""


class Job(msgspec.Struct):
    templates: tuple[ReportTemplate, ...]
    patterns: dict[str, str]
    seconds: int = PAGE_SECONDS
    memory: int = MEMORY


def main() -> None:
    logging.disable()  # what reads PDFs warns of oddities by the thousand
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
    _hold_memory(job.memory)
    _say({})  # from here on it is the file that is at fault
    try:
        for record in documents(_pages(sys.stdin.buffer.read(), job.seconds), job.templates, job.patterns):
            _say({"record": record})
    except HdeError as error:
        _say({"error": str(error)})
    except (MemoryError, PDFEncryptionError, PDFPasswordIncorrect, PdfminerException) as error:
        _say({"error": _why(error, job.memory)})
    else:
        _say({"end": True})


def _why(error: BaseException, memory: int) -> str:
    """The words for what stopped the reading; whoever started it puts the page before them."""
    found = (error, *error.args)  # what reads the words wraps what reads the file
    if any(isinstance(one, MemoryError) for one in found):
        return f"takes more than {memory // 1024 // 1024} MB of memory"
    if any(isinstance(one, PDFEncryptionError | PDFPasswordIncorrect) for one in found):
        return "is encrypted: save it without its password"
    return DAMAGED


def _pages(text: bytes, seconds: int) -> Iterator[tuple[int, list[Line]]]:
    """The lines of each page; nothing is kept of a page that has been read."""
    _allow_seconds(seconds)
    with pdfplumber.open(io.BytesIO(text)) as pdf:
        if len(pdf.pages) > MOST_PAGES:
            raise Unreadable(f"has {len(pdf.pages)} pages; {MOST_PAGES} are the most")
        for number, page in enumerate(pdf.pages, 1):
            _say({"page": number})
            _allow_seconds(seconds)
            words = _words(page)
            if not words and page.images:
                raise Unreadable(f"page {number} is a picture without text: let a program read it first (ocrmypdf)")
            lines = lines_of(number, words)
            if any(len(line.text) > LONGEST_LINE for line in lines):
                raise Unreadable(f"page {number}: a line of more than {LONGEST_LINE} characters")
            yield number, lines
            page.close()
            pdf.doc._cached_objs.clear()  # the contents of pages, which are not come back to


def _words(page: pdfplumber.page.Page) -> list[Word]:
    if len(page.chars) > MOST_WORDS * 10:
        raise Unreadable(f"a page of more than {MOST_WORDS * 10} characters")
    found = page.extract_words(x_tolerance_ratio=0.2)
    if len(found) > MOST_WORDS:
        raise Unreadable(f"a page of more than {MOST_WORDS} words")
    return [Word(one["text"], one["x0"], one["x1"], one["top"], one["bottom"]) for one in found]


def _say(said: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    sys.stdout.buffer.flush()


def _hold_memory(most: int) -> None:
    """Where the system can hold a process to it."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _allow_seconds(seconds: int) -> None:
    """From now on so many; the system ends the process that takes more."""
    if sys.platform != "win32":
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(used.ru_utime + used.ru_stime) + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


if __name__ == "__main__":
    main()
