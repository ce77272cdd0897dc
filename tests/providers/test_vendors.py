"""The vendors in one hand: late, once, and with a name for what is missing."""

import gc
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from time import sleep
from typing import Any, cast

import pytest

from ledger.errors import Misconfigured
from providers.once import Once
from providers.vendor_values import VendorValues
from providers.vendors import Vendors
from tests.providers.scripted import Answer, Vendor

GOOD = VendorValues(
    deepgram_api_key="d-secret",
    deepgram_base_url="https://api.deepgram.com",
    anthropic_api_key="a-secret",
    anthropic_base_url="https://api.anthropic.com",
    anthropic_model="claude-haiku-5-5",
    resend_api_key="r-secret",
    resend_base_url="https://api.resend.com",
    resend_sender="Nexara <alerts@nexara.example>",
    s3_endpoint="",
    s3_region="eu-central-1",
    s3_access_key="s-access",
    s3_secret_key="s-secret",
    s3_bucket="recordings",
    twilio_account_sid="AC1",
    twilio_api_key="SK-secret",
    twilio_api_secret="t-secret",
    telnyx_api_key="x-secret",
    vapi_api_key="v-secret",
    elevenlabs_api_key="e-secret",
    meta_access_token="m-secret",
    meta_base_url="https://graph.facebook.com/v24.0",
    dialog360_api_key="3-secret",
    dialog360_base_url="https://waba-v2.360dialog.io",
    google_client_id="nexara",
    google_client_secret="g-secret",
    google_base_url="https://www.googleapis.com",
    google_oauth_base_url="https://oauth2.googleapis.com",
    supabase_secret_key="u-secret",
    supabase_base_url="https://nexara.supabase.co",
    lemon_squeezy_api_key="l-secret",
    lemon_squeezy_base_url="https://api.lemonsqueezy.com",
)
NAMES = (
    *("deepgram", "anthropic", "resend", "objects"),
    *("twilio", "telnyx", "vapi", "elevenlabs"),
    *("meta", "dialog360", "google", "supabase", "lemon_squeezy"),
)


def test_each_vendor_is_made_once() -> None:
    vendors = Vendors(GOOD)
    assert vendors.faults() == ()
    for name in NAMES:
        assert getattr(vendors, name) is getattr(vendors, name)


def test_no_key_shows_where_values_are_shown() -> None:
    assert "secret" not in repr(GOOD)
    assert "s-access" not in repr(GOOD)


@pytest.mark.parametrize(
    ("value", "setting"),
    [
        ({"deepgram_api_key": ""}, "DEEPGRAM_API_KEY"),
        ({"deepgram_api_key": " \n"}, "DEEPGRAM_API_KEY"),
        ({"deepgram_api_key": "my key"}, "DEEPGRAM_API_KEY"),
        ({"deepgram_base_url": ""}, "DEEPGRAM_BASE_URL"),
        ({"deepgram_base_url": "api.deepgram.com"}, "DEEPGRAM_BASE_URL"),
        ({"anthropic_api_key": ""}, "ANTHROPIC_API_KEY"),
        ({"anthropic_base_url": "ftp://x"}, "ANTHROPIC_BASE_URL"),
        ({"anthropic_model": ""}, "ANTHROPIC_MODEL"),
        ({"resend_api_key": "clé"}, "RESEND_API_KEY"),
        ({"resend_base_url": "https://x?y"}, "RESEND_BASE_URL"),
        ({"resend_sender": ""}, "MAIL_FROM"),
        ({"s3_endpoint": "minio:9000"}, "S3_ENDPOINT_URL"),
        ({"s3_region": ""}, "S3_REGION"),
        ({"s3_access_key": ""}, "S3_ACCESS_KEY_ID"),
        ({"s3_secret_key": ""}, "S3_SECRET_ACCESS_KEY"),
        ({"s3_bucket": ""}, "S3_BUCKET"),
        ({"s3_sse": "rot13"}, "S3_ENCRYPTION"),
        ({"twilio_account_sid": ""}, "TWILIO_ACCOUNT_SID"),
        ({"twilio_api_key": ""}, "TWILIO_API_KEY"),
        ({"twilio_api_secret": "my key"}, "TWILIO_API_SECRET"),
        ({"twilio_base_url": "api.twilio.com"}, "TWILIO_BASE_URL"),
        ({"telnyx_api_key": ""}, "TELNYX_API_KEY"),
        ({"telnyx_base_url": ""}, "TELNYX_BASE_URL"),
        ({"vapi_api_key": " "}, "VAPI_API_KEY"),
        ({"vapi_base_url": "ftp://x"}, "VAPI_BASE_URL"),
        ({"elevenlabs_api_key": ""}, "ELEVENLABS_API_KEY"),
        ({"elevenlabs_base_url": ""}, "ELEVENLABS_BASE_URL"),
        ({"meta_access_token": ""}, "META_ACCESS_TOKEN"),
        ({"meta_base_url": "graph.facebook.com"}, "META_BASE_URL"),
        ({"dialog360_api_key": "my key"}, "DIALOG360_API_KEY"),
        ({"dialog360_base_url": ""}, "DIALOG360_BASE_URL"),
        ({"google_client_id": ""}, "GOOGLE_CLIENT_ID"),
        ({"google_client_secret": ""}, "GOOGLE_CLIENT_SECRET"),
        ({"google_base_url": "x"}, "GOOGLE_BASE_URL"),
        ({"google_oauth_base_url": ""}, "GOOGLE_OAUTH_BASE_URL"),
        ({"supabase_secret_key": ""}, "SUPABASE_SECRET_KEY"),
        ({"supabase_base_url": ""}, "SUPABASE_BASE_URL"),
        ({"lemon_squeezy_api_key": ""}, "LEMON_SQUEEZY_API_KEY"),
        ({"lemon_squeezy_base_url": "ftp://x"}, "LEMON_SQUEEZY_BASE_URL"),
    ],
)
def test_what_is_missing_or_broken_is_named_and_never_quoted(value: dict[str, str], setting: str) -> None:
    [fault] = Vendors(replace(GOOD, **cast(dict[str, Any], value))).faults()
    assert isinstance(fault, Misconfigured)
    assert fault.setting == setting
    assert setting in str(fault)
    assert not any(text.strip() and text in str(fault) for text in value.values())


def test_one_missing_key_stops_no_other_vendor() -> None:
    vendors = Vendors(replace(GOOD, anthropic_api_key=""))
    assert vendors.deepgram is not None
    for _ in range(2):
        with pytest.raises(Misconfigured, match="ANTHROPIC_API_KEY is not set"):
            _ = vendors.anthropic


def test_many_threads_make_it_once() -> None:
    made: list[int] = []
    start = Barrier(8)

    def make() -> object:
        sleep(0.02)
        made.append(1)
        return object()

    once = Once(make)

    def ask(_: int) -> object:
        start.wait()
        return once()

    with ThreadPoolExecutor(8) as pool:
        assert len({id(thing) for thing in pool.map(ask, range(8))}) == 1
    assert made == [1]


def test_closing_them_leaves_no_connection_open(vendor: Vendor) -> None:
    urls = (*(f"{name}_base_url" for name in NAMES if name != "objects"), "google_oauth_base_url", "s3_endpoint")
    vendors = Vendors(replace(GOOD, **cast(dict[str, Any], dict.fromkeys(urls, vendor.url))))
    common = {"projects": [], "data": [], "has_more": False, "first_id": None, "last_id": None}
    own: dict[str, Any] = {
        "twilio": {"sid": "AC1"},
        "vapi": [],
        "elevenlabs": {"character_count": 0},
        "meta": {"id": "1"},
        "dialog360": {"id": "1"},
        "google": {"access_token": "a", "expires_in": 1},
        "supabase": {"users": []},
    }
    vendor.answers(*(Answer(body=own.get(name, common), keep=True) for name in NAMES))
    with warnings.catch_warnings(record=True, action="always") as caught:
        for name in NAMES:
            getattr(vendors, name).check()
        vendors.close()
        del vendors
        gc.collect()
    assert [warning for warning in caught if issubclass(warning.category, ResourceWarning)] == []
    assert len(vendor.asked) == len(NAMES)


def test_importing_and_building_them_imports_no_sdk() -> None:
    program = """
import sys
from providers.vendors import Vendors
from tests.providers.test_vendors import GOOD
Vendors(GOOD).faults()
heavy = {"anthropic", "deepgram", "resend", "boto3", "botocore", "httpx", "httpx2", "requests", "phonenumbers"}
print(sorted((heavy | {"twilio"}) & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
