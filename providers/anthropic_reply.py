"""What we take from Anthropic's answer, checked: its SDK makes a str of HTML, and an object of any JSON."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ledger.errors import GiveUp, TryAgain
from providers.plain import plain

Tokens = Annotated[int, Field(ge=0, le=100_000_000)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Block(_Part):
    type: str
    text: str | None = None


class _Usage(_Part):
    input_tokens: Tokens
    output_tokens: Tokens
    cache_creation_input_tokens: Tokens | None = None
    cache_read_input_tokens: Tokens | None = None

    @property
    def input(self) -> int:
        """Return all tokens read, those that went into and came from the cache included."""
        return self.input_tokens + (self.cache_creation_input_tokens or 0) + (self.cache_read_input_tokens or 0)


class Reply(_Part):
    """One message of the model."""

    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$")]
    content: list[_Block]
    stop_reason: str | None
    usage: _Usage


class _Model(_Part):
    id: str


class Models(_Part):
    """The answer to the question which models there are."""

    data: list[_Model]


def written(reply: Reply) -> str:
    """Return the text that the model wrote to its end; raise TryAgain or GiveUp when there is none."""
    match reply.stop_reason:
        case "end_turn" | "stop_sequence":
            pass
        case "refusal":
            raise GiveUp("anthropic_declined", "the model declined to read this conversation")
        case "model_context_window_exceeded":
            raise GiveUp("conversation_too_long", "the conversation is longer than the model can read")
        case "max_tokens":
            raise TryAgain("anthropic_cut_short", "the model did not come to an end")
        case _:
            raise TryAgain("anthropic_garbled", "the model stopped for no reason that we know")
    text = plain("".join(block.text or "" for block in reply.content if block.type == "text"))
    if not text:
        raise TryAgain("anthropic_garbled", "the model wrote nothing")
    return text
