"""Reads what a request puts before the model: the facts, and the conversation with who said what."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from html import unescape
from itertools import groupby
from typing import Literal

Speaker = Literal["caller", "agent"]

CONVERSATION = re.compile(r"<conversation>\n?(.*?)\n?</conversation>", re.DOTALL)
FACT = re.compile(r"^([A-Za-z][A-Za-z' ]*): *(\S.*)$", re.MULTILINE)
DAY = re.compile(r"\d{4}-\d\d-\d\d")
LABEL = re.compile(r"^\s*(?:[\[(][\d:., -]+[\])]\s*)?(caller|agent):\s*", re.IGNORECASE)
SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?]+(?=\S)[^.!?\n]+)*[.!?]*")
COMMANDS = re.compile(
    r"\b(ignore|disregard|forget|override)\b.*\b(instruction|rule|prompt|above)"
    r"|\b(system|developer) (message|prompt)\b|\b(in|to) (your|the) (summary|note|card)\b"
    r"|</?\w+>|\byou (are|must) now\b|\bset (my|the) \w+ to\b|\bas an? (ai|language model)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Turn:
    """What one side said or wrote until the other did."""

    speaker: Speaker
    text: str

    def sentences(self) -> list[str]:
        """Return its sentences letter by letter, without those that give a machine orders."""
        found = (sentence.strip() for sentence in SENTENCE.findall(self.text))
        return [sentence for sentence in found if sentence and not COMMANDS.search(sentence)]


@dataclass(frozen=True)
class Conversation:
    """A conversation, and the facts given beside it by their names."""

    turns: tuple[Turn, ...]
    facts: Mapping[str, str]

    @property
    def today(self) -> date | None:
        """Return the day from which "tomorrow" is counted."""
        day = DAY.search(self.facts.get("today", ""))
        return date.fromisoformat(day[0]) if day else None

    @property
    def caller_number(self) -> str | None:
        """Return the number that the call came from."""
        return self.facts.get("the caller's number")

    def of(self, speaker: Speaker) -> list[str]:
        """Return one side's sentences."""
        return [sentence for turn in self.turns if turn.speaker == speaker for sentence in turn.sentences()]

    def answers(self) -> Iterator[tuple[str, str]]:
        """Yield what the caller said in each turn, after what the agent had said just before it."""
        before = ""
        for turn in self.turns:
            if turn.speaker == "caller":
                yield before, " ".join(turn.sentences())
            before = turn.text if turn.speaker == "agent" else ""


def read(prompt: str) -> Conversation:
    """Read a prompt; without tags all of it is the conversation."""
    inside = CONVERSATION.search(prompt)
    outside = CONVERSATION.sub("", prompt) if inside else ""
    facts = {name.lower(): value.strip() for name, value in FACT.findall(outside)}
    return Conversation(tuple(_turns(unescape(inside[1] if inside else prompt))), facts)


def _turns(text: str) -> Iterator[Turn]:
    """Join the lines that one side said in a row; a line without a label goes on with the one before."""
    speaker: Speaker = "caller"
    lines: list[tuple[Speaker, str]] = []
    for line in filter(str.strip, text.splitlines()):
        if label := LABEL.match(line):
            speaker = "agent" if label[1].lower() == "agent" else "caller"
        lines.append((speaker, line[label.end() :] if label else line))
    for who, group in groupby(lines, key=lambda line: line[0]):
        yield Turn(who, "\n".join(words for _, words in group))
