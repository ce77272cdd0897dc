"""Plain HTTP for the vendors that are asked without an SDK: one attempt, one address, an end to every reply."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from ledger.errors import GiveUp, JobError
from providers import refusals
from providers.once import Once
from providers.opening import json_of, open_client
from providers.refusals import Garbled, Named, Refused

if TYPE_CHECKING:
    import httpx

Answer = TypeVar("Answer")


class Http:
    """The connections to one address, which threads may share; `timeout` is in seconds for a whole call."""

    def __init__(self, base_url: str, *, timeout: float, headers: Mapping[str, str] | None = None) -> None:
        self._base_url = base_url
        self._client = Once(lambda: open_client(timeout, headers=headers))

    def json(self, method: str, path: str, **request: Any) -> object:
        """Return the JSON that comes back; raise Refused or Garbled. `path` follows the base URL."""
        reply = self.send(method, self._base_url + path, **request)
        try:
            return reply.json()
        except ValueError:
            raise Garbled from None

    def nothing(self, method: str, path: str, **request: Any) -> None:
        """Ask for what is answered with 204 alone: a proxy's friendly page is no proof that something is gone."""
        if self.send(method, self._base_url + path, **request).status_code != HTTPStatus.NO_CONTENT:
            raise Garbled

    def send(self, method: str, url: str, **request: Any) -> "httpx.Response":
        """Return the whole answer from this URL; `request` is as httpx takes it."""
        reply = self._client().request(method, url, **request)
        if not reply.is_success:
            raise Refused(reply.status_code, json_of(reply.content), reply.headers)
        return reply

    def close(self) -> None:
        """Close the connections."""
        if client := self._client.made:
            client.close()


def unless_gone(call: Callable[[], Answer], is_gone: Callable[[Refused], bool]) -> Answer | None:
    """Return what `call` answers, None where it is refused in the words by which the vendor says: there is none."""
    try:
        return call()
    except Refused as refused:
        if not is_gone(refused):
            raise
    return None


def segment(text: str) -> str:
    """Return an id as a segment of a path, which it cannot leave; raise GiveUp `ref_malformed` for what is none."""
    if text in {"", ".", ".."}:
        raise GiveUp("ref_malformed", "what is kept as a vendor's id is none")
    return quote(text, safe="")


def usual(error: Exception, vendor: Named) -> JobError:
    """Say what an error means where the vendor has no words of its own for it; a 410 without them is final, too."""
    if isinstance(error, Refused) and error.status == HTTPStatus.GONE:
        return GiveUp(f"{vendor.word}_refused", f"{vendor.name} refused the request with status {error.status}")
    return refusals.usual(error, vendor)
