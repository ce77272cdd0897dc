"""A scripted vendor for each test that asks for one."""

from collections.abc import Iterator

import pytest

from tests.providers.scripted import Vendor


def pytest_configure(config: pytest.Config) -> None:
    # Deepgram's SDK imports names of websockets that are to go; we never open a socket with it.
    for name in ("websockets.exceptions.InvalidStatusCode", "websockets.legacy"):
        config.addinivalue_line("filterwarnings", f"ignore:{name} is deprecated:DeprecationWarning")


@pytest.fixture(scope="session")
def scripted() -> Iterator[Vendor]:
    server = Vendor()
    yield server
    server.close()


@pytest.fixture
def vendor(scripted: Vendor) -> Vendor:
    scripted.forget()
    return scripted
