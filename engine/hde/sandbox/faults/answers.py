"""Faults on the way: what is refused, broken off, delayed or mislabelled, while the source itself is well."""

from __future__ import annotations

import json
import struct
import time
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, ClassVar

from hde.sandbox.exchange import HTML, Delivery, Reply
from hde.sandbox.faults.bounds import number, word
from hde.sandbox.faults.case import Case

PAGE = b"<!DOCTYPE html><html><head><title>Sorry</title></head><body><h1>We will be right back</h1></body></html>"
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Status:
    """Another status in place of the answer: 500, 502, 503, 504, or any from 400."""

    name: ClassVar = "status"
    status: int = number(503, 400, 599)

    def answer(self, case: Case) -> Reply:
        return _failure(self.status, "Failing as told")


@dataclass(frozen=True)
class Wait:
    """429, and how long to wait in a header: in seconds, as a date, as an epoch; in the past, absurd, not at all."""

    name: ClassVar = "wait"
    header: str = "Retry-After"
    says: str = word("seconds", "seconds", "date", "epoch", "past", "absurd", "nothing")
    seconds: int = number(1, 0, 3600)

    def answer(self, case: Case) -> Reply:
        then = datetime.now(UTC) + timedelta(seconds=self.seconds)
        said = {
            "seconds": str(self.seconds),
            "date": format_datetime(then, usegmt=True),
            "epoch": str(int(then.timestamp())),
            "past": format_datetime(then - timedelta(hours=1), usegmt=True),
            "absurd": "99999999999",
        }
        headers = {self.header: said[self.says]} if self.says in said else {}
        return _failure(429, "Too many requests")._replace(headers=headers)


@dataclass(frozen=True)
class Reset:
    """The connection is reset before a byte of the answer; the request was not seen."""

    name: ClassVar = "reset"

    def answer(self, case: Case) -> Reply:
        return Reply(200, delivery=Delivery(sent=0))


@dataclass(frozen=True)
class BrokenBody:
    """The connection is reset in the middle of the body, after a share of it."""

    name: ClassVar = "broken_body"
    share: float = number(0.5, 0.01, 0.99)

    def answer(self, case: Case) -> Reply:
        return case.pass_on()._replace(delivery=Delivery(sent=self.share))


@dataclass(frozen=True)
class Lost:
    """The request is carried out, and its answer never arrives."""

    name: ClassVar = "lost"
    seconds: float = number(0.0, 0, 600)
    """Until the connection is reset."""

    def answer(self, case: Case) -> Reply:
        return case.pass_on()._replace(delivery=Delivery(delay=self.seconds, sent=0))


@dataclass(frozen=True)
class Hang:
    """Nothing comes for some seconds; then the connection is reset. The request was not seen."""

    name: ClassVar = "hang"
    seconds: float = number(30.0, 0, 600)

    def answer(self, case: Case) -> Reply:
        return Reply(200, delivery=Delivery(delay=self.seconds, sent=0))


@dataclass(frozen=True)
class Drip:
    """The body comes drop by drop, within some seconds."""

    name: ClassVar = "drip"
    seconds: float = number(5.0, 0, 600)

    def answer(self, case: Case) -> Reply:
        return case.pass_on()._replace(delivery=Delivery(spread=self.seconds))


@dataclass(frozen=True)
class Truncated:
    """The answer ends early and says that it is whole."""

    name: ClassVar = "truncated"
    share: float = number(0.5, 0.01, 0.99)

    def answer(self, case: Case) -> Reply:
        reply = case.pass_on()
        return reply._replace(body=reply.body[: int(len(reply.body) * self.share)])


@dataclass(frozen=True)
class Html:
    """A page of HTML with status 200 in place of the answer."""

    name: ClassVar = "html"

    def answer(self, case: Case) -> Reply:
        return Reply(200, PAGE, HTML)


@dataclass(frozen=True)
class ContentType:
    """The right body with a wrong Content-Type."""

    name: ClassVar = "content_type"
    says: str = "text/plain;charset=utf-16"

    def answer(self, case: Case) -> Reply:
        return case.pass_on()._replace(kind=self.says)


@dataclass(frozen=True)
class Charset:
    """The body in another encoding than JSON's, and the Content-Type says so."""

    name: ClassVar = "charset"
    charset: str = word("utf-16", "utf-16", "utf-32", "cp037")

    def answer(self, case: Case) -> Reply:
        reply = case.pass_on()
        return reply._replace(
            body=reply.body.decode("utf-8", "replace").encode(self.charset),
            kind=f"application/json;charset={self.charset}",
        )


@dataclass(frozen=True)
class GzipBomb:
    """A small body that unpacks to many megabytes of blanks."""

    name: ClassVar = "gzip_bomb"
    megabytes: int = number(300, 1, 1024)

    def answer(self, case: Case) -> Reply:
        return Reply(200, _packed_blanks(self.megabytes), headers={"Content-Encoding": "gzip"})


@dataclass(frozen=True)
class Empty:
    """204 without a body in place of the answer."""

    name: ClassVar = "empty"

    def answer(self, case: Case) -> Reply:
        return Reply(204)


@dataclass(frozen=True)
class Clock:
    """The Date header is hours away from the time that it is."""

    name: ClassVar = "clock"
    hours: float = number(5.0, -100_000, 100_000)

    def answer(self, case: Case) -> Reply:
        reply = case.pass_on()
        date = format_datetime(datetime.fromtimestamp(time.time() + self.hours * 3600, UTC), usegmt=True)
        return reply._replace(headers={**reply.headers, "Date": date})


@dataclass(frozen=True)
class Expired:
    """The access tokens that are out end just before this request."""

    name: ClassVar = "expired"

    def answer(self, case: Case) -> Reply:
        case.end_access()
        return case.pass_on()


@dataclass(frozen=True)
class InvalidGrant:
    """The token endpoint's word for a grant that has ended."""

    name: ClassVar = "invalid_grant"

    def answer(self, case: Case) -> Reply:
        said = {"error": "invalid_grant", "error_description": "Failing as told"}
        return Reply(400, json.dumps(said).encode())


def _packed_blanks(megabytes: int) -> bytes:
    """As one member of gzip: what follows the first one is not unpacked by every client."""
    blanks = b" " * MEGABYTE
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)  # begins and ends at a byte, refers to nothing
    checksum = 0
    for _ in range(megabytes):
        checksum = zlib.crc32(blanks, checksum)
    head = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    return head + block * megabytes + b"\x03\x00" + struct.pack("<II", checksum, megabytes * MEGABYTE)


def _failure(status: int, message: str) -> Reply:
    return Reply(status, json.dumps({"code": status, "message": message}).encode())


ANSWERS: tuple[Any, ...] = (
    Status, Wait, Reset, BrokenBody, Lost, Hang, Drip, Truncated, Html, ContentType, Charset, GzipBomb, Empty, Clock,
    Expired, InvalidGrant,
)  # fmt: skip
