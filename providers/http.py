"""Plain HTTP for the vendors that are asked without an SDK: one attempt, one address, an end to every reply."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from ledger.errors import GiveUp, JobError, Misconfigured, RateLimited, TryAgain
from providers.asking import whereabouts
from providers.bounds import bounds, connect_within
from providers.once import Once
from providers.pauses import asked_pause
from providers.quiet import quiet

if TYPE_CHECKING:
    import httpx

Answer = TypeVar("Answer")


class Refused(Exception):
    """An answer with a status that is not good; `said` is its JSON, None without. It is judged and never shown."""

    def __init__(self, status: int, said: object, headers: Mapping[str, str]) -> None:
        super().__init__(status)
        self.status, self.said, self.headers = status, said, headers

    def at(self, *path: str) -> object:
        """Return what the answer says at this path of keys, None where there is nothing."""
        found = self.said
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found


class Garbled(Exception):
    """A good status, and then something that was not asked for."""


class Http:
    """The connections to one address, which threads may share; `timeout` is in seconds for a whole call."""

    def __init__(self, base_url: str, *, timeout: float, headers: Mapping[str, str] | None = None) -> None:
        self._base_url, self._timeout, self._headers = base_url, timeout, headers
        self._client = Once(self._open)

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
            raise Refused(reply.status_code, _read(reply), reply.headers)
        return reply

    def close(self) -> None:
        """Close the connections."""
        if client := self._client.made:
            client.close()

    def _open(self) -> "httpx.Client":
        import httpx

        quiet("httpcore")
        quiet("httpx", above=logging.INFO)  # at INFO it writes every address, and ids and people are in ours
        return httpx.Client(
            headers=self._headers,
            timeout=httpx.Timeout(self._timeout, connect=connect_within(self._timeout)),
            event_hooks=bounds(httpx, self._timeout),
        )


@dataclass(frozen=True, slots=True)
class Named:
    """How a vendor is named: `word` in codes, `name` in sentences, and the settings of its key and its address."""

    word: str
    name: str
    key: str
    base_url: str


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
    """Say what an error means where the vendor has no words of its own for it."""
    import httpx

    word, name = vendor.word, vendor.name
    match error:
        case httpx.TimeoutException():
            return TryAgain(f"{word}_timeout", f"{name} did not answer in time")
        case httpx.HTTPError():
            return TryAgain(f"{word}_unreachable", f"the connection to {name} failed")
        case Refused():
            return _refusal(error, vendor)
        case Garbled() | ValidationError():
            return TryAgain(f"{word}_garbled", f"{name} answered something that was not asked for")
        case _:
            return TryAgain(f"{word}_failed", f"asking {name} failed with {whereabouts(error)}")


def _refusal(error: Refused, vendor: Named) -> JobError:
    word, name = vendor.word, vendor.name
    failure: JobError = GiveUp(f"{word}_refused", f"{name} refused the request with status {error.status}")
    match error.status:
        case 401 | 403:
            failure = Misconfigured(f"{word}_key_refused", f"{name} refused the key", setting=vendor.key)
        case 402:
            failure = Misconfigured(f"{word}_out_of_credit", "the account has no credit left", setting=vendor.key)
        case 301 | 302 | 303 | 307 | 308 | 404 | 405:
            # What is asked for and is not there, the vendor says in its own words; this is somebody else's 404.
            failure = Misconfigured(f"{word}_not_there", f"no {name} at this address", setting=vendor.base_url)
        case 429:
            failure = RateLimited(f"{word}_busy", f"{name} asked for a pause", asked_pause(error.headers), word)
        case 408 | 409 | 425:
            failure = TryAgain(f"{word}_unready", f"{name} could not take the request now")
        case status if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            failure = TryAgain(f"{word}_down", f"{name} failed with status {status}")
    return failure


def _read(reply: "httpx.Response") -> object:
    try:
        said: object = reply.json()
    except ValueError:
        said = None
    return said
