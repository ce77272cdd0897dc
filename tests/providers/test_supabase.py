"""Supabase: a user is deleted, and read back without their address."""

from typing import Any
from uuid import UUID

import pytest

from ledger.errors import GiveUp, JobError, Misconfigured, TryAgain
from providers.supabase import Supabase
from tests.providers.scripted import Answer, Vendor
from tests.providers.traces import assert_says_nothing_of, failure_of

SECRETS = ("marigold", "k-secret")
USER = UUID("5a9d0b0c-0000-4000-8000-000000000001")
PATH = f"/auth/v1/admin/users/{USER}"
GONE = {"code": 404, "error_code": "user_not_found", "msg": "User not found"}
GONE_SINCE_2024 = {"code": "user_not_found", "message": "User not found"}


@pytest.fixture
def supabase(vendor: Vendor) -> Supabase:
    return Supabase(secret_key="k-secret", base_url=vendor.url, timeout=5.0)


def test_a_user_is_deleted_for_good(supabase: Supabase, vendor: Vendor) -> None:
    vendor.answers(Answer(body={}))
    supabase.delete_user(USER)
    [asked] = vendor.asked
    assert (asked.method, asked.path, asked.json) == ("DELETE", PATH, {"should_soft_delete": False})
    assert (asked.headers["apikey"], asked.headers["authorization"]) == ("k-secret", "Bearer k-secret")


@pytest.mark.parametrize("body", [GONE, GONE_SINCE_2024])
def test_a_user_who_is_not_there_is_deleted_already(supabase: Supabase, vendor: Vendor, body: Any) -> None:
    vendor.answers(Answer(404, body))
    supabase.delete_user(USER)
    assert supabase.has_user(USER) is False


@pytest.mark.parametrize("body", [{"message": "no Route matched"}, "<h1>404</h1>", {"code": 404}, []])
def test_somebody_else_s_404_proves_no_deletion(supabase: Supabase, vendor: Vendor, body: Any) -> None:
    vendor.answers(Answer(404, body))
    for ask in (supabase.delete_user, supabase.has_user):
        error = failure_of(lambda ask=ask: ask(USER))
        assert isinstance(error, Misconfigured)
        assert (error.code, error.setting) == ("supabase_not_there", "SUPABASE_BASE_URL")


def test_a_user_is_read_back(supabase: Supabase, vendor: Vendor) -> None:
    vendor.answers(Answer(body={"id": str(USER), "email": "owner@marigold.example"}))
    assert supabase.has_user(USER) is True
    assert (vendor.asked[0].method, vendor.asked[0].path) == ("GET", PATH)


def test_another_user_than_asked_for_is_no_answer(supabase: Supabase, vendor: Vendor) -> None:
    vendor.answers(Answer(body={"id": str(UUID(int=7))}))
    assert failure_of(lambda: supabase.has_user(USER)).code == "supabase_garbled"


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (
            Answer(500, {"error_code": "unexpected_failure", "msg": "Database error deleting user"}),
            TryAgain,
            "supabase_user_owns",
        ),
        (Answer(500, {"error_code": "unexpected_failure", "msg": "marigold"}), TryAgain, "supabase_down"),
        (Answer(401, {"msg": "marigold"}), Misconfigured, "supabase_key_refused"),
        (Answer(403, {"error_code": "not_admin"}), Misconfigured, "supabase_key_refused"),
        (Answer(422, {"error_code": "validation_failed"}), GiveUp, "supabase_refused"),
        (Answer(307, "", {"location": "https://marigold.invalid/"}), Misconfigured, "supabase_not_there"),
        (Answer(200, "[]"), TryAgain, "supabase_garbled"),
        (Answer(200, "OK"), TryAgain, "supabase_garbled"),
    ],
)
def test_what_a_refusal_means(
    supabase: Supabase, vendor: Vendor, answer: Answer, kind: type[JobError], code: str
) -> None:
    vendor.answers(answer)
    error = failure_of(lambda: supabase.delete_user(USER))
    assert (type(error), error.code) == (kind, code)
    assert len(vendor.asked) == 1
    assert_says_nothing_of(error, *SECRETS)


def test_a_good_key_passes_the_check(supabase: Supabase, vendor: Vendor) -> None:
    vendor.answers(Answer(body={"users": [], "aud": "authenticated"}))
    supabase.check()
    assert vendor.asked[0].query == {"page": ["1"], "per_page": ["1"]}
