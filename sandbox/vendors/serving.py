"""A vendor's API as a server of the sandbox: it keeps what it was asked and goes wrong when told to."""

import hashlib
import json
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Message, Receive, Scope, Send

from sandbox.vendors.faults import Answer, Fault

SECRET_HEADERS = {"authorization", "x-api-key", "xi-api-key", "apikey", "d360-api-key", "cookie"}
KEPT_REQUESTS = 1_000
KEPT_BODY = 65_536

FAULTS = TypeAdapter(list[Fault])


def is_sandbox_key(key: str) -> bool:
    """Tell whether this is a key made for the sandbox: a real one, sent here by mistake, is refused."""
    return key.startswith("sandbox")


class Vendor:
    """One vendor's API as an ASGI app.

    `error` makes the vendor's own answer for a status, `refuse` the one for a bad key, or None;
    `pages` are for people and know no faults; `forget` empties what the API itself remembers.
    """

    def __init__(
        self,
        name: str,
        api: Sequence[Route],
        *,
        error: Callable[[int], JSONResponse],
        refuse: Callable[[Request], JSONResponse | None],
        pages: Sequence[BaseRoute] = (),
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self._error, self._refuse, self._forget = error, refuse, forget
        self._faults: deque[Fault] = deque()
        self._requests: deque[dict[str, Any]] = deque(maxlen=KEPT_REQUESTS)
        self._count = 0
        self._api = Starlette(routes=api, exception_handlers={HTTPException: self._unknown})
        self._app = Starlette(
            routes=[
                Route("/_sandbox/faults", self._take_faults, methods=["POST"]),
                Route("/_sandbox/requests", self._show_requests),
                Route("/_sandbox/reset", self._reset, methods=["POST"]),
                *pages,
                Mount("/", app=self._answer),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request, and say on every answer that this is the sandbox."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-sandbox", b"true")]
            await send(message)

        await self._app(scope, receive, marked)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        self._record(request, body)
        fault = self._faults.popleft() if self._faults else None
        answer = Answer()
        if fault is not None and fault.status is not None:
            answer = fault.own_answer(bytes(self._error(fault.status).body))
        elif fault is None or not fault.unheard:
            refused = self._refuse(request)
            await (refused or self._api)(scope, _replayed(body, receive), answer.collect)
        await answer.send(send, fault, receive, scope.get("state", {}).get("transport"))

    def _record(self, request: Request, body: bytes) -> None:
        query = {name: request.query_params.getlist(name) for name in request.query_params}
        is_text = request.headers.get("content-type", "").startswith("application/json")
        self._count += 1
        self._requests.append(
            {
                "method": request.method,
                "path": request.url.path,
                "query": query,
                "headers": {name: value for name, value in request.headers.items() if name not in SECRET_HEADERS},
                "bytes": len(body),
                "sha256": hashlib.sha256(body).hexdigest(),
                "text": body.decode(errors="replace") if is_text and len(body) <= KEPT_BODY else None,
            }
        )

    async def _unknown(self, request: Request, error: Exception) -> Response:  # noqa: ARG002
        return self._error(error.status_code if isinstance(error, HTTPException) else 500)

    async def _take_faults(self, request: Request) -> Response:
        try:
            self._faults.extend(FAULTS.validate_json(await request.body()))
        except ValidationError as error:
            problems = json.loads(error.json(include_url=False, include_context=False, include_input=False))
            return JSONResponse({"error": "a JSON list of faults is expected", "problems": problems}, 400)
        return JSONResponse({"pending": len(self._faults)})

    async def _show_requests(self, request: Request) -> Response:  # noqa: ARG002
        return JSONResponse({"count": self._count, "requests": list(self._requests)})

    async def _reset(self, request: Request) -> Response:  # noqa: ARG002
        self._faults.clear()
        self._requests.clear()
        self._count = 0
        self._forget()
        return JSONResponse({"reset": True})


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Give the API the body that was read already, then whatever else the connection says."""
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return parts.pop() if parts else await receive()

    return replay
