"""A vendor without an SDK worth its weight: JSON in and out, and a recording's bytes passed on as they come."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from ledger.errors import JobError
from providers.asking import ask
from providers.bounds import MOST_OF_A_RECORDING
from providers.once import Once
from providers.opening import json_of, open_client
from providers.refusals import Garbled, Refused
from providers.voice import Fetched, Write

if TYPE_CHECKING:
    import httpx

Answer = TypeVar("Answer")

CHUNK: Final = 256 * 1024
NO_RECORDING: Final = ("text/", "application/json", "application/xml")
"""Media types under which an error page comes with a good status."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A good answer: its status, and its JSON, None where it has no body."""

    status: int
    body: object


class Rest:
    """The connections to one vendor, which any number of threads may share.

    `timeout` is in seconds for a whole answer, `media_timeout` for a whole recording. `headers` carry the key, and go
    to `base_url` alone. No redirection is followed, and nothing is tried twice.
    """

    def __init__(
        self,
        *,
        base_url: str,
        headers: Mapping[str, str],
        meaning: Callable[[Exception], JobError],
        timeout: float,
        media_timeout: float,
    ) -> None:
        self._base_url = base_url
        self._headers = dict(headers)
        self._meaning = meaning
        self._timeout = timeout
        self._media_timeout = media_timeout
        self._http = Once(lambda: open_client(timeout))
        self._media = Once(lambda: open_client(media_timeout, most=MOST_OF_A_RECORDING))

    def ask(
        self, method: str, path: str, take: Callable[[Reply], Answer], *, params: Any = None, json: Any = None
    ) -> Answer:
        """Return what `take` makes of the answer; whatever goes wrong, in it too, is raised as what it means."""

        def asked() -> Answer:
            http = self._http()
            reply = http.request(method, self._base_url + path, params=params, json=json, headers=self._headers)
            if not reply.is_success:
                raise Refused(reply.status_code, json_of(reply.content), reply.headers)
            body = json_of(reply.content)
            if body is None and reply.content:
                raise Garbled
            return take(Reply(reply.status_code, body))

        return ask(asked, self._meaning)

    def pour(self, where: str, write: Write) -> Fetched:
        """Write the bytes at a path of the vendor's, or at an address that it named, and return how many there were.

        The key goes to the vendor's own path only. What `write` raises is the caller's own and stays as it is; of a
        recording that breaks off, the beginning has been written by then.
        """
        with ExitStack() as opened:

            def begin() -> "httpx.Response":
                own = where.startswith("/")
                if not own:
                    self._allow(where)
                reply = opened.enter_context(
                    self._media().stream(
                        "GET",
                        self._base_url + where if own else where,
                        headers=self._headers if own else None,
                    )
                )
                if not reply.is_success:
                    raise Refused(reply.status_code, json_of(reply.read()), reply.headers)
                if reply.headers.get("content-type", "").startswith(NO_RECORDING):
                    raise Garbled
                return reply

            reply = ask(begin, self._meaning)
            chunks = reply.iter_bytes(CHUNK)
            size = 0
            while chunk := ask(lambda: next(chunks, b""), self._meaning):
                write(chunk)
                size += len(chunk)
            return ask(lambda: _whole(size, reply), self._meaning)

    def close(self) -> None:
        """Close the connections."""
        for http in (self._http.made, self._media.made):
            if http:
                http.close()

    def _allow(self, address: str) -> None:
        """Raise Garbled for an address without TLS that is not the vendor's own: a reply names no inner server."""
        there, own = urlsplit(address), urlsplit(self._base_url)
        if not there.netloc or (there.scheme != "https" and there[:2] != own[:2]):
            raise Garbled


def _whole(size: int, reply: "httpx.Response") -> Fetched:
    if not size:
        raise Garbled
    return Fetched(bytes=size, content_type=reply.headers.get("content-type", ""))
