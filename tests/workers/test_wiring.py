"""What is missing or malformed is told by the name of its setting, before any job finds out, and never quoted."""

import psycopg
import pytest
import redis
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

from jobs.registry import load
from settings import Settings
from workers.main import _queues
from workers.reach import malformed, reaching, reason, redis_malformed
from workers.wiring import NotConfigured, need, require, vendors

VENDORS = ("anthropic", "deepgram", "objects", "resend")
NO_KEYS = {
    "anthropic_api_key": SecretStr(""),
    "deepgram_api_key": SecretStr(""),
    "resend_api_key": SecretStr(""),
    "s3_access_key_id": "",
    "s3_secret_access_key": SecretStr(""),
}
KEYS = {name: SecretStr("key") if isinstance(none, SecretStr) else "key" for name, none in NO_KEYS.items()}


def settings(**values: object) -> Settings:
    return Settings.model_validate(values)


def test_every_vendor_that_lacks_its_key_is_named_at_once() -> None:
    with pytest.raises(NotConfigured) as refused:
        need(vendors(settings(**NO_KEYS)), VENDORS)
    for name in ("ANTHROPIC_API_KEY", "DEEPGRAM_API_KEY", "RESEND_API_KEY", "S3_ACCESS_KEY_ID"):
        assert name in str(refused.value)


def test_a_key_that_cannot_be_one_is_named_and_not_quoted() -> None:
    with pytest.raises(NotConfigured) as refused:
        need(vendors(settings(**{**KEYS, "deepgram_api_key": SecretStr("half a secret")})), VENDORS)
    assert "DEEPGRAM_API_KEY" in str(refused.value)
    assert "half" not in str(refused.value)


def test_only_the_vendors_of_the_queues_it_serves_are_needed() -> None:
    need(vendors(settings(**NO_KEYS)), ())
    need(vendors(settings(**{**NO_KEYS, "resend_api_key": SecretStr("re_key")})), ["resend"])
    need(vendors(settings(**KEYS)), VENDORS)


def test_every_empty_setting_is_named() -> None:
    with pytest.raises(NotConfigured, match="DATABASE_URL, REDIS_URL"):
        require(database_url="", redis_url="")
    require(database_url="something")


def test_without_a_choice_all_queues_are_served_so_that_none_is_forgotten() -> None:
    registry = load()
    everything = sorted({job.payload.terms.queue for job in registry})
    assert _queues("", registry) == _queues(" , ", registry) == everything
    assert _queues(f" {everything[0]} ,{everything[1]}", registry) == everything[:2]


def test_a_queue_that_no_kind_uses_is_refused_and_those_there_are_are_named() -> None:
    registry = load()
    with pytest.raises(NotConfigured) as refused:
        _queues("transcripton,email", registry)
    told = str(refused.value)
    assert told.startswith("WORKER_QUEUES names ")
    assert "transcripton" in told
    for job in registry:
        assert job.payload.terms.queue in told


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "postgres://a:s3cret@h/n",
        "mysql://a:s3cret@h/n",
        "postgresql+psycopg2://a:s3cret@h/n",
        "postgresql://a:s3cret@h:port/n",
        "sqlite://",
    ],
)
def test_an_address_that_cannot_be_a_database_is_refused_unopened(url: str) -> None:
    with (
        pytest.raises(NotConfigured, match="SOME_URL: it is not written as postgresql://") as refused,
        reaching("SOME_URL", url),
    ):
        raise AssertionError
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("url", ["postgresql://a:b@h:1/n", "postgresql+psycopg://a:b@h/n?sslmode=require"])
def test_an_address_of_a_database_is_taken(url: str) -> None:
    assert malformed(url) == ""


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("redis://:s3cret@h:6379/0", True),
        ("rediss://h", True),
        ("h:6379", False),
        ("http://h", False),
        ("redis://h:port", False),
    ],
)
def test_an_address_of_redis_is_told_from_one_that_cannot_be(url: str, good: bool) -> None:
    assert (redis_malformed(url) == "") is good


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (psycopg.OperationalError('FATAL:  password authentication failed for user "jane"'), "the password is wrong"),
        (psycopg.OperationalError('FATAL:  database "jane" does not exist'), "there is no such database or role"),
        (psycopg.errors.InsufficientPrivilege("permission denied for jane"), "its role may not do this"),
        (psycopg.errors.UndefinedTable('relation "jane" does not exist'), "the database is not at this release"),
        (psycopg.errors.CheckViolation("jane"), "the database refused (SQLSTATE 23514)"),
        (redis.ConnectionError("Error 111 connecting to jane:1. Connection refused."), "no server listens there"),
        (redis.AuthenticationError("WRONGPASS jane"), "the password is wrong"),
        (redis.ResponseError("jane"), "no answer (ResponseError)"),
    ],
)
def test_why_a_server_is_of_no_use_is_told_in_our_own_words(error: Exception, said: str) -> None:
    wrapped = OperationalError("SELECT 'jane'", {"name": "jane"}, error)
    assert reason(error).startswith(said)
    assert reason(wrapped) == reason(error)
    assert "jane" not in reason(error)
