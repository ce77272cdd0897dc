"""Supabase keeps who may sign in: its Auth deletes a user, and tells whether one is there. Files go through S3."""

from http import HTTPStatus
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from ledger.errors import GiveUp, JobError, TryAgain
from providers.asking import ask
from providers.bounds import CHECK
from providers.copies import Deletion, Gone
from providers.http import Http, unless_gone, usual
from providers.refusals import Garbled, Named, Refused
from providers.required import address, secret

KEY: Final = "SUPABASE_SECRET_KEY"
BASE_URL: Final = "SUPABASE_BASE_URL"
NAMED: Final = Named("supabase", "Supabase", KEY, BASE_URL)

USERS: Final = "/auth/v1/admin/users"
STILL_OWNS: Final = "Database error deleting user"
"""Assumed: what Auth says, with status 500, while a row or a stored object still points at the user."""


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True)


class _User(_Reply):
    """Of a user we read the id alone; the address never leaves this file."""

    id: UUID


class _Users(_Reply):
    users: list[object]


class Supabase:
    """A client that any number of threads may share; `timeout` is in seconds for a whole call.

    Raises Misconfigured when a value is missing; connects when first used.
    """

    def __init__(self, *, secret_key: str, base_url: str, timeout: float = 15.0) -> None:
        key = secret(secret_key, KEY)
        headers = {"apikey": key, "Authorization": f"Bearer {key}"}
        self._http = Http(address(base_url, BASE_URL), timeout=timeout, headers=headers)
        self._check = min(CHECK, timeout)

    def delete(self, what: str, ref: str) -> Deletion:
        """Delete a user by the id that a row holds."""
        self.delete_user(_id(what, ref))
        return Gone()

    def gone(self, what: str, ref: str) -> bool:
        """Return whether the user is there no more."""
        return not self.has_user(_id(what, ref))

    def delete_user(self, user: UUID) -> None:
        """Delete who may sign in, with sessions and identities; one who is not there is deleted already.

        A token handed out before is good until it expires. Raises TryAgain `supabase_user_owns` while something in
        the database or the store still points at the user: delete that first.
        """

        def delete() -> _Reply:
            return _Reply.model_validate(
                self._http.json("DELETE", f"{USERS}/{user}", json={"should_soft_delete": False})
            )

        ask(lambda: unless_gone(delete, _is_gone), meaning)

    def has_user(self, user: UUID) -> bool:
        """Return whether the user is there."""

        def read() -> bool:
            found = _User.model_validate(self._http.json("GET", f"{USERS}/{user}"))
            if found.id != user:
                raise Garbled
            return True

        return bool(ask(lambda: unless_gone(read, _is_gone), meaning))

    def check(self) -> None:
        """Read one user's page of the list, which costs nothing and needs a good key."""
        query = {"page": 1, "per_page": 1}
        ask(lambda: _Users.model_validate(self._http.json("GET", USERS, params=query, timeout=self._check)), meaning)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _id(what: str, ref: str) -> UUID:
    if what != "user":
        raise ValueError(f"Supabase's Auth keeps no {what}")
    try:
        return UUID(ref)
    except ValueError:
        malformed = GiveUp("supabase_ref_malformed", "what the row holds is no id of a user")
    raise malformed  # not in the block: the error there quotes what the row holds


def _is_gone(refused: Refused) -> bool:
    # Two shapes, by the API's version: {"code": 404, "error_code": "user_not_found"} and {"code": "user_not_found"}.
    return refused.status == HTTPStatus.NOT_FOUND and "user_not_found" in (refused.at("error_code"), refused.at("code"))


def meaning(error: Exception) -> JobError:
    """Say what an error of the transport, a refusal or a wrong answer means for the job."""
    match error:
        case Refused(status=500) if STILL_OWNS in str(error.at("msg") or error.at("message")):
            return TryAgain("supabase_user_owns", "something in Supabase still belongs to the user")
        case _:
            return usual(error, NAMED)
