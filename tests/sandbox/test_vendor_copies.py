"""The sandbox's vendors that hold copies, asked through our own clients: what is deleted goes, at once or slowly."""

import base64
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest

from ledger.errors import JobError, RateLimited
from providers.google import Google
from providers.resend import Resend
from providers.supabase import Supabase
from providers.whatsapp import WhatsApp
from sandbox.vendors import google, resend, supabase, whatsapp
from tests.sandbox.filling import close_all, fill, held, opened, reset, wrong

USER = UUID("5a9d0b0c-0000-4000-8000-000000000001")
PICTURE = {"mime_type": "image/png", "base64": base64.b64encode(b"a picture").decode()}
GRANT = "sandbox-refresh-1"
TIMEOUT = 2.0


@dataclass(frozen=True)
class Copy:
    """A copy at a vendor: how the vendor is filled with it, how it is deleted, and how it is read back."""

    url: str
    collection: str
    key: str
    delete: Callable[[], None]
    is_there: Callable[[], bool]
    thing: dict[str, Any] = field(default_factory=dict)

    def fill(self, lingers: int = 0) -> None:
        fill(self.url, lingers, **{self.collection: {self.key: self.thing}})


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    with ExitStack() as running:
        yield {
            "meta": running.enter_context(whatsapp.start("meta")),
            "dialog360": running.enter_context(whatsapp.start("dialog360")),
            "google": running.enter_context(google.start()),
            "supabase": running.enter_context(supabase.start()),
            "resend": running.enter_context(resend.start()),
        }


@pytest.fixture(autouse=True)
def _fresh(urls: dict[str, str]) -> Iterator[None]:
    for url in urls.values():
        reset(url)
    yield
    close_all()


def _meta(url: str) -> Copy:
    one = opened(WhatsApp.meta(access_token="sandbox-meta", base_url=f"{url}/v24.0", timeout=TIMEOUT))
    return Copy(url, "media", "7", lambda: one.delete_media("7"), lambda: one.has_media("7"), PICTURE)


def _dialog360(url: str) -> Copy:
    one = opened(WhatsApp.dialog360(api_key="sandbox-dialog360", base_url=url, timeout=TIMEOUT))
    return Copy(url, "media", "7", lambda: one.delete_media("7"), lambda: one.has_media("7"), PICTURE)


def calendar(url: str) -> Google:
    addresses = {"base_url": url, "oauth_base_url": url}
    return opened(Google(client_id="nexara", client_secret="sandbox-google", **addresses, timeout=TIMEOUT))


def _google(url: str) -> Copy:
    one = calendar(url)
    fill(url, grants={GRANT: {}})
    access = one.refresh(GRANT)
    return Copy(
        url,
        "events",
        f"{GRANT}/primary/e1",
        lambda: one.delete_event(access, "e1"),
        lambda: one.has_event(access, "e1"),
        {"summary": "A visit"},
    )


def _supabase(url: str) -> Copy:
    one = opened(Supabase(secret_key="sandbox-supabase", base_url=url, timeout=TIMEOUT))
    there = {"email": "owner@harbour.example"}
    return Copy(url, "users", str(USER), lambda: one.delete_user(USER), lambda: one.has_user(USER), there)


def _resend(url: str) -> Copy:
    one = opened(Resend(api_key="sandbox-resend", base_url=url, sender="a@nexara.example", timeout=TIMEOUT))
    to = "owner@harbour.example"
    return Copy(url, "contacts", "c1", lambda: one.delete_contact(to), lambda: one.has_contact(to), {"email": to})


MAKERS = {"meta": _meta, "dialog360": _dialog360, "google": _google, "supabase": _supabase, "resend": _resend}


@pytest.fixture(params=list(MAKERS))
def copy(request: pytest.FixtureRequest, urls: dict[str, str]) -> Copy:
    return MAKERS[request.param](urls[request.param])


def test_a_copy_is_there_until_it_is_deleted_and_then_it_is_gone(copy: Copy) -> None:
    copy.fill()
    assert copy.is_there() is True
    copy.delete()
    assert copy.is_there() is False
    assert copy.key not in held(copy.url)[copy.collection]
    copy.delete()


def test_what_was_never_there_is_deleted_already(copy: Copy) -> None:
    copy.delete()
    assert copy.is_there() is False


def test_a_copy_may_go_slowly(copy: Copy) -> None:
    copy.fill(lingers=2)
    copy.delete()
    assert [copy.is_there() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 409}, "_unready"),
        ({"status": 429, "headers": {"retry-after": "9"}}, "_busy"),
        ({"status": 429}, "_busy"),
        ({"status": 500}, "_down"),
        ({"status": 503}, "_down"),
        ({"delay": 4}, "_timeout"),
        ({"reset": True}, "_unreachable"),
        ({"html": True}, "_garbled"),
    ],
)
def test_a_deletion_that_went_wrong_is_told_and_can_be_done_again(copy: Copy, fault: dict[str, Any], code: str) -> None:
    copy.fill()
    wrong(copy.url, fault)
    with pytest.raises(JobError) as caught:
        copy.delete()
    assert caught.value.code.endswith(code)
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == (9.0 if "headers" in fault else None)
    copy.delete()
    assert copy.is_there() is False


@pytest.mark.parametrize("copy", [name for name in MAKERS if name != "google"], indirect=True)
def test_an_answer_that_is_cut_leaves_open_whether_it_is_gone(copy: Copy) -> None:
    copy.fill()
    wrong(copy.url, {"cut": True})
    with pytest.raises(JobError, match="_unreachable"):
        copy.delete()
    assert copy.is_there() is False


def test_a_404_of_something_else_at_the_address_is_no_deletion(copy: Copy) -> None:
    copy.fill()
    wrong(copy.url, {"status": 404, "body": {"message": "no such page"}})
    with pytest.raises(JobError):
        copy.delete()
    assert copy.is_there() is True


def test_whatsapp_s_media_is_fetched_through_either(urls: dict[str, str]) -> None:
    clients = {
        "meta": opened(WhatsApp.meta(access_token="sandbox-meta", base_url=f"{urls['meta']}/v24.0")),
        "dialog360": opened(WhatsApp.dialog360(api_key="sandbox-dialog360", base_url=urls["dialog360"])),
    }
    for name, client in clients.items():
        fill(urls[name], media={"7": PICTURE})
        assert (client.download("7").data, client.download("7").content_type) == (b"a picture", "image/png")
        client.check()
        with pytest.raises(JobError, match=f"{name}_missing"):
            client.download("8")


def test_meta_shows_its_number_to_those_who_may_see_it(urls: dict[str, str]) -> None:
    client = opened(WhatsApp.meta(access_token="sandbox-meta", base_url=f"{urls['meta']}/v24.0"))
    with pytest.raises(JobError, match="meta_not_allowed"):
        client.has_media("7", number="5")
    fill(urls["meta"], numbers={"5": {}})
    assert client.has_media("7", number="5") is False


def test_meta_counts_an_account_s_messages_by_day(urls: dict[str, str]) -> None:
    from datetime import UTC, datetime

    day = 86_400
    points = [{"start": n * day, "end": (n + 1) * day, "volume": n, "cost": n / 100} for n in range(3)]
    fill(urls["meta"], accounts={"w1": {"data_points": points}})
    client = opened(WhatsApp.meta(access_token="sandbox-meta", base_url=f"{urls['meta']}/v24.0"))
    start, end = datetime.fromtimestamp(day, UTC), datetime.fromtimestamp(3 * day, UTC)
    assert [one.messages for one in client.usage("w1", start, end)] == [1, 2]


def test_a_revoked_grant_ends_its_access_and_no_other_business_s(urls: dict[str, str]) -> None:
    url = urls["google"]
    fill(url, grants={GRANT: {}, "sandbox-refresh-2": {}}, events={"sandbox-refresh-2/primary/e1": {}})
    one = calendar(url)
    mine, other = one.refresh(GRANT), one.refresh("sandbox-refresh-2")
    assert (one.has_event(mine, "e1"), one.has_event(other, "e1")) == (False, True)
    one.revoke(GRANT)
    one.revoke(GRANT)
    with pytest.raises(JobError, match="google_access_gone"):
        one.refresh(GRANT)
    with pytest.raises(JobError, match="google_token_refused"):
        one.has_event(mine, "e1")
    assert one.has_event(other, "e1") is True
    one.check()


def test_a_user_who_still_owns_something_is_not_deleted(urls: dict[str, str]) -> None:
    fill(urls["supabase"], users={str(USER): {"owns": True}})
    client = opened(Supabase(secret_key="sandbox-supabase", base_url=urls["supabase"]))
    with pytest.raises(JobError, match="supabase_user_owns"):
        client.delete_user(USER)
    assert client.has_user(USER) is True
    client.check()


def test_a_real_key_is_refused(urls: dict[str, str]) -> None:
    asks = [
        opened(WhatsApp.meta(access_token="EAAG", base_url=f"{urls['meta']}/v24.0")).check,
        opened(WhatsApp.dialog360(api_key="real", base_url=urls["dialog360"])).check,
        opened(Supabase(secret_key="sb_secret_x", base_url=urls["supabase"])).check,
        opened(
            Google(client_id="x", client_secret="real", base_url=urls["google"], oauth_base_url=urls["google"])
        ).check,
    ]
    for ask in asks:
        with pytest.raises(JobError, match="_key_refused"):
            ask()


def test_no_key_is_kept_beside_the_requests(urls: dict[str, str]) -> None:
    opened(Supabase(secret_key="sandbox-supabase", base_url=urls["supabase"])).check()
    opened(WhatsApp.dialog360(api_key="sandbox-dialog360", base_url=urls["dialog360"])).check()
    for name in ("supabase", "dialog360"):
        kept = httpx.get(f"{urls[name]}/_sandbox/requests")
        assert kept.json()["count"] == 1
        assert f"sandbox-{name}" not in kept.text


@pytest.mark.parametrize("body", [{"things": {"nobody": {}}}, {"things": []}, {"lingers": -1}, {"explode": True}])
def test_what_cannot_be_held_is_refused(urls: dict[str, str], body: Any) -> None:
    assert httpx.post(f"{urls['google']}/_sandbox/held", json=body).status_code == 400


@pytest.mark.parametrize("name", ["google", "lemon_squeezy", "supabase", "whatsapp"])
def test_each_runs_as_a_process_and_ends_when_told(name: str) -> None:
    argv = [sys.executable, "-m", f"sandbox.vendors.{name}", "--port", "0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        base = process.stdout.readline().split()[-1]
        answer = httpx.get(f"{base}/_sandbox/requests")
        assert (answer.json()["count"], answer.headers["x-sandbox"]) == (0, "true")
        process.terminate()
        assert process.wait(10) in {0, -15}
    with socket.socket() as line:
        assert line.connect_ex(("127.0.0.1", int(base.rsplit(":", 1)[1]))) != 0
