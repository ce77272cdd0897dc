"""ElevenLabs speaks for the assistant: its conversations and texts are fetched, deleted, and those of a day are listed.

Assumed, and not seen at ElevenLabs itself: that what is not there is told by 404, or by 400 with a `detail.status` that
ends in `not_found` or `does_not_exist`; that 401 with `quota_exceeded` means an empty account and not a bad key; that
the bounds of a list are whole seconds and exclusive.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from ledger.errors import JobError, Misconfigured
from providers.copies import Asked, Deletion, Gone
from providers.refusals import Garbled, Named, Refused, missing, unless_missing, usual
from providers.required import address, secret
from providers.rest import Reply, Rest
from providers.voice import Carried, Direction, Fetched, Length, Part, Ref, Status, Write, pages, reference

__all__ = ["ElevenLabs"]

WHO: Final = Named("elevenlabs", "ElevenLabs", "ELEVENLABS_API_KEY", "ELEVENLABS_BASE_URL")

CONVERSATION: Final = "/v1/convai/conversations/{}"
PATHS: Final = {
    "call": CONVERSATION,
    "conversation": CONVERSATION,
    "recording": CONVERSATION,
    "transcript": "/v1/speech-to-text/transcripts/{}",
    "speech": "/v1/history/{}",
}
"""A conversation goes with its recording; `transcript` is of the recogniser, `speech` a text that was spoken."""

PAGE: Final = 100
ENDED: Final = frozenset({"done", "failed"})
NOT_FOUND: Final = ("not_found", "does_not_exist")


class _Conversation(Part):
    conversation_id: Ref
    start_time_unix_secs: Annotated[int, Field(ge=0, lt=2**36)]
    call_duration_secs: Length
    status: Status
    direction: Literal["inbound", "outbound"] | None = None


class _Conversations(Part):
    conversations: list[_Conversation]
    has_more: bool
    next_cursor: Annotated[str, Field(max_length=4096)] | None = None


class _Subscription(Part):
    character_count: int


class ElevenLabs:
    """A client that any number of threads may share; time-outs in seconds, for a whole answer and a whole recording.

    Raises Misconfigured when a value is missing; connects when first used.
    """

    def __init__(self, *, api_key: str, base_url: str, timeout: float = 15.0, media_timeout: float = 600.0) -> None:
        self._rest = Rest(
            headers={"xi-api-key": secret(api_key, WHO.key)},
            base_url=address(base_url, WHO.base_url),
            meaning=meaning,
            timeout=timeout,
            media_timeout=media_timeout,
        )

    def fetch_recording(self, ref: str, write: Write) -> Fetched:
        """Write the recording of a conversation; raise GiveUp `elevenlabs_missing` when there is none."""
        return self._rest.pour(f"{_path('recording', ref)}/audio", write)

    def delete(self, what: str, ref: str) -> Deletion:
        """Delete a conversation with its recording, a transcript, or a text that was spoken."""
        path = _path(what, ref)
        return unless_missing(lambda: self._rest.ask("DELETE", path, _deleted), WHO, Gone())

    def gone(self, what: str, ref: str) -> bool:
        """Return whether ElevenLabs has it no more."""
        path = _path(what, ref)

        def is_held(reply: Reply) -> bool:
            # Each kind names its id in its own way; that the id is in the answer is what they have in common.
            if not isinstance(reply.body, dict) or ref not in reply.body.values():
                raise Garbled
            return True

        return unless_missing(lambda: self._rest.ask("GET", path, is_held), WHO, None) is None

    def calls(self, since: datetime, until: datetime) -> Iterator[Carried]:
        """Yield the conversations that started from `since` to before `until`, a page at a time."""
        bounds = {
            "call_start_after_unix": int(since.timestamp()) - 1,
            "call_start_before_unix": int(until.timestamp()) + 1,
        }

        def page(cursor: str | None) -> tuple[list[Carried], str | None]:
            params: dict[str, Any] = {"page_size": PAGE, **bounds, **({"cursor": cursor} if cursor else {})}
            found = self._rest.ask("GET", "/v1/convai/conversations", _page, params=params)
            calls = [_carried(each) for each in found.conversations]
            return [call for call in calls if since <= call.started_at < until], (
                found.next_cursor if found.has_more else None
            )

        return pages(page, WHO.word)

    def check(self) -> None:
        """Read the subscription, which costs nothing and needs a good key."""
        self._rest.ask("GET", "/v1/user/subscription", lambda reply: _Subscription.model_validate(reply.body))

    def close(self) -> None:
        """Close the connections."""
        self._rest.close()


def _path(what: str, ref: str) -> str:
    if what not in PATHS:
        raise ValueError(f"ElevenLabs keeps no {what}")
    return PATHS[what].format(reference(ref, WHO.word))


def _page(reply: Reply) -> _Conversations:
    found = _Conversations.model_validate(reply.body)
    if found.has_more and not found.next_cursor:
        raise Garbled
    return found


def _deleted(reply: Reply) -> Deletion:
    """Take any good answer: what a deletion says differs from kind to kind, so it is read back what it did."""
    return Asked() if reply.status == HTTPStatus.ACCEPTED else Gone()


def _carried(each: _Conversation) -> Carried:
    direction: Direction | None = each.direction
    return Carried(
        ref=each.conversation_id,
        started_at=datetime.fromtimestamp(each.start_time_unix_secs, UTC),
        seconds=Decimal(each.call_duration_secs),
        direction=direction,
        status=each.status,
        ended=each.status in ENDED,
    )


def meaning(error: Exception) -> JobError:
    """Say what an error of the transport, a refusal, or a wrong answer means for the job."""
    match error:
        case Refused(status=404 | 410) if isinstance(error.said.get("detail"), Mapping):
            return missing(WHO)
        case Refused(status=400) if _told(error).endswith(NOT_FOUND):
            return missing(WHO)
        case Refused(status=401) if _told(error) == "quota_exceeded":
            return Misconfigured("elevenlabs_quota_used", "the account's characters are used up", setting=WHO.key)
        case _:
            return usual(error, WHO)


def _told(refused: Refused) -> str:
    detail = refused.said.get("detail")
    return str(detail.get("status", "")) if isinstance(detail, Mapping) else ""
