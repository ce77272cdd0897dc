"""Resend's list of contacts: somebody is taken off it, and it is read whether they are on it.

A mail that was sent cannot be deleted at Resend; it ends by the plan's own period.
"""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from ledger.errors import GiveUp
from providers.resend_account import Account, using

ENDPOINT: Final = "endpoint"
"""Assumed: a word of the sentence that stands beside `not_found` when the address is wrong."""


class _Removed(BaseModel):
    model_config = ConfigDict(frozen=True)

    deleted: Literal[True]


class _Contact(BaseModel):
    model_config = ConfigDict(frozen=True)

    object: Literal["contact"]
    id: str


def remove(account: Account, contact: str) -> None:
    """Delete a contact by its id or address; one that is not there is deleted already."""
    import resend

    with using(account):
        try:
            _Removed.model_validate(resend.Contacts.remove(**_called(contact)))
        except resend.exceptions.ResendError as error:
            if not _is_gone(error):
                raise


def is_there(account: Account, contact: str) -> bool:
    """Return whether there is such a contact."""
    import resend

    with using(account):
        try:
            _Contact.model_validate(resend.Contacts.get(**_called(contact)))
        except resend.exceptions.ResendError as error:
            if not _is_gone(error):
                raise
            return False
        return True


def _called(contact: str) -> dict[str, str]:
    if contact in {"", ".", ".."}:
        raise GiveUp("ref_malformed", "what is kept as a contact is none")
    return {"email" if "@" in contact else "id": contact}


def _is_gone(error: Any) -> bool:
    """Whether there is no such contact; of a path that it does not know, Resend says the same and ENDPOINT."""
    return (str(error.code), error.error_type) == ("404", "not_found") and ENDPOINT not in str(error.message)
