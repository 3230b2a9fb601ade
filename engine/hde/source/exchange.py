"""One request outside a session: for a token, a discovery document, a revocation. Sends once, follows nothing."""

from __future__ import annotations

import httpx

from hde.errors import Unreachable, Unreadable, WrongUse
from hde.source.outgoing import Outgoing
from hde.source.transport import Reply, new_client, replied

TIMEOUT = httpx.Timeout(connect=10, read=30, write=30, pool=10)
LARGEST = 1024 * 1024


class NotSent(Unreachable):
    """No connection: the provider cannot have seen the request."""


def exchange(outgoing: Outgoing, where: str, *, timeout: httpx.Timeout = TIMEOUT, largest: int = LARGEST) -> Reply:
    """The answer, whatever its status; `where` begins every message. Redirects are not followed: secrets would travel.

    Raises NotSent, Unreachable (it may have been seen), Unreadable, and WrongUse for an address that is none.
    """
    try:
        with (
            new_client() as client,
            client.stream(
                outgoing.method, outgoing.url, headers=dict(outgoing.headers), content=outgoing.content, timeout=timeout
            ) as response,
        ):
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > largest:
                    raise Unreadable(f"{where} was answered with more than {largest // 1024**2} MB")
            return replied(response, bytes(body))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise NotSent(f"{where} found no connection ({type(error).__name__})") from None
    except (httpx.UnsupportedProtocol, httpx.InvalidURL):
        raise WrongUse(f"{where}: its address is no http or https address") from None
    except httpx.RequestError as error:
        raise Unreachable(f"{where} got no answer ({type(error).__name__})") from None
