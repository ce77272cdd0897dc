"""Answers of Anthropic's API, in its own format, that say what a test wants said."""

import json
from typing import Any


def message(**differs: Any) -> dict[str, Any]:
    """Return an answer of Anthropic's that says what is given here."""
    told = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-5-5",
        "content": [{"type": "text", "text": "The caller wanted"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5},
    }
    return {"status": 200, "body": told | differs}


def card(**says: Any) -> dict[str, Any]:
    """Return an answer that is a lead's card: a question of low urgency by nobody, but for what is said here."""
    nothing = dict.fromkeys(("name", "phone", "email", "requested_at", "verbatim"))
    told = nothing | {"intent": "question", "urgency": "low"} | says
    return message(content=[{"type": "text", "text": json.dumps(told)}])
