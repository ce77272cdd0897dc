"""Google's calendar, one business's at a time: our events in it end, then our access to it.

The order when a business disconnects: delete the events, revoke, forget the token. What is wrong with one
business's token is no other's trouble: those errors are Misconfigured `of_business`.
"""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from ledger.errors import JobError, Misconfigured, RateLimited
from providers.asking import ask
from providers.http import Http, segment, unless_gone, usual
from providers.pauses import asked_pause
from providers.refusals import Garbled, Named, Refused
from providers.required import KEY as VISIBLE
from providers.required import address, required, secret
from providers.seals import Seals

__all__ = ["Access", "Google"]

CLIENT: Final = "GOOGLE_CLIENT_ID"
KEY: Final = "GOOGLE_CLIENT_SECRET"
BASE_URL: Final = "GOOGLE_BASE_URL"
OAUTH_BASE_URL: Final = "GOOGLE_OAUTH_BASE_URL"
TOKEN_KEYS: Final = "GOOGLE_TOKEN_KEYS"  # noqa: S105 - the setting's name
CONNECTION: Final = "the business's connected calendar"

CALENDAR_NAMED: Final = Named("google", "Google", CLIENT, BASE_URL)
OAUTH_NAMED: Final = Named("google", "Google", KEY, OAUTH_BASE_URL)

# Assumed, all of it: the words by which Google tells what a refusal is about.
IS_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
ALREADY_REVOKED: Final = "invalid_token"
ACCESS_GONE: Final = frozenset({"invalid_grant", "admin_policy_enforced"})
CLIENT_REFUSED: Final = frozenset({"invalid_client", "unauthorized_client", "deleted_client", "disabled_client"})
EVERYBODY_TOO_FAST: Final = frozenset({"rateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"})
ONE_TOO_FAST: Final = "userRateLimitExceeded"
NO_CALENDAR_API: Final = "accessNotConfigured"


@dataclass(frozen=True, slots=True)
class Access:
    """A token for the calendar, good for so many seconds."""

    token: str = field(repr=False)
    seconds: int


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Token(_Reply):
    access_token: Annotated[str, Field(pattern=r"^[!-~]{1,4096}$", repr=False)]
    expires_in: Annotated[int, Field(gt=0)]


class _Event(_Reply):
    id: str
    status: Literal["confirmed", "tentative", "cancelled"]


class Google:
    """A client that any number of threads may share; `timeout` is in seconds for a whole call.

    `token_keys` open the tokens that rows hold sealed; nothing else needs them. Raises Misconfigured when a value is
    missing; connects when first used.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        base_url: str,
        oauth_base_url: str,
        token_keys: str = "",
        timeout: float = 15.0,
    ) -> None:
        self._client = {"client_id": required(client_id, CLIENT), "client_secret": secret(client_secret, KEY)}
        self._calendars = Http(address(base_url, BASE_URL) + "/calendar/v3/calendars", timeout=timeout)
        self._oauth = Http(address(oauth_base_url, OAUTH_BASE_URL), timeout=timeout)
        self._seals = Seals(token_keys, TOKEN_KEYS, CONNECTION)

    def opened(self, sealed: str) -> str:
        """Return the token that a row holds sealed; raise Misconfigured where no key of ours opens it."""
        return self._seals.open(sealed)

    def refresh(self, refresh_token: str) -> Access:
        """Return access for some minutes; raise Misconfigured `google_access_gone` for a token that was revoked."""
        form = {**self._client, "grant_type": "refresh_token", "refresh_token": _kept(refresh_token)}

        def refresh() -> Access:
            made = _Token.model_validate(self._oauth.json("POST", "/token", data=form))
            return Access(made.access_token, made.expires_in)

        return ask(refresh, meaning_of_access)

    def revoke(self, token: str) -> None:
        """Give our access back, with every token that came of it; one that is revoked already is done.

        To read it back, refresh: `google_access_gone` is the proof.
        """
        form = {"token": _kept(token)}

        def revoke() -> _Reply:
            return _Reply.model_validate(self._oauth.json("POST", "/revoke", data=form))

        ask(lambda: unless_gone(revoke, _is_revoked), meaning_of_access)

    def delete_event(self, access: Access, event: str, *, calendar: str = "primary") -> None:
        """Delete an event and tell nobody; one that is not there is deleted already."""
        path = _event(calendar, event)

        def delete() -> None:
            self._calendars.nothing("DELETE", path, params={"sendUpdates": "none"}, headers=_by(access))

        ask(lambda: unless_gone(delete, _is_gone), meaning_of_calendar)

    def has_event(self, access: Access, event: str, *, calendar: str = "primary") -> bool:
        """Return whether the event is there; a cancelled one, which Google keeps for a while, is gone."""
        path = _event(calendar, event)

        def read() -> bool:
            answer = self._calendars.json("GET", path, params={"fields": "id,status"}, headers=_by(access))
            found = _Event.model_validate(answer)
            if found.id != event:
                raise Garbled
            return found.status != "cancelled"

        return bool(ask(lambda: unless_gone(read, _is_gone), meaning_of_calendar))

    def check(self) -> None:
        """Ask for access with a token that is none: Google refuses that one, and a wrong client before it (assumed)."""
        try:
            self.refresh("none")
        except Misconfigured as refused:
            if refused.code != "google_access_gone":
                raise

    def close(self) -> None:
        """Close the connections."""
        self._calendars.close()
        self._oauth.close()


def _event(calendar: str, event: str) -> str:
    return f"/{segment(calendar)}/events/{segment(event)}"


def _by(access: Access) -> dict[str, str]:
    return {"Authorization": f"Bearer {access.token}"}


def _kept(token: str) -> str:
    if not VISIBLE.fullmatch(token):
        raise Misconfigured("google_token_broken", "the kept token is none", setting=CONNECTION, of_business=True)
    return token


def _is_revoked(refused: Refused) -> bool:
    return refused.at("error") == ALREADY_REVOKED


def _is_gone(refused: Refused) -> bool:
    """Whether Google itself says so; a 404 of something else at this address proves nothing."""
    return refused.status in IS_GONE and refused.at("error", "code") == refused.status


def meaning_of_access(error: Exception) -> JobError:
    """Say what an error means that came of asking for tokens."""
    match error:
        case Refused() if str(error.at("error")) in ACCESS_GONE:
            return Misconfigured(
                "google_access_gone", "the business has to connect again", setting=CONNECTION, of_business=True
            )
        case Refused() if str(error.at("error")) in CLIENT_REFUSED:
            return Misconfigured("google_key_refused", "Google refused our client", setting=KEY)
        case _:
            return usual(error, OAUTH_NAMED)


def meaning_of_calendar(error: Exception) -> JobError:
    """Say what an error means that came of a calendar."""
    match error:
        case Refused(status=401):
            return Misconfigured(
                "google_token_refused", "Google refused the token", setting=CONNECTION, of_business=True
            )
        case Refused(status=403):
            return _forbidden(str(_reason(error)), error)
        case _:
            return usual(error, CALENDAR_NAMED)


def _forbidden(reason: str, error: Refused) -> JobError:
    if reason in EVERYBODY_TOO_FAST:
        return RateLimited("google_busy", "Google asked for a pause", asked_pause(error.headers), "google")
    if reason == ONE_TOO_FAST:  # this business's user: no other has to wait
        return RateLimited("google_busy", "Google asked for a pause", asked_pause(error.headers))
    if reason == NO_CALENDAR_API:
        return Misconfigured("google_api_off", "our Google project has the Calendar API off", setting=CLIENT)
    return Misconfigured(
        "google_scope_missing", "we may not change this calendar", setting=CONNECTION, of_business=True
    )


def _reason(error: Refused) -> object:
    details = error.at("error", "errors")
    first = details[0] if isinstance(details, list) and details else None
    return first.get("reason") if isinstance(first, dict) else None
