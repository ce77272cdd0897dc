"""Twilio carries calls and messages: recordings are fetched, copies deleted, the calls of a day listed.

Assumed, and not seen at Twilio itself: that what is not finished may be asked for again in an hour; that an entry says
when its recording was deleted by `date_updated`; that a recording is had in as many channels as its entry says; that
the web tier keeps media as its message's id, a slash and its own, as in the link that Twilio sends; that a number is
released by deleting it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any, Final

from ledger.clock import now
from ledger.errors import GiveUp, JobError, Misconfigured, TryAgain
from providers.asking import ask
from providers.copies import Asked, Deletion, Gone, Lapses, Later
from providers.once import Once
from providers.quiet import quiet
from providers.refusals import Garbled, Named, Refused, garbled, missing, refusal, unless_missing, usual
from providers.required import address, secret
from providers.twilio_reply import Call, Entry, Recording, carried
from providers.voice import Carried, Fetched, Write, pages, reference

if TYPE_CHECKING:
    from twilio.rest import Client

    from providers.twilio_wire import Wire

__all__ = ["Twilio"]

ACCOUNT: Final = "TWILIO_ACCOUNT_SID"
SECRET: Final = "TWILIO_API_SECRET"  # noqa: S105 - the setting's name
WHO: Final = Named("twilio", "Twilio", "TWILIO_API_KEY", "TWILIO_BASE_URL")

ENTRY_KEPT: Final = timedelta(days=40)
"""How long Twilio keeps the entry of a recording whose sound is deleted."""

UNFINISHED: Final = timedelta(hours=1)
"""After which it is asked again to delete a call or a message that is not over."""

PAGE: Final = 1000
SIDS: Final = {
    "recording": ("RE",),
    "call": ("CA",),
    "message": ("SM", "MM"),
    "media": ("ME",),
    "transcript": ("TR", "GT"),
    "number": ("PN",),
}
"""How the ids of what can be deleted begin; a message's media go with it, and can go before it."""


class Twilio:
    """A client that any number of threads may share; time-outs in seconds, for a whole answer and a whole recording.

    `api_key` is the id of a key of the account, which begins with SK; an empty `base_url` leaves each product at its
    own host. Raises Misconfigured when a value is missing; connects, and imports the SDK, when first used.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        api_key: str,
        api_secret: str,
        base_url: str = "",
        timeout: float = 15.0,
        media_timeout: float = 600.0,
    ) -> None:
        self._account = secret(account_sid, ACCOUNT)
        self._auth = secret(api_key, WHO.key), secret(api_secret, SECRET)
        base = address(base_url, WHO.base_url) if base_url else ""
        self._wire = Once(lambda: _wire(base=base, timeout=timeout, media_timeout=media_timeout))
        self._client = Once(self._connect)

    def fetch_recording(self, ref: str, write: Write) -> Fetched:
        """Write a recording as WAV, each side on its own channel where it was recorded so.

        Raises GiveUp `twilio_missing` when its sound is gone, TryAgain `twilio_unready` while it is being made.
        """
        ref = _sid("recording", ref)

        def link() -> str:
            found = Recording.model_validate(self._client().recordings(ref).fetch(), from_attributes=True)
            if found.status in ("deleted", "absent"):
                raise missing(WHO)
            if found.status != "completed":
                raise TryAgain("twilio_unready", "Twilio has not finished the recording")
            path = f"/2010-04-01/Accounts/{self._account}/Recordings/{ref}.wav"
            return f"https://api.twilio.com{path}?RequestedChannels={found.channels or 1}"

        return self._wire().pour(ask(link, meaning), self._auth, write, meaning)

    def delete(self, what: str, ref: str) -> Deletion:
        """Delete a recording, a call's log, a message with its media, media alone, a transcript; release a number.

        Of a recording Twilio keeps the entry for another 40 days, without its sound: Lapses says until when. What is
        not over yet cannot be deleted: Later says when to ask again.
        """
        ref = _sid(what, ref)
        try:
            told = unless_missing(lambda: self._delete(what, ref), WHO, Gone())
        except TryAgain as failure:
            if failure.code != "twilio_unfinished":
                raise
            return Later(now() + UNFINISHED)
        return self._what_lapses(ref) if what == "recording" and told == Gone() else told

    def gone(self, what: str, ref: str) -> bool:
        """Return whether Twilio has it no more; of a recording its sound, whatever is left of its entry."""
        ref = _sid(what, ref)
        if what == "recording":
            entry = self._entry(ref)
            return entry is None or entry.status == "deleted"

        def is_held() -> bool:
            return bool(Entry.model_validate(self._copy(what, ref).fetch(), from_attributes=True).sid)

        return unless_missing(lambda: ask(is_held, meaning), WHO, None) is None

    def lapses_at(self, what: str, ref: str) -> datetime | None:
        """Return until when Twilio keeps the entry of a recording whose sound is gone; None for what leaves none."""
        told = self._what_lapses(_sid(what, ref)) if what == "recording" else Gone()
        return told.until if isinstance(told, Lapses) else None

    def calls(self, since: datetime, until: datetime) -> Iterator[Carried]:
        """Yield the calls that started from `since` to before `until`, a page at a time."""

        def page(following: str | None) -> tuple[list[Carried], str | None]:
            def read() -> tuple[list[Carried], str | None]:
                calls: Any = self._client().calls
                found = (
                    calls.get_page(following)
                    if following
                    else calls.page(
                        start_time_after=since.astimezone(UTC), start_time_before=until.astimezone(UTC), page_size=PAGE
                    )
                )
                read = [Call.model_validate(call, from_attributes=True) for call in found]
                return [carried(call) for call in read if since <= call.start_time < until], found.next_page_url

            return ask(read, meaning)

        return pages(page, WHO.word)

    def check(self) -> None:
        """Read the account's entry, which costs nothing and needs a good key."""
        ask(
            lambda: Entry.model_validate(
                self._client().api.v2010.accounts(self._account).fetch(), from_attributes=True
            ),
            meaning,
        )

    def close(self) -> None:
        """Close the connections."""
        if wire := self._wire.made:
            wire.close()

    def _delete(self, what: str, ref: str) -> Deletion:
        def deleted() -> Deletion:
            match self._copy(what, ref).delete_with_http_info().status_code:
                case 204:
                    return Gone()
                case 202:
                    return Asked()
            raise Garbled

        return ask(deleted, meaning)

    def _what_lapses(self, ref: str) -> Deletion:
        entry = self._entry(ref)
        return Gone() if entry is None else Lapses((entry.date_updated or now()) + ENTRY_KEPT)

    def _entry(self, ref: str) -> Recording | None:
        def read() -> Recording:
            found = self._client().recordings(ref).fetch(include_soft_deleted=True)
            return Recording.model_validate(found, from_attributes=True)

        return unless_missing(lambda: ask(read, meaning), WHO, None)

    def _copy(self, what: str, ref: str) -> Any:
        client = self._client()
        match what:
            case "recording":
                return client.recordings(ref)
            case "call":
                return client.calls(ref)
            case "message":
                return client.messages(ref)
            case "media":
                message, _, own = ref.partition("/")
                return client.messages(message).media(own)
            case "number":
                return client.incoming_phone_numbers(ref)
        return client.intelligence.v2.transcripts(ref) if ref.startswith("GT") else client.transcriptions(ref)

    def _connect(self) -> "Client":
        from twilio.rest import Client

        key, word = self._auth
        # The SDK would look into the process's environment for what it is not given.
        environment = {"TWILIO_EDGE": "", "TWILIO_REGION": ""}
        return Client(key, word, self._account, http_client=self._wire(), environment=environment)


def _wire(*, base: str, timeout: float, media_timeout: float) -> "Wire":
    from providers.twilio_wire import Wire

    quiet("twilio", "urllib3")
    return Wire(base=base, timeout=timeout, media_timeout=media_timeout)


def _sid(what: str, ref: str) -> str:
    if what not in SIDS:
        raise ValueError(f"Twilio keeps no {what}")
    message, slash, own = ref.partition("/") if what == "media" else ("", "/", ref)
    of_message = what != "media" or reference(message, WHO.word).startswith(SIDS["message"])
    if not (slash and of_message and reference(own, WHO.word).startswith(SIDS[what])):
        raise GiveUp("twilio_ref_malformed", "what the row holds is no id of this kind of copy at Twilio")
    return ref


def meaning(error: Exception) -> JobError:
    """Say what an error of the SDK, of its transport, a refusal, or a wrong answer means for the job."""
    from twilio.base.exceptions import TwilioException

    from providers.twilio_wire import unheard

    if heard := unheard(error, WHO):
        return heard
    match error:
        case Refused():
            return _refusal(error)
        case TwilioException() | JSONDecodeError():
            return garbled(WHO)
        case _:
            return usual(error, WHO)


def _refusal(refused: Refused) -> JobError:
    match refused.status, refused.said.get("code"):
        case _, 20009:
            return TryAgain("twilio_unfinished", "Twilio deletes it only once it is over")
        case ((404 | 410), 20404):
            return missing(WHO)
        case _, 20003:
            return Misconfigured("twilio_key_refused", "Twilio refused the key", setting=WHO.key)
    return refusal(refused, WHO)
