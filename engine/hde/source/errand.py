"""A request sent for what it does: users registered, grants revoked. Of its answer only the outcome matters."""

from __future__ import annotations

from types import MappingProxyType

from hde.errors import Refused
from hde.source.session import Session
from hde.spec.connector import ErrorRule
from hde.spec.request import Errand
from hde.spec.template import Scope

_ANY_SUCCESS = ErrorRule("empty", tuple(range(200, 300)))
"""After the rules of the connector, so that an answer nobody reads need not be JSON."""


def run_errand(session: Session, errand: Errand, scope: Scope = MappingProxyType({})) -> int:
    """How many requests it took. Raises as `Session.answer` does where the source refuses."""
    rules = (*errand.errors, *session.connector.http.errors, _ANY_SUCCESS)
    answer = session.answer(errand.request, scope, rules)
    if answer.outcome == "restart":
        raise Refused(
            f"{session.connector.name}: answers {answer.status}, and there is nothing to restart", answer.status
        )
    return answer.requests
