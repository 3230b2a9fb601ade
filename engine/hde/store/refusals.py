"""What PostgreSQL refuses and why, in words: by its five-character code, never by its text, which may hold values."""

from __future__ import annotations

import os

import psycopg

from hde.errors import DatabaseAway, DatabaseInterrupted, DatabaseUnreachable, HdeError

STAYS = "What is stored is safe; the next run goes on from there"
_DISK = ("the disk is full, or a limit of it is reached", f"Make room, or have temp_file_limit raised. {STAYS}.")
_DAMAGED = ("its files are damaged", "Stop it, look at its disk, and restore a backup (docs/database.md).")
_ABOUT: dict[str, tuple[str, str]] = {
    "25006": (
        "it only reads",
        "It is a standby, or default_transaction_read_only is on: point HDE_DATABASE_URL to the primary server.",
    ),
    "28000": ("it does not let this role in from here", "Look at its pg_hba.conf and at HDE_DATABASE_URL."),
    "28P01": ("the password is not that of the role", "Look at HDE_DATABASE_URL; %40 stands for an @ in it."),
    "3D000": ("there is no such database on it", "CREATE DATABASE makes one; or look at HDE_DATABASE_URL."),
    "42501": (
        "this role may not do that",
        "Run it as the owner of the database, or as a member of the roles that hde db grant makes (docs/roles.md).",
    ),
    "53100": _DISK,
    "53400": _DISK,
    "58030": ("its disk cannot be read or written", "Look at its log and its disk."),
    "53200": ("it has no memory left", f"Look at its log; HDE needs little: who else uses it? {STAYS}."),
    "53300": (
        "it takes no more connections",
        "A run needs up to eight: raise max_connections or the CONNECTION LIMIT of the role, or end other programs.",
    ),
    "55P03": (
        "somebody held a table for longer than lock_timeout",
        f"SELECT * FROM pg_locks WHERE granted says who, e.g. a VACUUM FULL or a forgotten transaction. {STAYS}.",
    ),
    "57014": (
        "a statement took longer than statement_timeout, or was cancelled",
        f"Give this role more: ALTER ROLE ... SET statement_timeout = '10min'. {STAYS}.",
    ),
    "40001": ("it gave way to another transaction, again and again", f"Try again later. {STAYS}."),
    "40P01": ("it and another transaction waited for each other, again and again", f"Try again later. {STAYS}."),
    "25P04": (
        "a transaction took longer than transaction_timeout",
        f"Give this role more: ALTER ROLE ... SET transaction_timeout = '30min'. {STAYS}.",
    ),
    "57P01": ("it was shut down, or somebody ended our connection", f"Try again when it is up. {STAYS}."),
    "57P02": ("it crashed", f"Try again when it is up; its log says why. {STAYS}."),
    "57P03": ("it is starting, stopping or recovering", "Try again when it is up; its log says how far it is."),
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}  # fmt: skip
_ANOTHER_TIME = ("40001", "40P01", "57P01", "57P02", "57P03", "57P05", "25P03")
"""Gone, or given way, in the midst of work that may be done again. Class 08 besides: the connection."""
MOMENTARY = ("53300", "57P03")
"""What a moment may change."""
_AT_SIGN_IN = {
    "too many clients already": "53300", "too many connections for": "53300", "connection slots are reserved": "53300",
    "system is starting up": "57P03", "system is shutting down": "57P03", "in recovery mode": "57P03",
    "not yet accepting connections": "57P03", "is not accepting connections": "57P03", "no pg_hba.conf entry": "28000",
    "password authentication failed": "28P01", "permission denied for database": "42501",
}  # fmt: skip
"""libpq hands on no code while connecting: these are told by their text, where the server speaks English."""


class DatabaseError(HdeError):
    """Postgres refused a statement. Holds SQLSTATE and names, never a value."""


def not_reached(error: psycopg.Error) -> DatabaseUnreachable:
    """No connection was made."""
    reason, state = _reason(error), state_at_sign_in(error)
    kind = DatabaseUnreachable if state and state != "57P03" else DatabaseAway
    if state in _ABOUT:
        what, advice = _ABOUT[state]
        return kind(f"{_where()}: {what} (PostgreSQL error {state}).\n{advice}")
    return kind(f"{_where()} cannot be reached: {reason}")


def state_at_sign_in(error: psycopg.Error) -> str | None:
    """Why a connection was refused, as far as that is known."""
    reason = _reason(error)
    if 'database "' in reason and reason.endswith("does not exist"):
        return "3D000"
    return error.sqlstate or next((state for text, state in _AT_SIGN_IN.items() if text in reason), None)


def refusal(error: psycopg.Error) -> HdeError:
    """A statement failed, or its connection did."""
    state = error.sqlstate
    is_away = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    if not state:
        if not is_away:
            return DatabaseError(_named(error))
        kind = DatabaseInterrupted if isinstance(error, psycopg.OperationalError) else DatabaseUnreachable
        return kind(f"{_where()} cannot be reached: {_reason(error)}")
    kind = DatabaseInterrupted if state in _ANOTHER_TIME or state.startswith("08") else DatabaseUnreachable
    if state in _ABOUT:
        what, advice = _ABOUT[state]
        return kind(f"{_where()}: {what}; {_named(error)}.\n{advice}")
    return kind(f"{_where()} refused: {_named(error)}") if is_away else DatabaseError(_named(error))


def refusal_of(state: str) -> HdeError:
    """Of a program that says no more than the code."""
    what, advice = _ABOUT.get(state, ("it refused", f"Look at its log. {STAYS}."))
    return DatabaseUnreachable(f"{_where()}: {what} (PostgreSQL error {state}); nothing was changed.\n{advice}")


def _reason(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _where() -> str:
    return "the database of HDE_DATABASE_URL" if os.environ.get("HDE_DATABASE_URL") else "the embedded database"


def _named(error: psycopg.Error) -> str:
    diagnosis = error.diag
    names = {
        "table": diagnosis.table_name, "column": diagnosis.column_name, "constraint": diagnosis.constraint_name,
    }  # fmt: skip
    said = ", ".join(f"{what} {name}" for what, name in names.items() if name)
    kind = type(error).__name__
    return f"PostgreSQL error {error.sqlstate or '?'} ({kind})" + (f" at {said}" if said else "")
