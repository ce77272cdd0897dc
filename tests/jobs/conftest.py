"""The production path from the web tier's transaction to the mail, with nothing in it patched: real database and roles,
real bucket, the vendors' own wire formats on loopback."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from cryptography.fernet import Fernet

from providers.s3 import Objects
from providers.vendor_values import VendorValues
from providers.vendors import Vendors
from sandbox.storage import ACCESS_KEY, REGION, SECRET_KEY, Storage
from sandbox.vendors import anthropic, deepgram, resend
from sandbox.vendors.holders import APPS
from sandbox.vendors.running import running as serving
from tests.classified import all_of_bucket
from tests.jobs.house import HTTP, House, Wire, Wires
from tests.jobs.house import house as make_house
from tests.jobs.remaining import KEYS, Remaining
from tests.jobs.shop import Shop
from tests.jobs.spoken import scripts

PUBLIC_URL = "https://app.example.com"
OWNER = "owner@harbour-repairs.example.com"
TOKEN_KEY = Fernet.generate_key().decode()


@pytest.fixture(scope="session")
def servers() -> Iterator[Wires]:
    with ExitStack() as running:
        yield Wires(
            deepgram=Wire(running.enter_context(deepgram.start(canned=scripts()))),
            anthropic=Wire(running.enter_context(anthropic.start())),
            resend=Wire(running.enter_context(resend.start())),
        )


@pytest.fixture
def wires(servers: Wires) -> Wires:
    servers.reset()
    return servers


@pytest.fixture(scope="session")
def values(storage: Storage, servers: Wires) -> VendorValues:
    return VendorValues(
        deepgram_api_key="sandbox-deepgram",
        deepgram_base_url=servers.deepgram.url,
        anthropic_api_key="sandbox-anthropic",
        anthropic_base_url=servers.anthropic.url,
        anthropic_model="claude-haiku-5-5",
        resend_api_key="sandbox-resend",
        resend_base_url=servers.resend.url,
        resend_sender="Nexara <alerts@nexara.example.com>",
        s3_endpoint=storage.url,
        s3_region=REGION,
        s3_access_key=ACCESS_KEY,
        s3_secret_key=SECRET_KEY,
        s3_bucket="jobs",
        public_url=PUBLIC_URL,
    )


@pytest.fixture(scope="session")
def usual(values: VendorValues) -> Iterator[Vendors]:
    """The vendors as every process sees them that is configured right: their SDKs are slow to set up."""
    vendors = Vendors(values)
    yield vendors
    vendors.close()


@pytest.fixture
def objects(storage: Storage, values: VendorValues, usual: Vendors) -> Iterator[Objects]:
    if not storage.alive():
        storage.start()
    if HTTP.head(f"{storage.url}/{values.s3_bucket}").is_error:
        storage.create_bucket(values.s3_bucket)
    yield usual.objects
    if storage.alive():
        all_of_bucket(each.key for each in usual.objects.held())


@pytest.fixture
def house(database: Any, values: VendorValues, usual: Vendors, wires: Wires) -> Iterator[House]:
    made = make_house(database, values, usual, wires)
    made.sql("DELETE FROM ledger.limits")  # these vendors are ours: what is tested here is no pace
    yield made
    made.dispose()


@pytest.fixture
def new_shop(house: House, objects: Objects) -> Callable[..., Shop]:
    return lambda **told: Shop(house, objects).open(**told)


@pytest.fixture
def shop(new_shop: Callable[..., Shop]) -> Shop:
    """A business that has not chosen to get callers' details by mail, and one member who is told."""
    made = new_shop()
    made.employ(OWNER)
    return made


@pytest.fixture(scope="session")
def holders(servers: Wires) -> Iterator[dict[str, Wire]]:
    """The vendors that hold copies, by the name that remains give them."""
    with ExitStack() as running:
        started = {name: Wire(running.enter_context(serving(app()))) for name, app in APPS.items()}
        yield started | {"360dialog": started["dialog360"], "resend": servers.resend}


@pytest.fixture(scope="session")
def whoever_holds(values: VendorValues, holders: dict[str, Wire]) -> Iterator[tuple[VendorValues, Vendors]]:
    """Values and vendors of a process that has the keys of all of them."""
    addresses = {f"{name}_base_url": wire.url for name, wire in holders.items() if name in APPS}
    addresses |= {"meta_base_url": f"{holders['meta'].url}/v24.0", "google_oauth_base_url": holders["google"].url}
    told = replace(values, **KEYS, **addresses, google_token_keys=TOKEN_KEY, client_timeout=5.0, voice_timeout=5.0)
    vendors = Vendors(told)
    yield told, vendors
    vendors.close()


@pytest.fixture
def remaining(
    house: House, shop: Shop, holders: dict[str, Wire], whoever_holds: tuple[VendorValues, Vendors]
) -> Remaining:
    """What is left of a business, at vendors that hold nothing yet."""
    for wire in holders.values():
        wire.reset()
    house.values, house.usual = whoever_holds
    house.vendors = house.usual
    house.asking()
    return Remaining(house, shop.business, holders)
