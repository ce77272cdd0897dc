"""How Twilio's SDK reaches Twilio: one attempt, an end to every reply, nothing logged or kept, one address if asked.

The SDK's own transport logs each request, keeps the last reply, bounds a silence and not a reply, and drops the headers
of a refusal, of which Retry-After is one.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from twilio.http import HttpClient
from twilio.http.response import Response
from urllib3 import exceptions as wire

from ledger.errors import JobError
from providers.asking import ask
from providers.bounds import MOST, MOST_OF_A_RECORDING, connect_within
from providers.opening import json_of
from providers.refusals import Garbled, Refused, unanswered, unreachable
from providers.voice import Fetched, Write

CHUNK: Final = 256 * 1024
CONNECTIONS: Final = 20
GOOD: Final = range(200, 300)


class Wire(HttpClient):  # type: ignore[misc] # the SDK has no types
    """A transport for the SDK that threads may share; raises Refused for every status but a good one.

    `base` replaces the hosts of all of Twilio's products; empty leaves them. Times are in seconds.
    """

    def __init__(self, *, base: str, timeout: float, media_timeout: float) -> None:
        super().__init__(logging.getLogger(__name__), is_async=False, timeout=timeout)
        self._base = base
        self._seconds, self._media_seconds = timeout, media_timeout
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS, max_retries=0))

    def request(
        self,
        method: str,
        url: str,
        params: Any = None,
        data: Any = None,
        headers: Any = None,
        auth: Any = None,
        timeout: float | None = None,  # noqa: ARG002 - the transport's own holds for all
        allow_redirects: bool = False,  # noqa: ARG002 - the SDK's signature; none is followed
    ) -> Response:
        """Send what the SDK asks for, and return its answer."""
        with self._sent(method, url, self._seconds, params=params, data=data, headers=headers, auth=auth) as answer:
            content = b"".join(_pieces(answer, monotonic() + self._seconds, MOST))
        if answer.status_code not in GOOD:
            raise Refused(answer.status_code, json_of(content), answer.headers)
        return Response(answer.status_code, content.decode(errors="replace"), answer.headers)

    def pour(self, url: str, auth: tuple[str, str], write: Write, meaning: Any) -> Fetched:
        """Write the bytes at an address of Twilio's; what `write` raises stays as it is."""
        with ExitStack() as opened:

            def begin() -> requests.Response:
                answer = opened.enter_context(self._sent("GET", url, self._media_seconds, auth=auth))
                if answer.status_code not in GOOD:
                    content = b"".join(_pieces(answer, monotonic() + self._seconds, MOST))
                    raise Refused(answer.status_code, json_of(content), answer.headers)
                if not answer.headers.get("content-type", "").startswith("audio/"):
                    raise Garbled
                return answer

            deadline = monotonic() + self._media_seconds
            answer = ask(begin, meaning)
            pieces = _pieces(answer, deadline, MOST_OF_A_RECORDING)
            size = 0
            while piece := ask(lambda: next(pieces, b""), meaning):
                write(piece)
                size += len(piece)
            return ask(lambda: _whole(size, answer), meaning)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    @contextmanager
    def _sent(self, method: str, url: str, seconds: float, **what: Any) -> Iterator[requests.Response]:
        answer = self._session.request(
            method,
            self._there(url),
            timeout=(connect_within(seconds), seconds),
            allow_redirects=False,
            stream=True,
            **what,
        )
        try:
            yield answer
        finally:
            answer.close()

    def _there(self, url: str) -> str:
        if not self._base:
            return url
        parts = urlsplit(url)
        return self._base + parts.path + (f"?{parts.query}" if parts.query else "")


def unheard(error: Exception, who: Any) -> JobError | None:
    """Say what an error of the transport means, None for any other."""
    match error:
        case requests.Timeout() | wire.TimeoutError():
            return unanswered(who)
        case requests.RequestException() | wire.HTTPError():
            return unreachable(who)
    return None


def _pieces(answer: requests.Response, deadline: float, most: int) -> Iterator[bytes]:
    """Yield a body as it comes, until its end, its deadline or its bound; urllib3 itself misses none of its bytes."""
    size = 0
    while piece := answer.raw.read1(CHUNK, decode_content=True):
        size += len(piece)
        if monotonic() > deadline:
            raise requests.ReadTimeout
        if size > most:
            raise requests.ConnectionError
        yield piece


def _whole(size: int, answer: requests.Response) -> Fetched:
    if not size:
        raise Garbled
    return Fetched(bytes=size, content_type=answer.headers.get("content-type", ""))
