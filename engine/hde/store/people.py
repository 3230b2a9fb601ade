"""People: which accounts are one person, because somebody said so. Nothing here concludes it from names or dates."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg

from hde.store.database import Connection
from hde.store.journal import Account

Cursor = psycopg.Cursor[Any]


@dataclass(frozen=True)
class Belongs:
    """An account and the person it belongs to. `names` and the rest are the source's words; empty: it says none."""

    account: Account
    person: int
    linked_at: datetime | None
    names: tuple[str, ...] = ()
    birth_dates: tuple[date, ...] = ()
    sexes: tuple[str, ...] = ()


def people(connection: Connection) -> list[list[Belongs]]:
    """Everybody: the accounts of each person together, in the order in which they were connected."""
    found: dict[int, list[Belongs]] = {}
    for row in connection.execute(_PEOPLE).fetchall():
        one = Belongs(Account(*row[:4]), row[4], row[5], *(tuple(said) for said in row[6:]))
        found.setdefault(one.person, []).append(one)
    return list(found.values())


def link(connection: Connection, accounts: Iterable[int]) -> int:
    """Make the people that these accounts belong to one. Its number is the smallest of theirs. Committed at once."""
    with connection.transaction(), connection.cursor() as cursor:
        belongs = _locked(cursor)
        wanted = {belongs[account] for account in accounts}
        person = min(wanted)
        cursor.execute(
            "UPDATE canonical.person_accounts SET person = %s, linked_at = COALESCE(linked_at, now())"
            " WHERE person = ANY(%s)",
            (person, list(wanted)),
        )
    return person


def unlink(connection: Connection, account: int) -> None:
    """Make an account a person of its own again; the others it was one with stay together."""
    with connection.transaction(), connection.cursor() as cursor:
        belongs = _locked(cursor)
        others = sorted(one for one, person in belongs.items() if person == belongs[account] and one != account)
        if len(others) == 1:
            _alone(cursor, others)
        elif others:
            cursor.execute(
                "UPDATE canonical.person_accounts SET person = %s WHERE account = ANY(%s)", (others[0], others)
            )
        _alone(cursor, [account])


def _alone(cursor: Cursor, accounts: Sequence[int]) -> None:
    cursor.execute(
        "UPDATE canonical.person_accounts SET person = account, linked_at = NULL WHERE account = ANY(%s)",
        (list(accounts),),
    )


def _locked(cursor: Cursor) -> dict[int, int]:
    """Account -> person, of all; nobody else changes them until the transaction ends."""
    cursor.execute("LOCK TABLE canonical.person_accounts IN SHARE ROW EXCLUSIVE MODE")
    cursor.execute(
        "INSERT INTO canonical.person_accounts (account, person) SELECT id, id FROM meta.connections"
        " ON CONFLICT DO NOTHING"
    )
    cursor.execute("SELECT account, person FROM canonical.person_accounts")
    return dict(cursor.fetchall())


def differences(belongs: Collection[Belongs]) -> list[str]:
    """Reasons to doubt that these accounts are one person, as words for a person."""
    doubts = []
    for what, said in (("birth dates", "birth_dates"), ("sex", "sexes")):
        values = {str(value).casefold() for one in belongs for value in getattr(one, said)}
        if len(values) > 1:
            doubts.append(f"their {what} differ: {', '.join(sorted(values))}")
    return doubts


_PEOPLE = """
SELECT c.id, c.connector, c.external_id, c.kept, COALESCE(who.person, c.id), who.linked_at,
    COALESCE(said.names, '{}'), COALESCE(said.birth_dates, '{}'), COALESCE(said.sexes, '{}')
FROM meta.connections c LEFT JOIN canonical.person_accounts AS who ON who.account = c.id
    LEFT JOIN (
        SELECT account,
            array_agg(DISTINCT concat_ws(' ', given_name, family_name))
                FILTER (WHERE given_name IS NOT NULL OR family_name IS NOT NULL) AS names,
            array_agg(DISTINCT birth_date) FILTER (WHERE birth_date IS NOT NULL) AS birth_dates,
            array_agg(DISTINCT sex) FILTER (WHERE sex IS NOT NULL) AS sexes
        FROM canonical.user_identity GROUP BY account
    ) AS said ON said.account = c.id
ORDER BY min(c.id) OVER (PARTITION BY COALESCE(who.person, c.id)), c.id
"""
