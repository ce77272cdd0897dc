"""Vapi holds the assistant's calls: their recordings are fetched, they are deleted, and those of a day are listed.

Assumed, and not seen at Vapi itself: that lists come newest first; that GET answers 404 once a bulk deletion has come
to a call; that at most a hundred go in one; that a recording's link carries its own permission; that a number is
released by deleting it. Nothing smaller than a call can be deleted there: its recording and transcript go with it, and
what the carrier recorded stays at the carrier.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Final

from pydantic import Field, TypeAdapter

from ledger.errors import JobError, TryAgain
from providers.copies import Asked, Deletion, Gone
from providers.refusals import Garbled, Named, Refused, missing, unless_missing, usual
from providers.required import address, secret
from providers.rest import Reply, Rest
from providers.voice import Carried, Direction, Fetched, Moment, Part, Ref, Status, Write, pages, reference

__all__ = ["Vapi"]

WHO: Final = Named("vapi", "Vapi", "VAPI_API_KEY", "VAPI_BASE_URL")

KEPT: Final = frozenset({"call", "recording", "transcript", "conversation"})
"""Words for what is one call there."""

PAGE: Final = 100
MOST_AT_ONCE: Final = 100
"""Calls of one bulk deletion."""

ENDED: Final = "ended"
DIRECTIONS: Final[dict[str, Direction]] = {"inboundPhoneCall": "inbound", "outboundPhoneCall": "outbound"}


class _Held(Part):
    id: Ref


class _Artifact(Part):
    stereo: str | None = Field(None, alias="stereoRecordingUrl")
    mono: str | None = Field(None, alias="recordingUrl")


class _Recorded(_Held):
    status: Status
    artifact: _Artifact | None = None


class _Call(_Held):
    type: str | None = None
    status: Status
    created_at: Moment = Field(alias="createdAt")
    started_at: Moment | None = Field(None, alias="startedAt")
    ended_at: Moment | None = Field(None, alias="endedAt")
    carrier_ref: Ref | None = Field(None, alias="phoneCallProviderId")


CALLS: Final = TypeAdapter(list[_Call])


class Vapi:
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
        """Write the recording of the call with this id, each side on its own channel where Vapi kept it so.

        Raises GiveUp `vapi_missing` when there is none, TryAgain `vapi_unready` before the call has ended.
        """

        def link(reply: Reply) -> str:
            call = _Recorded.model_validate(reply.body)
            if call.status != ENDED:
                raise TryAgain("vapi_unready", "the call has not ended at Vapi")
            found = call.artifact and (call.artifact.stereo or call.artifact.mono)
            if not found:
                raise missing(WHO)
            return found

        return self._rest.pour(self._rest.ask("GET", _path("recording", ref), link), write)

    def delete(self, what: str, ref: str) -> Deletion:
        """Delete a call with everything that Vapi keeps of it, whichever part is asked for; or release a number."""
        path = _path(what, ref)

        def deleted(reply: Reply) -> Deletion:
            if reply.status == HTTPStatus.ACCEPTED:
                return Asked()
            if _Held.model_validate(reply.body).id != ref:
                raise Garbled
            return Gone()

        return unless_missing(lambda: self._rest.ask("DELETE", path, deleted), WHO, Gone())

    def delete_many(self, refs: Sequence[str]) -> Asked:
        """Have up to a hundred calls deleted within hours; whether each is gone must be read back.

        Raises ValueError for none and for more.
        """
        if not 0 < len(refs) <= MOST_AT_ONCE:
            raise ValueError(f"a bulk deletion takes one to {MOST_AT_ONCE} calls")
        ids = [reference(ref, WHO.word) for ref in refs]
        self._rest.ask("DELETE", _path("call", ids[0]), lambda reply: reply.status, json={"ids": ids})
        return Asked()

    def gone(self, what: str, ref: str) -> bool:
        """Return whether Vapi has the call, or the number, no more."""
        path = _path(what, ref)
        return unless_missing(lambda: self._rest.ask("GET", path, _is_held), WHO, None) is None

    def calls(self, since: datetime, until: datetime) -> Iterator[Carried]:
        """Yield the calls that were made from `since` to before `until`, a page at a time, the newest first."""
        edge: set[str] = set()  # calls of the last page's oldest moment, which the next page names again

        def page(oldest: datetime | None) -> tuple[list[Carried], datetime | None]:
            upper = {"createdAtLe": _written(oldest)} if oldest else {"createdAtLt": _written(until)}
            params = {"createdAtGe": _written(since), **upper, "limit": PAGE}
            found = self._rest.ask("GET", "/call", _calls, params=params)
            calls = [_carried(call) for call in found if call.id not in edge and since <= call.created_at < until]
            if len(found) < PAGE:
                return calls, None
            last = min(call.created_at for call in found)
            edge.clear()
            edge.update(call.id for call in found if call.created_at == last)
            return calls, last

        return pages(page, WHO.word)

    def check(self) -> None:
        """Read one call's entry at most, which costs nothing and needs a good key."""
        self._rest.ask("GET", "/call", _calls, params={"limit": 1})

    def close(self) -> None:
        """Close the connections."""
        self._rest.close()


def _path(what: str, ref: str) -> str:
    if what == "number":
        return f"/phone-number/{reference(ref, WHO.word)}"
    if what not in KEPT:
        raise ValueError(f"Vapi keeps no {what}")
    return f"/call/{reference(ref, WHO.word)}"


def _is_held(reply: Reply) -> bool:
    return bool(_Held.model_validate(reply.body).id)


def _calls(reply: Reply) -> list[_Call]:
    return CALLS.validate_python(reply.body)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _carried(call: _Call) -> Carried:
    seconds = None
    if call.started_at and call.ended_at and call.ended_at >= call.started_at:
        seconds = Decimal(str((call.ended_at - call.started_at).total_seconds()))
    return Carried(
        ref=call.id,
        started_at=call.started_at or call.created_at,
        seconds=seconds,
        direction=DIRECTIONS.get(call.type or ""),
        status=call.status,
        ended=call.status == ENDED,
        carrier_ref=call.carrier_ref,
    )


def meaning(error: Exception) -> JobError:
    """Say what an error of the transport, a refusal, or a wrong answer means for the job."""
    match error:
        case Refused(status=404 | 410) if error.said.get("statusCode") == error.status and not _is_no_route(error):
            return missing(WHO)
        case _:
            return usual(error, WHO)


def _is_no_route(refused: Refused) -> bool:
    """Return whether it is the path that is not known there, which is the address's fault and not the call's."""
    return str(refused.said.get("message", "")).startswith("Cannot ")
