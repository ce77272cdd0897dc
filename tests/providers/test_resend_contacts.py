"""Resend's contacts: somebody is taken off the list, and it is read back."""

from typing import Any

import pytest

from ledger.errors import JobError, Misconfigured, TryAgain
from providers.resend import Resend
from tests.providers.scripted import Answer, Vendor
from tests.providers.traces import assert_says_nothing_of, failure_of

TO = "owner@marigold.example"
GONE = {"statusCode": 404, "name": "not_found", "message": "Contact not found"}
NO_ENDPOINT = {"statusCode": 404, "name": "not_found", "message": "The requested endpoint does not exist."}


@pytest.fixture
def resend(vendor: Vendor) -> Resend:
    return Resend(api_key="k-secret", base_url=vendor.url, sender="a@nexara.example", timeout=5.0)


@pytest.mark.parametrize(("contact", "path"), [(TO, "/contacts/owner%40marigold.example"), ("c1", "/contacts/c1")])
def test_a_contact_is_deleted_by_address_or_id(resend: Resend, vendor: Vendor, contact: str, path: str) -> None:
    vendor.answers(Answer(body={"object": "contact", "contact": "c1", "deleted": True}))
    resend.delete_contact(contact)
    [asked] = vendor.asked
    assert (asked.method.upper(), asked.path) == ("DELETE", path)
    assert asked.headers["authorization"] == "Bearer k-secret"


def test_a_contact_is_read_back(resend: Resend, vendor: Vendor) -> None:
    vendor.answers(Answer(body={"object": "contact", "id": "c1", "email": TO}))
    assert resend.has_contact(TO) is True


def test_a_contact_that_is_not_there_is_deleted_already(resend: Resend, vendor: Vendor) -> None:
    vendor.answers(Answer(404, GONE))
    resend.delete_contact(TO)
    assert resend.has_contact(TO) is False


@pytest.mark.parametrize("answer", [Answer(404, NO_ENDPOINT), Answer(404, "<h1>404</h1>", kind="text/html")])
def test_somebody_else_s_404_proves_no_deletion(resend: Resend, vendor: Vendor, answer: Answer) -> None:
    vendor.answers(answer)
    for ask in (resend.delete_contact, resend.has_contact):
        assert failure_of(lambda ask=ask: ask(TO)).code == "resend_not_there"


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Answer(body={"object": "contact", "contact": "c1", "deleted": False}), TryAgain, "resend_garbled"),
        (Answer(body={}), TryAgain, "resend_garbled"),
        (
            Answer(403, {"statusCode": 403, "name": "invalid_api_key", "message": TO}),
            Misconfigured,
            "resend_key_refused",
        ),
        (Answer(409, {"statusCode": 409, "name": "conflict", "message": TO}), TryAgain, "resend_unready"),
    ],
)
def test_what_else_may_come_back(
    resend: Resend, vendor: Vendor, answer: Answer, kind: type[JobError], code: str
) -> None:
    vendor.answers(answer)
    error = failure_of(lambda: resend.delete_contact(TO))
    assert (type(error), error.code) == (kind, code)
    assert_says_nothing_of(error, "marigold", "k-secret")


@pytest.mark.parametrize("contact", ["", ".", ".."])
def test_no_contact_is_no_request(resend: Resend, vendor: Vendor, contact: str) -> None:
    def ask() -> Any:
        return resend.delete_contact(contact)

    assert failure_of(ask).code == "ref_malformed"
    assert vendor.asked == []
