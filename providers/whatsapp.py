"""WhatsApp carries messages, through Meta itself or through 360dialog: the same shapes at two addresses.

A sent or received message cannot be deleted by either's API; it ends by their own period. Media can.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Annotated, Final, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from ledger.errors import GiveUp, JobError, Misconfigured
from providers.asking import ask
from providers.bounds import CHECK, MOST
from providers.copies import Deletion, Gone, Lapses
from providers.http import Http, segment, unless_gone
from providers.refusals import Garbled, Named
from providers.required import address, secret
from providers.whatsapp_refusal import CONNECTION, is_gone, meaning_for

__all__ = ["Media", "Used", "WhatsApp"]

META_KEY: Final = "META_ACCESS_TOKEN"
META_BASE_URL: Final = "META_BASE_URL"
DIALOG360_KEY: Final = "DIALOG360_API_KEY"
DIALOG360_BASE_URL: Final = "DIALOG360_BASE_URL"
META: Final = Named("meta", "Meta", META_KEY, META_BASE_URL)
DIALOG360: Final = Named("dialog360", "360dialog", DIALOG360_KEY, DIALOG360_BASE_URL)

MEDIA_HOSTS: Final = re.compile(r"(.+\.)?(fbsbx\.com|fbcdn\.net|facebook\.com|whatsapp\.net)")
"""Assumed: where Meta's links to media lead. The token goes along, so it goes nowhere else."""
ANALYTICS: Final = 'pricing_analytics.start({start}).end({end}).granularity(DAILY).metric_types(["VOLUME","COST"])'
"""Assumed: the field of a WhatsApp Business account that counts delivered messages by day, and what it is made of."""
WHO_WE_ARE: Final = {"meta": "/me?fields=id", "dialog360": "/health_status"}
"""Assumed: what answers with an id to any good key."""
DIGEST: Final = re.compile(r"[0-9a-f]{64}")

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Media:
    """A picture, a voice message, a file, with its media type."""

    data: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Used:
    """How many messages an account delivered from `start` to `end`; `cost` in the account's own currency, if told."""

    start: datetime
    end: datetime
    messages: int
    cost: Decimal | None


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Media(_Reply):
    url: str
    mime_type: Annotated[str, Field(pattern=r"^[\w.+-]+/[\w.+-]+(;.*)?$", max_length=200)]
    sha256: str
    file_size: Annotated[int, Field(ge=0)]


class _Is(_Reply):
    id: str


class _Done(_Reply):
    success: Literal[True]


class _Point(_Reply):
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]
    volume: Annotated[int, Field(ge=0)]
    cost: Annotated[Decimal, Field(ge=0)] | None = None


class _Points(_Reply):
    data_points: list[_Point] = []


class _Analytics(_Reply):
    data: list[_Points] = []


class _Account(_Reply):
    id: str
    pricing_analytics: _Analytics = _Analytics()


class WhatsApp:
    """A client that any number of threads may share; made by `meta` or by `dialog360`. Connects when first used."""

    def __init__(self, vendor: Named, base_url: str, headers: dict[str, str], timeout: float) -> None:
        self._vendor, self._base_url = vendor, base_url
        self._http = Http(base_url, timeout=timeout, headers=headers)
        self._check = min(CHECK, timeout)

    @classmethod
    def meta(cls, *, access_token: str, base_url: str, timeout: float = 30.0) -> Self:
        """Return Meta's Cloud API; the base URL ends with its version. Raises Misconfigured when a value is missing."""
        headers = {"Authorization": f"Bearer {secret(access_token, META_KEY)}"}
        return cls(META, address(base_url, META_BASE_URL), headers, timeout)

    @classmethod
    def dialog360(cls, *, api_key: str, base_url: str, timeout: float = 30.0) -> Self:
        """Return 360dialog's. Raises Misconfigured when a value is missing. Assumed: one key for all our numbers."""
        headers = {"D360-API-KEY": secret(api_key, DIALOG360_KEY)}
        return cls(DIALOG360, address(base_url, DIALOG360_BASE_URL), headers, timeout)

    def download(self, media: str) -> Media:
        """Return what was sent; raise GiveUp `…_missing` when it is gone, `…_too_large` for more than MOST bytes.

        360dialog locks a number out for an hour after five failures in one: do not ask again what is missing.
        """

        def read() -> Media:
            told = _Media.model_validate(self._http.json("GET", f"/{segment(media)}"))
            if told.file_size > MOST:
                raise GiveUp(f"{self._vendor.word}_too_large", "the file is larger than we take")
            data = self._http.send("GET", self._link(told.url)).content
            if len(data) != told.file_size:
                raise Garbled
            if DIGEST.fullmatch(told.sha256) and sha256(data).hexdigest() != told.sha256:
                raise Garbled
            return Media(data=data, content_type=told.mime_type)

        return self._ask(read)

    def delete(self, what: str, ref: str) -> Deletion:
        """Delete media; a message lapses by itself."""
        if _is_media(what):
            self.delete_media(ref)
            return Gone()
        return Lapses(None)

    def gone(self, what: str, ref: str) -> bool:
        """Return whether media are there no more; never of a message, since nobody can ask."""
        return _is_media(what) and not self.has_media(ref)

    def delete_media(self, media: str, *, number: str | None = None) -> None:
        """Delete what was sent; what is not there is deleted already. `number`: as in `has_media`."""
        query = {"phone_number_id": number} if number else None

        def delete() -> _Done:
            return _Done.model_validate(self._http.json("DELETE", f"/{segment(media)}", params=query))

        self._ask(lambda: self._answered(delete, number))

    def has_media(self, media: str, *, number: str | None = None) -> bool:
        """Return whether it is there.

        `number` is the id of the number that it came to. Meta says "does not exist" of what a key may not see, too:
        with the number, it counts as gone only where the same key sees the number; else `meta_not_allowed`.
        """

        def read() -> _Media:
            return _Media.model_validate(self._http.json("GET", f"/{segment(media)}"))

        return self._ask(lambda: self._answered(read, number)) is not None

    def usage(self, account: str, start: datetime, end: datetime) -> tuple[Used, ...]:
        """Return what a WhatsApp Business account delivered in that time, by day.

        Raises GiveUp `dialog360_usage_unknown` for 360dialog, which tells it elsewhere, to its partners: that is
        unknown, not nothing.
        """
        if self._vendor is not META:
            raise GiveUp("dialog360_usage_unknown", "360dialog does not tell the usage at this address")
        fields = ANALYTICS.format(start=int(start.timestamp()), end=int(end.timestamp()))

        def read() -> tuple[Used, ...]:
            answer = self._http.json("GET", f"/{segment(account)}", params={"fields": fields})
            points = [p for part in _Account.model_validate(answer).pricing_analytics.data for p in part.data_points]
            return tuple(Used(_at(p.start), _at(p.end), p.volume, p.cost) for p in points)

        return self._ask(read)

    def check(self) -> None:
        """Ask who we are there, which costs nothing and needs a good key."""
        path = WHO_WE_ARE[self._vendor.word]
        self._ask(lambda: _Is.model_validate(self._http.json("GET", path, timeout=self._check)))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _ask(self, call: Callable[[], Answer]) -> Answer:
        return ask(call, self._meaning)

    def _meaning(self, error: Exception) -> JobError:
        return meaning_for(error, self._vendor)

    def _answered(self, call: Callable[[], Answer], number: str | None) -> Answer | None:
        """Return what is answered, None for what is gone."""
        answer = unless_gone(call, is_gone)
        if answer is None and number and self._vendor is META and not self._sees(number):
            raise Misconfigured("meta_not_allowed", "our key does not see the number", CONNECTION, of_business=True)
        return answer

    def _sees(self, number: str) -> bool:
        def read() -> _Is:
            return _Is.model_validate(self._http.json("GET", f"/{segment(number)}", params={"fields": "id"}))

        return unless_gone(read, is_gone) is not None

    def _link(self, url: str) -> str:
        """Return where to fetch a file that WhatsApp says is at `url`: the key goes along, so not to a stranger."""
        told, ours = urlsplit(url), urlsplit(self._base_url)
        path = told.path + (f"?{told.query}" if told.query else "")
        if self._vendor is DIALOG360:  # it says Meta's address and wants to be asked itself
            return f"{ours.scheme}://{ours.netloc}{path}"
        if (told.scheme, told.netloc) == (ours.scheme, ours.netloc):
            return url
        if told.scheme == "https" and MEDIA_HOSTS.fullmatch(told.netloc):
            return url
        raise Garbled


def _is_media(what: str) -> bool:
    if what not in {"media", "message"}:
        raise ValueError(f"WhatsApp keeps no {what}")
    return what == "media"


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
