"""Anthropic's model reads a conversation: it writes the business a note, and fills in the lead's card."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from json import JSONDecodeError
from typing import TYPE_CHECKING, Final, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from ledger.errors import GiveUp, JobError, Misconfigured, RateLimited, TryAgain
from providers.anthropic_prompts import CARD, LEAD, SUMMARY, turn
from providers.anthropic_reply import Models, Reply, written
from providers.asking import ask, whereabouts
from providers.bounds import CHECK, bounds, connect_within
from providers.e164 import e164
from providers.lead import Card, Extracted, Known, believed
from providers.once import Once
from providers.pauses import asked_pause
from providers.plain import plain
from providers.quiet import quiet
from providers.required import address, required, secret
from providers.said import Said

if TYPE_CHECKING:
    from anthropic import Anthropic as Client
    from anthropic.types import OutputConfigParam

__all__ = ["Anthropic", "Extracted", "Summarized"]

KEY: Final = "ANTHROPIC_API_KEY"
BASE_URL: Final = "ANTHROPIC_BASE_URL"
MODEL: Final = "ANTHROPIC_MODEL"

MOST_TOKENS: Final = 1024
"""Of an answer; four sentences and a card are a fifth of it."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Summarized:
    """A note of two to four sentences, the model that wrote it, and the tokens it is billed with."""

    body: str
    model: str
    input_tokens: int
    output_tokens: int


class Anthropic:
    """A client that any number of threads may share; `timeout` is in seconds for a whole call.

    Raises Misconfigured when a value is missing; connects, and imports the SDK, when first used.
    """

    def __init__(self, *, api_key: str, base_url: str, model: str, timeout: float = 60.0) -> None:
        self._api_key = secret(api_key, KEY)
        self._base_url = address(base_url, BASE_URL)
        self._model = required(model, MODEL)
        self._timeout = timeout
        self._client = Once(self._connect)

    def summarize(self, text: str, *, channel: str) -> Summarized:
        """Return a note of the conversation, which came by `channel`: call, web_chat, whatsapp or sms."""

        def noted(reply: Reply) -> Summarized:
            return Summarized(
                body=written(reply),
                model=reply.model,
                input_tokens=reply.usage.input,
                output_tokens=reply.usage.output_tokens,
            )

        return self._read(SUMMARY, text, {"channel": channel}, None, noted)

    def extract_lead(
        self,
        text: str,
        *,
        today: date,
        zone: str,
        country: str,
        channel: str = "call",
        caller_number: str | None = None,
    ) -> Extracted:
        """Return what the conversation says of the caller, nothing of it invented.

        `today` is the conversation's day in `zone`, the business's IANA time zone; `country` is its ISO 3166
        code, by which a number without a prefix is read; `caller_number` is the one the call came from, and
        counts as said. Raises GiveUp `zone_unknown` for a zone that is none.
        """
        number = e164(caller_number, country)
        known = Known(today=today, zone=_zone(zone), country=country, caller_number=number.text if number else None)
        facts = {"channel": channel, "today": f"{today.isoformat()}, a {today:%A}", "time zone": zone}
        if number:
            facts["the caller's number"] = number.text

        def carded(reply: Reply) -> Extracted:
            return believed(
                Card.model_validate_json(written(reply)),
                Said(text),
                known,
                input_tokens=reply.usage.input,
                output_tokens=reply.usage.output_tokens,
            )

        return self._read(LEAD, text, facts, {"format": {"type": "json_schema", "schema": dict(CARD)}}, carded)

    def check(self) -> None:
        """Read the list of models, which costs nothing and needs a good key."""
        ask(
            lambda: Models.model_validate(
                self._client().models.list(limit=1, timeout=min(CHECK, self._timeout)), from_attributes=True
            ),
            meaning,
        )

    def close(self) -> None:
        """Close the connections."""
        if client := self._client.made:
            client.close()

    def _read(
        self,
        rules: str,
        conversation: str,
        facts: Mapping[str, str],
        form: "OutputConfigParam | None",
        take: Callable[[Reply], Answer],
    ) -> Answer:
        if not plain(conversation):
            raise GiveUp("conversation_empty", "there is nothing to read in this conversation")

        def read() -> Answer:
            from anthropic import omit

            reply = self._client().messages.create(
                model=self._model,
                max_tokens=MOST_TOKENS,
                system=rules,
                messages=[{"role": "user", "content": turn(conversation, facts)}],
                output_config=form or omit,
            )
            return take(Reply.model_validate(reply, from_attributes=True))

        return ask(read, meaning)

    def _connect(self) -> "Client":
        import httpx2
        from anthropic import Anthropic as Client

        quiet("anthropic", "httpcore2", "httpx2")
        timeout = httpx2.Timeout(self._timeout, connect=connect_within(self._timeout))
        return Client(
            api_key=self._api_key,
            base_url=self._base_url,
            max_retries=0,
            timeout=timeout,
            open_telemetry=False,  # a tracer in the process must not see what was said
            http_client=httpx2.Client(timeout=timeout, event_hooks=bounds(httpx2, self._timeout)),
        )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        failure = GiveUp("zone_unknown", "the business's time zone is not one that we know")
    raise failure


def meaning(error: Exception) -> JobError:
    """Say what an error of the SDK, of its transport, or a wrong answer means for the job."""
    from anthropic import APIConnectionError, APIResponseValidationError, APIStatusError, APITimeoutError

    match error:
        case APITimeoutError():
            return TryAgain("anthropic_timeout", "Anthropic did not answer in time")
        case APIConnectionError():
            return TryAgain("anthropic_unreachable", "the connection to Anthropic failed")
        case APIStatusError(status_code=int(status)):
            return _refusal(status, f"{error.type}: {error.api_message}", error.response.headers)
        case APIResponseValidationError() | ValidationError() | JSONDecodeError():
            return TryAgain("anthropic_garbled", "Anthropic answered something that was not asked for")
        case _:
            return TryAgain("anthropic_failed", f"Anthropic's SDK failed with {whereabouts(error)}")


def _refusal(status: int, said: str, headers: Mapping[str, str]) -> JobError:
    failure: JobError = GiveUp("anthropic_refused", f"Anthropic refused the request with status {status}")
    match status:
        case 400 if "prompt is too long" in said:
            failure = _too_long()
        case 413:
            failure = _too_long()
        case 401 | 403:
            failure = Misconfigured("anthropic_key_refused", "Anthropic refused the key", setting=KEY)
        case 402:
            failure = Misconfigured("anthropic_out_of_credit", "the account has no credit left", setting=KEY)
        case 404 if said.startswith("not_found_error"):
            failure = Misconfigured("anthropic_no_such_model", "Anthropic has no such model", setting=MODEL)
        case 301 | 302 | 303 | 307 | 308 | 404 | 405:
            failure = Misconfigured("anthropic_not_there", "no Anthropic at this address", setting=BASE_URL)
        case 429:
            failure = RateLimited("anthropic_busy", "Anthropic asked for a pause", asked_pause(headers), "anthropic")
        case 408 | 409 | 425:
            failure = TryAgain("anthropic_unready", "Anthropic could not take the request now")
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            failure = TryAgain("anthropic_down", f"Anthropic failed with status {status}")
    return failure


def _too_long() -> GiveUp:
    return GiveUp("conversation_too_long", "the conversation is longer than the model can read")
