"""An end to every reply: a vendor that drips bytes or never stops sending must not hold a worker.

A client's own read time-out begins anew with every byte, so it bounds a silence and not a reply.
"""

from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

MOST = 64 * 1024 * 1024
"""Bytes; the words of a whole day's call are a quarter of it."""

MOST_OF_A_RECORDING = 3 * 1024 * 1024 * 1024
"""Bytes; the two channels of a day's call at the telephone's rate are less. A recording is passed on as it comes."""

CONNECT = 5.0
"""Seconds in which a connection must stand."""

CHECK = 10.0
"""Seconds of silence that a check bears: somebody waits for it."""

DEADLINE = "nexara.deadline"


def connect_within(seconds: float) -> float:
    """Return the seconds allowed for connecting when the whole may take `seconds`."""
    return min(CONNECT, seconds)


def bounds(http: Any, seconds: float, most: int = MOST) -> dict[str, list[Callable[[Any], None]]]:
    """Return the event hooks that end a reply `seconds` after its request began, or after `most` bytes.

    `http` is httpx or its fork httpx2, which anthropic speaks: one shape, two sets of classes.
    """

    class Bounded(http.SyncByteStream):  # type: ignore[misc] # either library's
        def __init__(self, stream: Any, request: Any) -> None:
            self.stream, self.request = stream, request

        def __iter__(self) -> Iterator[bytes]:
            size = 0
            for chunk in self.stream:
                size += len(chunk)
                if monotonic() > self.request.extensions[DEADLINE]:
                    raise http.ReadTimeout("the reply did not end in time", request=self.request)
                if size > most:
                    raise http.ReadError("the reply is too long", request=self.request)
                yield chunk

        def close(self) -> None:
            self.stream.close()

    def begin(request: Any) -> None:
        request.extensions[DEADLINE] = monotonic() + seconds

    def bound(response: Any) -> None:
        response.stream = Bounded(response.stream, response.request)

    return {"request": [begin], "response": [bound]}
