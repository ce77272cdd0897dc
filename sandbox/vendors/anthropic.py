"""A local server that speaks Anthropic's Messages API, with rules in the place of a model.

For the demo and for tests only: production never imports it, every answer says `x-sandbox: true` and names
its model `sandbox-rules`. It reads the conversation of the last user turn, and never obeys it.
"""

import json
from contextlib import AbstractContextManager
from typing import Annotated, Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.vendors import rules
from sandbox.vendors.conversation import read
from sandbox.vendors.running import command, running, serve
from sandbox.vendors.serving import Vendor, is_sandbox_key

LETTERS_A_TOKEN = 4
"""A usual estimate for English; the sandbox bills nobody."""

ERRORS = {
    400: ("invalid_request_error", "The request is not valid."),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "Your credit balance is too low to access the API."),
    403: ("permission_error", "Your API key does not have permission to use the resource."),
    404: ("not_found_error", "The requested resource could not be found."),
    408: ("timeout_error", "The request timed out."),
    413: ("request_too_large", "Request exceeds the maximum size."),
    429: ("rate_limit_error", "This request would exceed your rate limit."),
    500: ("api_error", "Internal server error"),
    503: ("api_error", "Service unavailable"),
    504: ("timeout_error", "The request timed out."),
    529: ("overloaded_error", "Overloaded"),
}
NO_LONGER_TAKEN = ("temperature", "top_p", "top_k")
WITHOUT_THEM = "2026-10-21"
"""The API version from which these are refused."""


class Loose(BaseModel):
    """A part of a request; what the sandbox does not use it does not judge."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Text(Loose):
    """A block of text."""

    type: Literal["text"]
    text: str


class Turn(Loose):
    """One turn before the model."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Text]

    @property
    def text(self) -> str:
        """Return all its text."""
        return self.content if isinstance(self.content, str) else "\n".join(one.text for one in self.content)


class Format(Loose):
    """The form that the answer must have."""

    type: Literal["json_schema"]
    schema_: Annotated[dict[str, Any], Field(alias="schema")]


class OutputConfig(Loose):
    """How the answer shall be written."""

    format: Format | None = None


class MessagesRequest(Loose):
    """The body of POST /v1/messages, as far as it is used."""

    model: Annotated[str, Field(min_length=1)]
    max_tokens: Annotated[int, Field(ge=1)]
    messages: Annotated[list[Turn], Field(min_length=1)]
    system: str | list[Text] | None = None
    output_config: OutputConfig | None = None


def refusal(status: int, message: str | None = None) -> JSONResponse:
    """Return an error as Anthropic words it."""
    kind, usual = ERRORS.get(status, ERRORS[400] if status < 500 else ERRORS[500])  # noqa: PLR2004
    request_id = _request_id()
    body = {"type": "error", "error": {"type": kind, "message": message or usual}, "request_id": request_id}
    return JSONResponse(body, status, {"request-id": request_id})


def _request_id() -> str:
    return f"req_sandbox_{uuid4().hex[:20]}"


def _check_key(request: Request) -> JSONResponse | None:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    key = bearer if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
    if not is_sandbox_key(key.strip()):
        return refusal(401)
    if "anthropic-version" not in request.headers:
        return refusal(400, "anthropic-version: header is required")
    return None


async def _models(request: Request) -> JSONResponse:  # noqa: ARG001
    known = {
        "type": "model",
        "id": rules.MODEL,
        "display_name": "Sandbox rules (no model)",
        "created_at": "2026-01-01T00:00:00Z",
    }
    page = {"data": [known], "has_more": False, "first_id": rules.MODEL, "last_id": rules.MODEL}
    return JSONResponse(page, headers={"request-id": _request_id()})


async def _messages(request: Request) -> JSONResponse:
    raw = await request.body()
    try:
        asked = MessagesRequest.model_validate_json(raw)
    except ValidationError as error:
        return refusal(400, _first_problem(error))
    if request.headers["anthropic-version"] >= WITHOUT_THEM:
        for name in NO_LONGER_TAKEN:
            if name in json.loads(raw):
                return refusal(400, f"{name}: Extra inputs are not permitted")
    return _message(asked, sent=len(raw))


def _first_problem(error: ValidationError) -> str:
    """Word the first thing that is wrong, without quoting what was sent."""
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    missing = problem["type"] == "missing"
    return f"{where}: Field required" if missing else f"{where or 'body'}: {problem['msg']}"


def _message(asked: MessagesRequest, sent: int) -> JSONResponse:
    prompt = next((turn.text for turn in reversed(asked.messages) if turn.role == "user"), "")
    conversation = read(prompt)
    form = asked.output_config.format if asked.output_config else None
    text = json.dumps(rules.card(conversation, form.schema_)) if form else rules.summary(conversation)
    limit = asked.max_tokens * LETTERS_A_TOKEN
    cut = len(text) > limit
    body = {
        "id": f"msg_sandbox_{uuid4().hex[:20]}",
        "type": "message",
        "role": "assistant",
        "model": rules.MODEL,
        "content": [{"type": "text", "text": text[:limit]}],
        "stop_reason": "max_tokens" if cut else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": sent // LETTERS_A_TOKEN + 1,
            "output_tokens": min(asked.max_tokens, len(text) // LETTERS_A_TOKEN + 1),
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "service_tier": "standard",
        },
    }
    return JSONResponse(body, headers={"request-id": _request_id()})


def app() -> Vendor:
    """Make the server."""
    api = [Route("/v1/messages", _messages, methods=["POST"]), Route("/v1/models", _models)]
    return Vendor("anthropic", api, error=refusal, refuse=_check_key)


def start(port: int = 0) -> AbstractContextManager[str]:
    """Run it in a thread for a test; yields the base URL."""
    return running(app(), port)


@command("anthropic")
def main(host: str, port: int) -> None:
    """Speak Anthropic's API on this machine, for the demo and for tests."""
    serve(app(), host, port)


if __name__ == "__main__":
    main()
