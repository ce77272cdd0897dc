"""What the one who is erased, and a bystander, say on the telephone: tokens, and sound that holds one, too."""

from dataclasses import dataclass

from tests.canary.tokens import Tokens
from tests.jobs.spoken import Spoken, wav


@dataclass(frozen=True)
class Marked(Spoken):
    """A recording whose bytes hold a token."""

    mark: str = ""

    @property
    def audio(self) -> bytes:
        return wav(self.name) + self.mark.encode()


@dataclass(frozen=True)
class Speaker:
    """Somebody, what they are reached by, and what they say."""

    tokens: Tokens
    number: str
    email: str
    spoken: Marked
    written: str


def speaker(whose: str) -> Speaker:
    tokens = Tokens(whose)
    number, email = tokens.phone("spoken"), tokens.email("spoken")
    first, last = tokens.word("spoken").capitalize(), tokens.word("spoken").capitalize()
    said = tokens.word("spoken")
    turns = (
        ("agent", "Hello, how can I help?"),
        ("caller", f"My name is {first} {last}. Could you call me back? My {said} is broken."),
        ("agent", "What number and address can we reach you at?"),
        ("caller", f"It is {number}, and {email}."),
        ("agent", "We will call you back today."),
    )
    spoken = Marked(f"canary {whose}", turns, tokens.word("sound"))
    written = f"I am {first} {last}, {number}. Please mend the {tokens.word('written')}, or write to {email}."
    return Speaker(tokens, number, email, spoken, written)


SUBJECT, BYSTANDER = speaker("subject"), speaker("bystander")
