"""What the sandbox's voice vendors hold: calls, recordings and texts that can be put there, looked at, and deleted.

A test puts copies there by POST /_sandbox/copies, says with each how it shall be deleted, and sees by GET what is left.
"""

import json
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, Base64Bytes, BaseModel, ConfigDict, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ledger import clock


class Copy(BaseModel):
    """One copy that a vendor holds. `what` is a call, recording, transcript, message, conversation or speech.

    `over` is false while a call goes on or a recording is being made. `deletes`: a deletion works at once; or takes
    `takes` seconds, and is accepted with 202; or says that it worked, and never does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: str
    ref: str
    at: AwareDatetime = datetime.fromisoformat("2026-11-23T10:00:00Z")
    seconds: int = 60
    direction: Literal["inbound", "outbound"] = "inbound"
    caller: str = "+442079460999"
    line: str = "+442079460100"
    text: str = "Hello."
    audio: Base64Bytes = b""
    over: bool = True
    deletes: Literal["at_once", "slowly", "never"] = "at_once"
    takes: float = 0.0

    @property
    def end(self) -> datetime:
        """Return when it ended."""
        return self.at + timedelta(seconds=self.seconds)


COPIES = TypeAdapter(list[Copy])
Key = tuple[str, str]


class Copies:
    """All copies of one vendor, in memory; threads may share it."""

    def __init__(self, now: Callable[[], datetime] = clock.now) -> None:
        self._now = now
        self._held: dict[Key, Copy] = {}
        self._going: dict[Key, datetime] = {}
        self._gone: dict[Key, datetime] = {}
        self._lock = threading.Lock()

    def put(self, copies: Iterable[Copy]) -> None:
        """Hold these, in the place of any with the same id."""
        with self._lock:
            for copy in copies:
                self._held[copy.what, copy.ref] = copy
                self._gone.pop((copy.what, copy.ref), None)

    def find(self, what: str, ref: str) -> Copy | None:
        """Return a copy that is still held."""
        with self._lock:
            self._let_go()
            return self._held.get((what, ref))

    def gone_at(self, what: str, ref: str) -> datetime | None:
        """Return when a copy was deleted that was held before."""
        with self._lock:
            self._let_go()
            return self._gone.get((what, ref))

    def of(self, what: str) -> list[Copy]:
        """Return all copies of a kind, the oldest first."""
        with self._lock:
            self._let_go()
            found = [copy for copy in self._held.values() if copy.what == what]
        return sorted(found, key=lambda copy: (copy.at, copy.ref))

    def delete(self, copy: Copy, *, takes: float | None = None) -> int:
        """Delete a copy as it says, or in `takes` seconds; returns the status to answer with, 200 or 202."""
        with self._lock:
            if copy.deletes == "never":
                return 200
            slowly = takes is not None or copy.deletes == "slowly"
            seconds = (copy.takes or takes or 0.0) if slowly else 0.0
            self._going[copy.what, copy.ref] = self._now() + timedelta(seconds=seconds)
            self._let_go()
            return 202 if slowly else 200

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._held.clear()
            self._going.clear()
            self._gone.clear()

    def pages(self) -> list[Route]:
        """Return the routes by which a test puts copies here and looks what is left."""

        async def take(request: Request) -> JSONResponse:
            try:
                copies = COPIES.validate_json(await request.body())
            except ValidationError as error:
                problems = json.loads(error.json(include_url=False, include_context=False, include_input=False))
                return JSONResponse({"error": "a JSON list of copies is expected", "problems": problems}, 400)
            self.put(copies)
            return JSONResponse({"held": len(copies)})

        async def show(request: Request) -> JSONResponse:  # noqa: ARG001
            with self._lock:
                self._let_go()
                return JSONResponse([copy.model_dump(mode="json") for copy in self._held.values()])

        return [
            Route("/_sandbox/copies", take, methods=["POST"]),
            Route("/_sandbox/copies", show, methods=["GET"]),
        ]

    def _let_go(self) -> None:
        now = self._now()
        for key in [key for key, at in self._going.items() if at <= now]:
            self._held.pop(key, None)
            self._gone[key] = self._going.pop(key)
