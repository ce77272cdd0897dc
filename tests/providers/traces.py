"""What a failure would leave behind in the attempts table."""

import traceback
from collections.abc import Callable

import pytest

from ledger.errors import JobError


def failure_of(call: Callable[[], object]) -> JobError:
    """Return the JobError that the call must raise; anything else it raises fails the test by itself."""
    with pytest.raises(JobError) as caught:
        call()
    return caught.value


def assert_says_nothing_of(error: JobError, *secrets: str) -> None:
    """Fail when a secret shows in the message, the traceback, or an exception that hangs on this one."""
    assert error.__cause__ is None
    assert error.__context__ is None
    shown = "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))
    for secret in secrets:
        assert secret not in shown
