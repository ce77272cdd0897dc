"""Telnyx carries calls: its recordings are fetched and deleted, its calls of a day are listed.

Assumed, and not seen at Telnyx itself: that call-control detail records know `call_leg_id`, `call_sec`, `direction` and
`status`; that a transcript and a conversation are read back by GET as a recording is; that a recording's links carry
their own permission; that a number is released by deleting it. A sent message, the media that came with one and the
record of a call cannot be deleted there: they lapse.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Final, Self

from pydantic import Field

from ledger.errors import JobError, RateLimited, TryAgain
from providers.copies import Asked, Deletion, Gone, Lapses
from providers.pauses import asked_pause
from providers.refusals import Named, Refused, missing, unless_missing, usual
from providers.required import address, secret
from providers.rest import Reply, Rest
from providers.voice import Carried, Direction, Fetched, Length, Moment, Part, Ref, Status, Write, pages, reference

__all__ = ["Telnyx"]

WHO: Final = Named("telnyx", "Telnyx", "TELNYX_API_KEY", "TELNYX_BASE_URL")

PATHS: Final = {
    "recording": "/v2/recordings/{}",
    "transcript": "/v2/recording_transcriptions/{}",
    "conversation": "/v2/ai/conversations/{}",
    "number": "/v2/phone_numbers/{}",
}
LAPSING: Final = frozenset({"call", "message", "media"})
"""What no API of theirs deletes."""

PAGE: Final = 50
"""Detail records of one page: the most that Telnyx gives."""

COMPLETED: Final = "completed"


class _Resource(Part):
    id: Ref


class _Held(Part):
    data: _Resource


class _Listed(Part):
    data: list[_Resource]

    @classmethod
    def of(cls, reply: Reply) -> Self:
        return cls.model_validate(reply.body)


class _Links(Part):
    wav: str | None = None
    mp3: str | None = None


class _Recording(_Resource):
    status: Status = COMPLETED
    download_urls: _Links = _Links()


class _OneRecording(Part):
    data: _Recording


class _Record(Part):
    call_leg_id: Ref
    started_at: Moment
    finished_at: Moment | None = None
    call_sec: Length | None = None
    billed_sec: Length | None = None
    direction: str | None = None
    status: Status | None = None


class _Meta(Part):
    page_number: Annotated[int, Field(ge=1)]
    total_pages: Annotated[int, Field(ge=0)]


class _Records(Part):
    data: list[_Record]
    meta: _Meta


class Telnyx:
    """A client that any number of threads may share; time-outs in seconds, for a whole answer and a whole recording.

    Raises Misconfigured when a value is missing; connects when first used.
    """

    def __init__(self, *, api_key: str, base_url: str, timeout: float = 15.0, media_timeout: float = 600.0) -> None:
        self._rest = Rest(
            headers={"Authorization": f"Bearer {secret(api_key, WHO.key)}"},
            base_url=address(base_url, WHO.base_url),
            meaning=meaning,
            timeout=timeout,
            media_timeout=media_timeout,
        )

    def fetch_recording(self, ref: str, write: Write) -> Fetched:
        """Write a recording's bytes; raise GiveUp `telnyx_missing` when there is none, TryAgain while it is made."""
        path = _path("recording", ref)

        def link(reply: Reply) -> str:
            recording = _OneRecording.model_validate(reply.body).data
            if recording.status != COMPLETED:
                raise TryAgain("telnyx_unready", "Telnyx has not finished the recording")
            if not (found := recording.download_urls.wav or recording.download_urls.mp3):
                raise missing(WHO)
            return found

        return self._rest.pour(self._rest.ask("GET", path, link), write)

    def delete(self, what: str, ref: str) -> Deletion:
        """Delete a recording, transcript or conversation, release a number; what else there is lapses by itself."""
        if what in LAPSING:
            return Lapses(None)
        path = _path(what, ref)
        return unless_missing(lambda: self._rest.ask("DELETE", path, _deleted), WHO, Gone())

    def gone(self, what: str, ref: str) -> bool:
        """Return whether Telnyx has it no more; never of what lapses, since nobody can ask."""
        if what in LAPSING:
            return False
        path = _path(what, ref)
        return unless_missing(lambda: self._rest.ask("GET", path, _is_held), WHO, None) is None

    def calls(self, since: datetime, until: datetime) -> Iterator[Carried]:
        """Yield the calls that started from `since` to before `until`, a page at a time."""

        def page(number: int | None) -> tuple[list[Carried], int | None]:
            params = {
                "filter[record_type]": "call-control",
                "filter[started_at][gte]": _written(since),
                "filter[started_at][lt]": _written(until),
                "sort": "started_at",
                "page[number]": number or 1,
                "page[size]": PAGE,
            }
            found = self._rest.ask("GET", "/v2/detail_records", _records, params=params)
            more = found.meta.page_number < found.meta.total_pages
            calls = [_carried(record) for record in found.data if since <= record.started_at < until]
            return calls, found.meta.page_number + 1 if more else None

        return pages(page, WHO.word)

    def check(self) -> None:
        """Read one recording's entry at most, which costs nothing and needs a good key."""
        self._rest.ask("GET", "/v2/recordings", _Listed.of, params={"page[size]": 1})

    def close(self) -> None:
        """Close the connections."""
        self._rest.close()


def _path(what: str, ref: str) -> str:
    if what not in PATHS:
        raise ValueError(f"Telnyx keeps no {what}")
    return PATHS[what].format(reference(ref, WHO.word))


def _is_held(reply: Reply) -> bool:
    return bool(_Held.model_validate(reply.body).data.id)


def _deleted(reply: Reply) -> Deletion:
    if reply.status == HTTPStatus.ACCEPTED:
        return Asked()
    if reply.status != HTTPStatus.NO_CONTENT:
        _Held.model_validate(reply.body)
    return Gone()


def _records(reply: Reply) -> _Records:
    return _Records.model_validate(reply.body)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _carried(record: _Record) -> Carried:
    seconds: Decimal | None = record.call_sec if record.call_sec is not None else record.billed_sec
    direction: Direction | None = None
    if record.direction in ("inbound", "outbound"):
        direction = "inbound" if record.direction == "inbound" else "outbound"
    ended = record.finished_at is not None
    return Carried(
        ref=record.call_leg_id,
        started_at=record.started_at,
        seconds=seconds,
        direction=direction,
        status=record.status or ("finished" if ended else "open"),
        ended=ended,
    )


def meaning(error: Exception) -> JobError:
    """Say what an error of the transport, a refusal, or a wrong answer means for the job."""
    match error:
        case Refused(status=404 | 410) if error.said.get("errors"):
            return missing(WHO)
        case Refused(status=429):
            # Telnyx tells the seconds under a name of its own.
            pause = asked_pause(error.headers)
            if pause is None:
                pause = asked_pause({"retry-after": error.headers.get("x-ratelimit-reset", "")})
            return RateLimited("telnyx_busy", "Telnyx asked for a pause", pause, WHO.word)
        case _:
            return usual(error, WHO)
