"""What a failure means, by its class.

    JobError
    ├── TryAgain          the world was briefly wrong      retried with backoff
    │   ├── RateLimited       the vendor said when         waits as told, no attempt spent
    │   └── OtherRelease      this process cannot read it  waits for one that can, no attempt spent
    ├── GiveUp            this job can never succeed       dead now
    └── Misconfigured     nothing of its kind can          its kind is paused, on-call is told what to set
    anything else         a bug                            retried with backoff, reported

A code is a short word fixed in our source; a message is our own sentence. Neither ever quotes what a vendor,
a caller or a row said: both are stored, shown and logged.
"""

import re

CODE = re.compile(r"[a-z][a-z0-9_]{1,62}")


class JobError(Exception):
    """A failure whose meaning is known."""

    def __init__(self, code: str, message: str = "") -> None:
        if not CODE.fullmatch(code):
            raise ValueError("an error code is a short word in snake_case, fixed in the source")
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.message = message


class TryAgain(JobError):
    """The world was briefly wrong: try the same again later."""


class RateLimited(TryAgain):
    """The vendor asked for a pause; `retry_after` is in seconds, None when it did not say how long.

    `vendor`: where it said how long, nobody asks it before, not this job alone.
    """

    def __init__(
        self, code: str, message: str = "", retry_after: float | None = None, vendor: str | None = None
    ) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after
        self.vendor = vendor


class OtherRelease(TryAgain):
    """This process's release cannot read the job, which is for another one that runs beside it or soon will."""


class GiveUp(JobError):
    """This job can never succeed as it stands."""


class Misconfigured(JobError):
    """No job of this kind can succeed until somebody changes `setting`; `of_business`: none of it for this business."""

    def __init__(self, code: str, message: str = "", setting: str = "", *, of_business: bool = False) -> None:
        super().__init__(code, message)
        self.setting = setting
        self.of_business = of_business
