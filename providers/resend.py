"""Resend sends mail: each one once, however often it is tried with the same key."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ledger.errors import GiveUp, JobError, Misconfigured, RateLimited, TryAgain
from providers import resend_contacts
from providers.asking import ask, whereabouts
from providers.copies import Deletion, Gone
from providers.once import Once
from providers.pauses import asked_pause
from providers.required import address, required, secret
from providers.resend_account import Account, NotAReceipt, SentAway, using

__all__ = ["Resend", "Sent"]

KEY: Final = "RESEND_API_KEY"
BASE_URL: Final = "RESEND_BASE_URL"
SENDER: Final = "MAIL_FROM"

IDEMPOTENCY_KEY: Final = re.compile(r"[!-~]{1,256}", re.ASCII)
STATUS: Final = re.compile(r"[1-5]\d\d", re.ASCII)
TAG: Final = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail that is out; `already` when an earlier try with this key, and another body, had sent it before."""

    ref: str | None
    already: bool


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Email(_Reply):
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]


class _Domains(_Reply):
    data: list[object]


class Resend:
    """A client that any number of threads may share; `timeout` is in seconds for a whole call.

    Raises Misconfigured when a value is missing; connects, and imports the SDK, when first used.
    """

    def __init__(self, *, api_key: str, base_url: str, sender: str, timeout: float = 10.0) -> None:
        self._sender = required(sender, SENDER)
        api_key, base_url = secret(api_key, KEY), address(base_url, BASE_URL)
        self._account = Once(lambda: Account.open(api_key=api_key, base_url=base_url, timeout=timeout))

    def send(
        self,
        *,
        to: str,
        subject: str,
        text: str,
        html: str,
        idempotency_key: str,
        tags: Mapping[str, str] | None = None,
    ) -> Sent:
        """Send one mail and return what became of it.

        Resend keeps a key for 24 hours: until then a second try must carry the same body, and sends nothing.
        Tags are opaque words and never personal. Raises ValueError for a key or a tag that is none.
        """
        if not IDEMPOTENCY_KEY.fullmatch(idempotency_key):
            raise ValueError("an idempotency key is 1 to 256 visible ASCII characters")
        if not all(TAG.fullmatch(word) for pair in (tags or {}).items() for word in pair):
            raise ValueError("a tag's name and value are letters, digits, - and _")

        def send() -> Sent:
            import resend

            params: resend.Emails.SendParams = {
                "from": self._sender,
                "to": [to],
                "subject": subject,
                "text": text,
                "html": html,
                "tags": [{"name": name, "value": value} for name, value in (tags or {}).items()],
            }
            with using(self._account()):
                answer = resend.Emails.send(params, {"idempotency_key": idempotency_key})
            return Sent(ref=_Email.model_validate(answer).id, already=False)

        return ask(lambda: _unless_sent(send), meaning)

    def delete(self, what: str, ref: str) -> Deletion:
        """Take a contact off the list."""
        _must_be_contact(what)
        self.delete_contact(ref)
        return Gone()

    def gone(self, what: str, ref: str) -> bool:
        """Return whether the contact is on the list no more."""
        _must_be_contact(what)
        return not self.has_contact(ref)

    def delete_contact(self, contact: str) -> None:
        """Take an id or an address off the list of contacts; one that is not on it is done."""
        ask(lambda: resend_contacts.remove(self._account(), contact), meaning)

    def has_contact(self, contact: str) -> bool:
        """Return whether an id or an address is on the list of contacts."""
        return ask(lambda: resend_contacts.is_there(self._account(), contact), meaning)

    def check(self) -> None:
        """Read the list of domains; a key that may only send is a good one, too."""

        def read() -> None:
            import resend

            with using(self._account()):
                try:
                    _Domains.model_validate(resend.Domains.list())
                except resend.exceptions.ResendError as error:
                    if error.error_type != "restricted_api_key":
                        raise

        ask(read, meaning)

    def close(self) -> None:
        """Close the connections."""
        if account := self._account.made:
            account.http.close()


def _must_be_contact(what: str) -> None:
    if what != "contact":
        raise ValueError(f"Resend keeps no {what}")


def _unless_sent(send: Callable[[], Sent]) -> Sent:
    from resend.exceptions import ResendError

    try:
        return send()
    except ResendError as error:
        # Another body had this key, so its mail is out; the reference was in the first answer, which is lost.
        if (str(error.code), error.error_type) == ("409", "invalid_idempotent_request"):
            return Sent(ref=None, already=True)
        raise


def meaning(error: Exception) -> JobError:
    """Say what an error of the SDK, of its transport, or a wrong answer means for the job."""
    from resend.exceptions import NoContentError, ResendError

    match error:
        case ResendError(error_type="HttpClientError"):
            return _unheard(error.__context__)
        case ResendError(error_type=name, headers=headers) if STATUS.fullmatch(str(error.code)):
            return _refusal(int(error.code), str(name), headers)
        case ResendError() | NoContentError() | ValidationError():
            return _garbled()
        case _:
            return TryAgain("resend_failed", f"Resend's SDK failed with {whereabouts(error)}")


def _unheard(cause: BaseException | None) -> JobError:
    import httpx

    match cause:
        case httpx.TimeoutException():
            return TryAgain("resend_timeout", "Resend did not answer in time")
        case NotAReceipt():
            return _garbled()
        case SentAway():
            return Misconfigured("resend_not_there", "no Resend at this address", setting=BASE_URL)
        case _:
            return TryAgain("resend_unreachable", "the connection to Resend failed")


def _garbled() -> TryAgain:
    # The mail may have gone out: the same key keeps the next try from sending it twice.
    return TryAgain("resend_garbled", "Resend answered something that is no receipt")


def _refusal(status: int, name: str, headers: Mapping[str, str] | None) -> JobError:
    failure: JobError = GiveUp("resend_refused", f"Resend refused the mail with status {status}")
    match status, name:
        case (403, "validation_error") | (422, "invalid_from_address"):
            failure = Misconfigured("sender_refused", "Resend does not know the sender's domain", setting=SENDER)
        case ((401 | 403), _):
            failure = Misconfigured("resend_key_refused", "Resend refused the key", setting=KEY)
        case 429, ("daily_quota_exceeded" | "monthly_quota_exceeded"):
            failure = Misconfigured("resend_quota_used", "the account's mails are used up", setting=KEY)
        case 429, _:
            failure = RateLimited("resend_busy", "Resend asked for a pause", asked_pause(headers), "resend")
        case ((404 | 405), _):
            failure = Misconfigured("resend_not_there", "no Resend at this address", setting=BASE_URL)
        case ((408 | 409 | 425), _):
            failure = TryAgain("resend_unready", "Resend is still busy with this mail, or could not take it now")
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            failure = TryAgain("resend_down", f"Resend failed with status {status}")
    return failure
