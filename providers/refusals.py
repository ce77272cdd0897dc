"""What the vendors' refusals have in common; what is a vendor's own way stands in its file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from pydantic import ValidationError

from ledger.errors import GiveUp, JobError, Misconfigured, RateLimited, TryAgain
from providers.asking import whereabouts
from providers.pauses import asked_pause

Answer = TypeVar("Answer")
Otherwise = TypeVar("Otherwise")


@dataclass(frozen=True, slots=True)
class Named:
    """A vendor in our codes and sentences: `word` begins the codes, `key` and `base_url` are names of settings."""

    word: str
    name: str
    key: str
    base_url: str


class Refused(Exception):
    """A vendor answered with another status than asked for; `body` is its JSON, None where it sent none.

    The body is judged and never shown.
    """

    def __init__(self, status: int, body: object = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers or {}

    @property
    def said(self) -> Mapping[str, object]:
        """Return the body where it is an object, else nothing."""
        return self.body if isinstance(self.body, dict) else {}

    def at(self, *path: str) -> object:
        """Return what the body says at this path of keys, None where there is nothing."""
        found = self.body
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found


class Garbled(Exception):
    """A vendor answered with a good status something that was not asked for."""


def unless_missing(call: Callable[[], Answer], who: Named, otherwise: Otherwise) -> Answer | Otherwise:
    """Return what the call answers, or `otherwise` where the vendor says itself that it has no such copy."""
    try:
        return call()
    except GiveUp as failure:
        if failure.code != missing(who).code:
            raise
    return otherwise


def missing(who: Named) -> GiveUp:
    """Return what it means that a vendor has no such copy; its code is `<word>_missing`."""
    return GiveUp(f"{who.word}_missing", f"there is no such copy at {who.name}")


def not_there(who: Named) -> Misconfigured:
    """Return what it means that somebody else answers at the vendor's address."""
    return Misconfigured(f"{who.word}_not_there", f"no {who.name} at this address", setting=who.base_url)


def usual(error: Exception, who: Named) -> JobError:
    """Say what an error of httpx, a refusal or a wrong answer means, where the vendor has no way of its own."""
    import httpx

    match error:
        case httpx.TimeoutException():
            return unanswered(who)
        case httpx.HTTPError():
            return unreachable(who)
        case Refused():
            return refusal(error, who)
        case Garbled() | ValidationError():
            return garbled(who)
        case _:
            return TryAgain(f"{who.word}_failed", f"asking {who.name} failed with {whereabouts(error)}")


def unanswered(who: Named) -> TryAgain:
    """Return what it means that a vendor's answer, or its end, did not come in time."""
    return TryAgain(f"{who.word}_timeout", f"{who.name} did not answer in time")


def unreachable(who: Named) -> TryAgain:
    """Return what it means that a connection did not stand, or broke."""
    return TryAgain(f"{who.word}_unreachable", f"the connection to {who.name} failed")


def garbled(who: Named) -> TryAgain:
    """Return what it means that a good status came with a wrong body."""
    return TryAgain(f"{who.word}_garbled", f"{who.name} answered something that was not asked for")


def refusal(refused: Refused, who: Named) -> JobError:
    """Say what a status means for the job. A 404 is nobody's: only a vendor's own words say that a copy is gone."""
    status = refused.status
    failure: JobError = GiveUp(f"{who.word}_refused", f"{who.name} refused the request with status {status}")
    match status:
        case 401 | 403:
            failure = Misconfigured(f"{who.word}_key_refused", f"{who.name} refused the key", setting=who.key)
        case 402:
            failure = Misconfigured(f"{who.word}_out_of_credit", "the account has no credit left", setting=who.key)
        case 301 | 302 | 303 | 307 | 308 | 404 | 405 | 410:
            failure = not_there(who)
        case 429:
            pause = asked_pause(refused.headers)
            failure = RateLimited(f"{who.word}_busy", f"{who.name} asked for a pause", pause, who.word)
        case 408 | 409 | 425:
            failure = TryAgain(f"{who.word}_unready", f"{who.name} could not take the request now")
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            failure = TryAgain(f"{who.word}_down", f"{who.name} failed with status {status}")
    return failure
