"""The sandbox's vendors as the tests see them: what they were asked, and what shall go wrong."""

import json
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Asked = tuple[str, str]
"""What was paid for, and whom it was about: ("summarize", mark), ("extract", mark), ("transcribe", recording id),
("mail", idempotency key)."""


@dataclass(frozen=True)
class Vendors:
    """Base URLs of the three."""

    deepgram: str
    anthropic: str
    resend: str

    def reset(self) -> None:
        for url in (self.deepgram, self.anthropic, self.resend):
            post(f"{url}/_sandbox/reset", {})

    def slow(self, *vendors: str, seconds: float, times: int = 1) -> None:
        """Make a vendor's next answers late: the work is done and paid for by then."""
        for vendor in vendors:
            post(f"{getattr(self, vendor)}/_sandbox/faults", [{"delay": seconds}] * times)

    def mails(self) -> list[dict[str, Any]]:
        """Return the mails that went out, each once however often it was asked for under its key."""
        found: list[dict[str, Any]] = get(f"{self.resend}/inbox.json")
        return found

    def asked(self, marks: Iterable[str]) -> Counter[Asked]:
        """Count the requests by what they were for; `marks` are the words that tell conversations apart."""
        return Counter([*self._transcriptions(), *self._readings(list(marks)), *self._letters()])

    def _transcriptions(self) -> Iterator[Asked]:
        for request in requests(self.deepgram):
            path = json.loads(request["text"])["url"].partition("?")[0]
            yield "transcribe", path.rpartition("/")[2].removesuffix(".wav")

    def _readings(self, marks: list[str]) -> Iterator[Asked]:
        for request in requests(self.anthropic):
            step = "extract" if "output_config" in json.loads(request["text"]) else "summarize"
            yield from ((step, mark) for mark in marks if mark in request["text"])

    def _letters(self) -> Iterator[Asked]:
        for request in requests(self.resend):
            yield "mail", request["headers"]["idempotency-key"]


def requests(url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(f"{url}/_sandbox/requests")["requests"]
    return found


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def post(url: str, body: Any) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)
