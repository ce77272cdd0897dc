"""How many requests a key may still send: told with every answer, and the answer itself once it has none left."""

from dataclasses import dataclass
from http import HTTPStatus
from math import ceil

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.api.problem import Problem

STATE = "pace"
"""Where `admit` leaves it in the request's state."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A key's share: `burst` requests at once, `remaining` of them left; `wait` is in seconds.

    Of a key that has some left `wait` is how long until it has all of them again, of another until it has one.
    """

    burst: int
    remaining: int
    wait: float
    per_minute: int

    @property
    def over(self) -> bool:
        """Whether this request is one too many."""
        return self.remaining < 0

    @property
    def headers(self) -> dict[str, str]:
        """Return it as draft-ietf-httpapi-ratelimit-headers writes it: quota, window, what is left, seconds to wait."""
        window = max(1, round(self.burst * 60 / self.per_minute))
        return {
            "RateLimit-Policy": f'"key";q={self.burst};w={window}',
            "RateLimit": f'"key";r={max(0, self.remaining)};t={ceil(self.wait)}',
        }

    def check(self) -> None:
        """Raise Problem 429 if this request is one too many."""
        if self.over:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too-many",
                f"This key may send {self.per_minute} requests a minute, and {self.burst} at once. Wait as long as"
                " Retry-After says, then send this one again; /v1/jobs/batch takes a thousand jobs in one request.",
                headers={"Retry-After": str(max(1, ceil(self.wait)))},
            )


class Paced:
    """Adds the pace of the key, where a request had one, to whatever is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def told(message: Message) -> None:
            pace = scope.get("state", {}).get(STATE)
            if message["type"] == "http.response.start" and isinstance(pace, Pace):
                MutableHeaders(scope=message).update(pace.headers)
            await send(message)

        await self._app(scope, receive, told)
