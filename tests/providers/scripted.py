"""A vendor on loopback that answers as the test tells it, and remembers what it was asked."""

import json
import socket
import struct
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Literal, cast
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Answer:
    """One scripted answer; `how` tells whether it arrives whole."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json"
    keep: bool = False
    how: Literal["whole", "half", "reset", "never", "drip"] = "whole"

    @property
    def raw(self) -> bytes:
        match self.body:
            case bytes():
                return self.body
            case str():
                return self.body.encode()
        return json.dumps(self.body).encode()


@dataclass(frozen=True)
class Asked:
    """One request as it came over the wire."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Vendor:
    """The scripted server: answers in turn, the last one again and again."""

    def __init__(self) -> None:
        self.over = Event()
        self.lock = Lock()
        self.forget()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.vendor = self  # type: ignore[attr-defined]
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def forget(self) -> None:
        """Begin anew for the next test, and let go whoever still waits for an answer of the last one."""
        self.over.set()
        self.over = Event()
        self.asked: list[Asked] = []
        self.script: list[Answer] = [Answer(500)]

    def answers(self, *script: Answer) -> None:
        self.script = list(script)

    def next(self, asked: Asked) -> Answer:
        with self.lock:
            self.asked.append(asked)
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def close(self) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        vendor = cast(Vendor, self.server.vendor)  # type: ignore[attr-defined]
        over = vendor.over
        url = urlsplit(self.path)
        answer = vendor.next(
            Asked(
                method=self.command,
                path=url.path,
                query=parse_qs(url.query, keep_blank_values=True),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(int(self.headers.get("content-length") or 0)),
            )
        )
        self.close_connection = not answer.keep
        match answer.how:
            case "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.shutdown(socket.SHUT_RD)
            case "never":
                over.wait(30)
            case _:
                self.send(answer, over)

    def send(self, answer: Answer, over: Event) -> None:
        self.send_response(answer.status)
        self.send_header("content-type", answer.kind)
        self.send_header("content-length", str(len(answer.raw)))
        self.send_header("connection", "keep-alive" if answer.keep else "close")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        match answer.how:
            case "half":
                self.wfile.write(answer.raw[: len(answer.raw) // 2])
            case "drip":
                self.drip(answer.raw, over)
            case _:
                self.wfile.write(answer.raw)

    def drip(self, raw: bytes, over: Event) -> None:
        try:
            for number in range(len(raw)):
                self.wfile.write(raw[number : number + 1])
                if over.wait(0.05):
                    return
        except OSError:
            return

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class says so
        """Be silent."""
