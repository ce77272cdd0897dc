"""What the sandbox has instead of a model: rules that find the wish, and a note of the people's own words."""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from sandbox.vendors import details, moments
from sandbox.vendors.conversation import Conversation

MODEL = "sandbox-rules"
"""The name under which answers go out, so that nobody takes them for a model's."""

QUOTE_AT_MOST = 300
SAYS_LITTLE = 45
"""Characters below which the next sentence is quoted too: "I want to make a complaint." is not the complaint."""


def _any(*words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(words)})", re.IGNORECASE)


INTENTS: Mapping[str, re.Pattern[str]] = {
    "complaint": _any(
        *("complain", "unhappy", "not happy", "disappointed", "refund", "unacceptable", "terrible", r"\w+ing again"),
    ),
    "cancellation": _any("cancel", "reschedul", "postpone", "(move|change) my (appointment|booking|visit)"),
    "quote": _any("quote", "estimate", "how much", "prices?", "what .* cost", "would it cost"),
    "booking": _any(
        *("book", "appointment", "schedule", "come (out|on|over|at|tomorrow|today)", "visit", "reserve"),
        *("a table for", "need an? (plumber|electrician|doctor|dentist|engineer)", "send (someone|somebody)"),
    ),
    "callback": _any("call(ed)? (me )?back", "callback", "ring me back", "give me a (call|ring)"),
    "question": _any(
        *("question", "wonder", "do you", "are you", "can you tell", "what (time|are|is)", "when (do|are)"),
        *("how (do|long)", "is there"),
    ),
}
"""In the order in which they count: who complains about an appointment complains."""

WRONG_NUMBER = _any("wrong number")
EMERGENCY = _any(
    *("emergency", "burst", "flood", "gas leak", "smell gas", "on fire", "bleeding", "unconscious", "sparks"),
    "water (is )?(all over|coming through|pouring)",
)
NO_EMERGENCY = _any("(not|no|isn't) an? emergency", "no emergency")
HIGH = _any(
    *("urgent", "as soon as", "asap", "today", "tonight", "right (now|away)", "immediately"),
    *("pain", r"\w*ache\b", "hurts"),
)
AGREED = _any(
    *("booked", "moved your", "cancell?ed", "will (call|ring|send|come|be|have)", "see you", "sent you"),
    *("arranged", "reserved", "confirmed", "is free"),
)

WISH = {
    "booking": "wanted to make an appointment",
    "quote": "asked for a quote",
    "question": "had a question",
    "complaint": "had a complaint",
    "cancellation": "wanted to cancel or move an appointment",
    "callback": "asked to be called back",
    "other": "had no request that the notes can tell",
    "emergency": "had an emergency",
}
NEXT = {
    "booking": "Next: keep the appointment, or offer another time.",
    "quote": "Next: prepare the quote and send it.",
    "question": "Nothing is left to do unless the answer was missing.",
    "complaint": "Next: a person should call back about it.",
    "cancellation": "Next: change the appointment in the calendar.",
    "callback": "Next: call back.",
    "other": "Nothing is left to do.",
    "emergency": "Next: see to it at once.",
}


def intent(conversation: Conversation) -> str:
    """Return what the caller wanted above all."""
    if any(WRONG_NUMBER.search(turn.text) for turn in conversation.turns):
        return "other"
    said = " ".join(conversation.of("caller"))
    return next((one for one, words in INTENTS.items() if words.search(said)), "other")


def urgency(conversation: Conversation) -> str:
    """Return how soon somebody has to do something."""
    said, wanted = " ".join(conversation.of("caller")), intent(conversation)
    if EMERGENCY.search(said) and not NO_EMERGENCY.search(said):
        return "emergency"
    if wanted == "complaint" or (wanted not in {"question", "other"} and HIGH.search(said)):
        return "high"
    return "low" if wanted in {"question", "other"} else "normal"


def verbatim(conversation: Conversation) -> str | None:
    """Return the caller's words that say best what they want, letter by letter."""
    return _quote(conversation, INTENTS.get(intent(conversation)))


def _quote(conversation: Conversation, words: re.Pattern[str] | None) -> str | None:
    """Return the first sentence of the caller with one of the words, else their longest."""
    turns = [turn.sentences() for turn in conversation.turns if turn.speaker == "caller"]
    wishes = (
        " ".join(sentences[at : at + (2 if len(wish) < SAYS_LITTLE else 1)])
        for sentences in turns
        for at, wish in enumerate(sentences)
        if words and words.search(wish)
    )
    longest = max((one for sentences in turns for one in sentences), key=len, default=None)
    chosen = next(wishes, longest)
    return chosen[:QUOTE_AT_MOST] if chosen else None


def requested_at(conversation: Conversation) -> str | None:
    """Return the local day and hour asked for, as YYYY-MM-DDTHH:MM."""
    moment = moments.requested(conversation)
    return moment.isoformat(timespec="minutes") if moment else None


FINDERS: Mapping[str, Callable[[Conversation], str | None]] = {
    "name": details.name,
    "phone": details.phone,
    "email": details.email,
    "intent": intent,
    "urgency": urgency,
    "requested_at": requested_at,
    "verbatim": verbatim,
}


def card(conversation: Conversation, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in the keys of a JSON schema; null for what nobody said and for what no rule is for."""
    return {key: FINDERS[key](conversation) if key in FINDERS else None for key in schema.get("properties", {})}


def summary(conversation: Conversation) -> str:
    """Return a note of two to four sentences, made of what was said and of nothing else."""
    who = details.name(conversation) or "The caller"
    if any(WRONG_NUMBER.search(turn.text) for turn in conversation.turns):
        return f"{who} had the wrong number. {NEXT['other']}"
    if urgency(conversation) == "emergency":
        wanted, said = "emergency", _quote(conversation, EMERGENCY)
    else:
        wanted, said = intent(conversation), verbatim(conversation)
    note = [f"{who} {WISH[wanted]}: \u201c{said}\u201d" if said else f"{who} said nothing."]
    reply = _reply(conversation)
    note.append(f"The receptionist said: \u201c{reply}\u201d" if reply else "Nothing was agreed.")
    if moment := moments.requested(conversation):
        note.append(f"The time asked for is {moment:%A} {moment.day} {moment:%B at %H:%M}.")
    return " ".join([*note, NEXT[wanted]])


def _reply(conversation: Conversation) -> str | None:
    """Return the receptionist's last promise, or the answer to the question."""
    promises = [sentence for sentence in conversation.of("agent") if AGREED.search(sentence)]
    if promises or intent(conversation) != "question":
        return promises[-1] if promises else None
    question = verbatim(conversation) or ""
    return next(
        (
            max(answer.sentences(), key=len)
            for asked, answer in pairwise(conversation.turns)
            if question in " ".join(asked.sentences()) and answer.sentences()
        ),
        None,
    )
