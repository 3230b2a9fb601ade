"""Forgetting an account: all of its rows in one transaction, its token with them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from hde.steps.accounts import TOKEN_FILE
from hde.store import forget as rows
from hde.store.database import Database
from hde.store.journal import Account
from hde.store.only_run import only_run


def forget(database: Database, home: Path, account: Account) -> Mapping[str, int]:
    """Delete everything of it, wherever its token is kept. Rows that went, by table; a token in the file counts as one
    of meta.tokens. Busy while another hde is at work on it.
    """
    with ExitStack() as stack:
        stack.enter_context(only_run(database, account, "forget"))
        connection = stack.enter_context(database.connection())
        with connection.transaction(), connection.cursor() as cursor:
            gone = dict(rows.forget(cursor, account))
            # The last step before the commit: should it fail, nothing is gone; should the commit fail, the token is,
            # and the account can still be named to forget the rest.
            if _forget_token(home, account):
                gone["meta.tokens"] = gone.get("meta.tokens", 0) + 1
    return gone


def _forget_token(home: Path, account: Account) -> bool:
    path = home / TOKEN_FILE
    if not path.exists():
        return False
    from hde.tokens.file import FileTokens
    from hde.tokens.seal import SecretKey

    tokens = FileTokens(path, SecretKey(b"", "nowhere"))  # a lost key must not keep anybody from deleting
    with tokens.locked(account.connector, account.external_id):
        if account.external_id not in tokens.accounts(account.connector):
            return False
        tokens.remove(account.connector, account.external_id)
    return True
