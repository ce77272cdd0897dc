"""Whose mail it is: Resend's SDK has one account for a whole process, and we may have several, on many threads.

The SDK reads its key, address and transport from module globals. We put one transport there, once, and it asks who
is sending: the account is bound to the running thread or task for the time of a call. No key lies in a global.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from providers.bounds import bounds, connect_within
from providers.once import Once
from providers.quiet import quiet

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class Account:
    """A key, the address it is for, and the connections to it."""

    api_key: str = field(repr=False)
    base_url: str
    http: "httpx.Client"

    @classmethod
    def open(cls, *, api_key: str, base_url: str, timeout: float) -> Self:
        """Return an account whose calls end after `timeout` seconds."""
        import httpx

        quiet("httpcore")
        quiet("httpx", above=logging.INFO)  # at INFO it writes every address, and a contact's is in ours
        return cls(
            api_key=api_key,
            base_url=base_url,
            http=httpx.Client(
                timeout=httpx.Timeout(timeout, connect=connect_within(timeout)),
                event_hooks=bounds(httpx, timeout),
            ),
        )


class NotAReceipt(Exception):
    """What came back with a good status is not JSON; the SDK would call that a failure of the server."""


class SentAway(Exception):
    """The address answered with a redirection: a mail is not sent after it."""


_current: ContextVar[Account] = ContextVar("resend_account")


@contextmanager
def using(account: Account) -> Iterator[None]:
    """Let the SDK's calls of this thread or task go to this account."""
    _installed()
    token = _current.set(account)
    try:
        yield
    finally:
        _current.reset(token)


def _install() -> None:
    import resend

    class Transport(resend.HTTPClient):
        """Sends each request to the account that is bound where it is made."""

        def request(
            self,
            method: str,
            url: str,
            headers: Mapping[str, str],
            json: Any = None,
            files: Any = None,
            data: Any = None,
        ) -> tuple[bytes, int, Mapping[str, str]]:
            account = _current.get()
            reply = account.http.request(
                method,
                account.base_url + url,
                headers={**headers, "Authorization": f"Bearer {account.api_key}"},
                json=json,
                files=files,
                data=data,
            )
            _look_at(reply)
            return reply.content, reply.status_code, dict(reply.headers)

    resend.api_url = ""
    resend.default_http_client = Transport()


def _look_at(reply: "httpx.Response") -> None:
    if reply.is_redirect:
        raise SentAway
    if reply.is_success:
        try:
            reply.json()
        except ValueError:
            raise NotAReceipt from None
        if "application/json" not in reply.headers.get("content-type", ""):
            raise NotAReceipt


_installed = Once(_install)
