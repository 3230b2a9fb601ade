"""What can go wrong, grouped by who must act.

HdeError                    one or two lines for a person; never a secret, never a health value
├── WrongUse                the person who typed: an argument, an option, an invalid YAML file      exit 2
├── SignInNeeded            the person who owns the account: `hde auth CONNECTOR`                   exit 3
├── DatabaseUnreachable     the operator: Postgres is away, refuses us, or is not what we need      exit 4
│   └── DatabaseAway            it cannot be reached, perhaps for a moment
│       └── DatabaseInterrupted     it went away, or gave way to another, in the midst of the work: that may be repeated
├── Busy                    nobody: another hde is at work on the same account                      exit 5
└── SourceError             nobody yet: the source failed; what is owed stays owed                  exit 1
    ├── Refused             an answer that says no (a status or an error rule of the connector)
    ├── Unreadable          an answer that is not what it claims to be
    ├── Unreachable         no answer at all, however often it was tried
    └── Stopped             Ctrl-C or SIGTERM while waiting
"""

from __future__ import annotations


class HdeError(Exception):
    """An error a person can act on. `str(error)` is the whole message, one or two lines."""

    exit_code = 1


class WrongUse(HdeError):
    exit_code = 2


class SignInNeeded(HdeError):
    exit_code = 3


class DatabaseUnreachable(HdeError):
    exit_code = 4


class DatabaseAway(DatabaseUnreachable):
    pass


class DatabaseInterrupted(DatabaseAway):
    pass


class Busy(HdeError):
    exit_code = 5


class SourceError(HdeError):
    """The source, or the way to it, failed."""


class Refused(SourceError):
    """The source answered no. `status` is the HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Unreadable(SourceError):
    pass


class Unreachable(SourceError):
    pass


class Stopped(SourceError):
    pass
