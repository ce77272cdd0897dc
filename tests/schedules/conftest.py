"""The ledger of the ledger's tests."""

from tests.ledger.conftest import ledger

__all__ = ["ledger"]
