"""What a refusal by WhatsApp means: its `code` says, whatever the HTTP status beside it.

Assumed: the meaning of each code (from the source of a client library, no vendor's promise), and the words by which
an object is said not to exist.
"""

from http import HTTPStatus
from typing import Final

from ledger.errors import GiveUp, JobError, Misconfigured, RateLimited, TryAgain
from providers.http import usual
from providers.pauses import asked_pause
from providers.refusals import Named, Refused

TOO_FAST: Final = frozenset({4, 80007, 130429, 131048, 133016})
TOO_FAST_FOR_ONE: Final = frozenset({131056})
"""One recipient gets too much: nobody else has to wait."""
UNREADY: Final = frozenset({1, 2, 131000, 131016, 131057, 135000})
KEY_REFUSED: Final = frozenset({0, 3, 190})
NOT_ALLOWED: Final = frozenset({10, *range(200, 300)})
BLOCKED: Final = frozenset({368, 131031, 131042})
"""A business's account is locked, restricted, or does not pay."""

CONNECTION: Final = "the business's WhatsApp"

NO_SUCH: Final = 100
NOT_THERE: Final = "does not exist"


def code_of(refused: Refused) -> int | None:
    """Return the code of a refusal, None where something else than WhatsApp answered."""
    code = refused.at("error", "code")
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def is_gone(refused: Refused) -> bool:
    """Return whether WhatsApp says that there is no such object, or none that this key may see."""
    return code_of(refused) == NO_SUCH and NOT_THERE in str(refused.at("error", "message"))


def meaning_for(error: Exception, vendor: Named) -> JobError:
    """Say what an error of the transport, a refusal or a wrong answer means for the job."""
    code = code_of(error) if isinstance(error, Refused) else None
    if not isinstance(error, Refused) or code is None:
        return usual(error, vendor)
    word, name = vendor.word, vendor.name
    failure: JobError = GiveUp(f"{word}_refused", f"{name} refused the request with status {error.status}")
    if error.status >= HTTPStatus.TOO_MANY_REQUESTS:
        failure = usual(error, vendor)
    if code in TOO_FAST:
        failure = RateLimited(f"{word}_busy", f"{name} asked for a pause", asked_pause(error.headers), word)
    elif code in TOO_FAST_FOR_ONE:
        failure = RateLimited(f"{word}_busy", f"{name} asked for a pause", asked_pause(error.headers))
    elif code in UNREADY:
        down = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        failure = TryAgain(f"{word}_down" if down else f"{word}_unready", f"{name} could not take it now")
    elif code in KEY_REFUSED:
        failure = Misconfigured(f"{word}_key_refused", f"{name} refused the key", setting=vendor.key)
    elif code in NOT_ALLOWED or code in BLOCKED:
        why = "not_allowed" if code in NOT_ALLOWED else "blocked"
        said = f"{name} does not let us into the business's account"
        failure = Misconfigured(f"{word}_{why}", said, CONNECTION, of_business=True)
    elif is_gone(error):
        failure = GiveUp(f"{word}_missing", f"{name} has no such object")
    return failure
