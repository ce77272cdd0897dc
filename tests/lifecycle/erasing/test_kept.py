"""A receipt names every column that is left of what an erasure meant, and why."""

from lifecycle.receipt import kept
from models.base import Row
from models.erasures import Scope


def of(scope: Scope) -> dict[str, tuple[str, set[str]]]:
    return {each["table"]: (each["because"], set(each["only"])) for each in kept(scope)}


def test_of_an_issued_invoice_its_lines_and_what_may_not_be_null_are_named_too():
    told = of(Scope.PERSON)
    because, columns = told["invoices"]
    assert because == "controller"
    assert columns == {"number", "billed_to", "currency", "total", "issued_at", "state", "created_at"}
    assert told["invoice_lines"] == ("controller", {"place", "text", "quantity", "price"})
    assert "person_id" not in columns


def test_of_somebody_the_meter_keeps_the_digest_of_a_call_and_the_erasure_their_id():
    told = of(Scope.PERSON)
    assert told["meter"][0] == "billing"
    assert "event_key" in told["meter"][1]
    assert told["erasures"][0] == "legal"
    assert "root_id" in told["erasures"][1]
    assert "subscriptions" not in told


def test_of_a_business_nothing_is_named_that_goes_with_it():
    told = of(Scope.BUSINESS)
    assert {"invoices", "invoice_lines", "tombstones"}.isdisjoint(told)
    assert {"meter", "subscriptions"} <= told.keys()


def test_every_column_that_is_named_is_one():
    tables = {table.name: set(table.columns.keys()) for table in Row.metadata.tables.values()}
    for scope in Scope:
        for name, (_, columns) in of(scope).items():
            assert columns <= tables[name]
