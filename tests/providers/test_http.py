"""Plain HTTP, as the vendors without an SDK are asked: nothing in a log, nothing followed, nothing tried twice."""

import logging
from collections.abc import Iterator

import pytest

from ledger.errors import GiveUp
from providers.http import Http, segment
from providers.refusals import Garbled, Refused
from tests.providers.scripted import Answer, Vendor
from tests.providers.traces import failure_of

LOGGERS = ("httpx", "httpcore")


@pytest.fixture
def http(vendor: Vendor) -> Iterator[Http]:
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.NOTSET)
    made = Http(vendor.url, timeout=5.0, headers={"Authorization": "Bearer k-secret"})
    yield made
    made.close()
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
def test_no_log_tells_what_was_asked_for(
    http: Http, vendor: Vendor, caplog: pytest.LogCaptureFixture, level: int
) -> None:
    caplog.set_level(level)
    vendor.answers(Answer(body={"name": "Marigold"}))
    http.json("GET", "/contacts/marigold")
    assert "arigold" not in caplog.text
    assert "k-secret" not in caplog.text


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirection_is_followed_with_the_key(http: Http, vendor: Vendor, status: int) -> None:
    vendor.answers(Answer(status, "", {"location": f"{vendor.url}/elsewhere"}))
    with pytest.raises(Refused):
        http.json("GET", "/here")
    assert len(vendor.asked) == 1


def test_a_refusal_is_read_and_never_shown(http: Http, vendor: Vendor) -> None:
    vendor.answers(Answer(409, {"error": {"code": 7, "message": "Marigold"}}))
    with pytest.raises(Refused) as caught:
        http.json("GET", "/here")
    assert (caught.value.status, caught.value.at("error", "code"), caught.value.at("error", "code", "x")) == (
        409,
        7,
        None,
    )
    assert "Marigold" not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_only_no_content_is_no_content(http: Http, vendor: Vendor, status: int) -> None:
    vendor.answers(Answer(status, ""))
    with pytest.raises(Garbled):
        http.nothing("DELETE", "/here")
    vendor.answers(Answer(204))
    http.nothing("DELETE", "/here")


@pytest.mark.parametrize(
    ("text", "path"), [("a/b", "a%2Fb"), ("../x", "..%2Fx"), ("a@b.example", "a%40b.example"), ("ü?#", "%C3%BC%3F%23")]
)
def test_an_id_is_one_segment_of_a_path(text: str, path: str) -> None:
    assert segment(text) == path


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_what_is_no_id_is_given_up(text: str) -> None:
    assert isinstance(failure_of(lambda: segment(text)), GiveUp)
