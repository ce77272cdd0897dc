"""What a test may ask a sandbox server to do wrong, one fault for each request of the API."""

import asyncio
import json
import socket
import struct
from asyncio import Transport
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.types import Message, Receive, Send

HTML = b"<!doctype html><html><head><title>502</title></head><body><h1>Bad gateway</h1></body></html>"
NO_LINGER = struct.pack("ii", 1, 0)


class Fault(BaseModel):
    """One thing that goes wrong with one answer.

    `status` (with `headers` and `body`) answers instead of the API, which then has done nothing.
    `delay` in seconds, `cut`, `html` and `reset` spoil it after the API did its work, as a bad line does;
    with `unheard` true the API has not done it either.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: int | None = Field(None, ge=200, le=599)
    headers: dict[str, str] = {}
    body: Any = None
    delay: float = Field(0, ge=0)
    cut: bool = False
    html: bool = False
    reset: bool = False
    unheard: bool = False

    def own_answer(self, default: bytes) -> "Answer":
        """Return the answer given instead of the API's; `default` is the vendor's own error body."""
        body = default if self.body is None else _encoded(self.body)
        answer = Answer(self.status or 200, body)
        answer.set_headers(self.headers)
        return answer


class Answer:
    """A whole answer, held back so that it can be spoilt before it goes out."""

    def __init__(self, status: int = 200, body: bytes = b"") -> None:
        self.status, self.body = status, body
        self.headers: list[tuple[bytes, bytes]] = [(b"content-type", b"application/json")]

    async def collect(self, message: Message) -> None:
        """Take one part of what the API sends."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    def set_headers(self, headers: dict[str, str]) -> None:
        """Replace these headers and leave the others."""
        new = {name.lower().encode("latin-1"): value.encode("latin-1") for name, value in headers.items()}
        self.headers = [(name, value) for name, value in self.headers if name.lower() not in new] + list(new.items())

    async def send(self, send: Send, fault: Fault | None, receive: Receive, transport: Transport | None) -> None:
        """Send it, spoilt as the fault says."""
        if fault is not None and fault.delay and await _hung_up(receive, fault.delay):
            return
        if fault is not None and fault.reset:
            _reset(transport)
            await _hung_up(receive, 5)
            return
        if fault is not None and fault.html:
            self.status, self.body = 200, HTML
            self.set_headers({"content-type": "text/html; charset=utf-8"})
        self.set_headers({"content-length": str(len(self.body))})
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        if fault is not None and fault.cut:
            await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})
            if transport is not None:
                transport.close()
            await _hung_up(receive, 5)
            return
        await send({"type": "http.response.body", "body": self.body})


def _encoded(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


async def _hung_up(receive: Receive, seconds: float) -> bool:
    """Wait that long, or until the caller hangs up: then true."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    except asyncio.CancelledError:
        pass  # The server itself is ending, which hangs up on everybody.
    return True


def _reset(transport: Transport | None) -> None:
    """Drop the connection as a crashed server does: the caller reads a reset, not an end."""
    if transport is not None:
        line = transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        transport.abort()
