"""No row goes silently: each copy elsewhere is written down, and each number that a text names is found without it."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Table, text

from models.base import Row
from models.entries import table_of
from tests.models.conftest import HOUSE, Town
from tests.rows import tenant_rows

TENANT_TABLES = {table_of(row) for row in tenant_rows()}
TRACES = {"remains", "mentions"}


def left(db: Connection, business: UUID) -> set[tuple[str, str, str]]:
    found = db.execute(
        text("SELECT store, what, ref FROM nexara.remains WHERE business_id = :b AND what <> 'word' AND tries = 0"),
        {"b": business},
    )
    return {(store, what, ref) for store, what, ref in found}


def expected(table: Table, row: dict[str, Any]) -> set[tuple[str, str, str]]:
    copies = [column for column in table.columns if column.info["holds"].outside]
    return {
        (str(column.info.get("at") or row[column.info["at_in"]]), column.info["what"], str(row[column.name]))
        for column in copies
    }


def end_everything(db: Connection, business: UUID, schema: str) -> None:
    for table in reversed(Row.metadata.sorted_tables):
        if table in TENANT_TABLES and table.name not in TRACES | {"meter", "subscriptions", "product_events"}:
            db.execute(text(f"DELETE FROM {schema}.{table.name} WHERE business_id = :b"), {"b": business})


def copies(town: Town) -> set[tuple[str, str, str]]:
    return {copy for table in TENANT_TABLES for copy in expected(table, town.my_rows[table.name])}


def test_every_copy_of_every_row_is_written_down_whoever_deletes(town):
    # An administrator has no scope, and the trigger works all the same.
    with town.admin.connect() as db:
        db.execute(text("DELETE FROM nexara.product_events"))
        end_everything(db, town.mine, "nexara")
        assert left(db, town.mine) == copies(town)
        assert left(db, town.theirs) == set()


def test_a_job_that_ends_rows_leaves_what_they_left(town):
    with town.acting("tenant_job", town.mine) as db:
        db.execute(text("DELETE FROM live.product_events"))
        end_everything(db, town.mine, "live")
        db.execute(text("RESET ROLE"))
        assert left(db, town.mine) == copies(town)
        db.rollback()
        assert left(db, town.mine) == set()


def test_a_copy_that_a_row_lets_go_of_is_written_down_too(town):
    recording = town.my_rows["recordings"]
    with town.acting("nexara_web", town.mine) as db:
        change = "UPDATE live.recordings SET state = 'deleted', object = NULL, twilio_ref = 'RE2', seconds = 3"
        db.execute(text(f"{change} WHERE id = :id"), {"id": recording["id"]})
        db.commit()
    with town.admin.connect() as db:
        assert left(db, town.mine) == {
            ("objects", "recording", recording["object"]),
            ("twilio", "recording", recording["twilio_ref"]),
        }


def test_a_change_that_lets_go_of_nothing_leaves_nothing(town):
    with town.acting("nexara_web", town.mine) as db:
        db.execute(text("UPDATE live.recordings SET object = object, state = 'unusable'"))
        db.commit()
    with town.admin.connect() as db:
        assert left(db, town.mine) == set()


def test_the_web_tier_neither_writes_nor_reads_what_is_left(town):
    with town.acting("nexara_web", town.mine) as db:
        assert db.scalar(text("SELECT to_regclass('live.remains') IS NOT NULL"))
        assert not db.scalar(text("SELECT has_table_privilege('live.remains', 'SELECT, INSERT, UPDATE, DELETE')"))


@pytest.mark.parametrize(
    ("spoken", "needles"),
    [
        ("Ring me on +353 (86) 123-4567.", {"61234567"}),
        ("086 123 4567 or 01/2345678", {"61234567", "12345678"}),
        ("Write to Anna.Smith+x@Example.COM, please", {"anna.smith+x@example.com"}),
        ("<b@example.ie>; call 999", {"b@example.ie"}),
        ("nothing here, 12 345", set()),
        ("", set()),
        (None, set()),
    ],
)
def test_what_a_text_names(admin, spoken, needles):
    with admin.connect() as db:
        assert set(db.scalars(text("SELECT nexara.needles(:spoken)"), {"spoken": spoken})) == needles


def mentioned(db: Connection, row: UUID) -> set[str]:
    return set(db.scalars(text("SELECT needle FROM nexara.mentions WHERE row_id = :row"), {"row": row}))


def test_mentions_come_change_and_go_with_their_text(town):
    task = town.my_rows["tasks"]["id"]
    say = text("UPDATE live.tasks SET text = :text WHERE id = :id")
    with town.acting("nexara_web", town.mine) as db:
        db.execute(say, {"text": "call 0861234567, or x@example.com", "id": task})
        db.commit()
    with town.admin.connect() as db:
        assert mentioned(db, task) == {"61234567", "x@example.com"}
        sources = db.scalars(text("SELECT DISTINCT source FROM nexara.mentions WHERE row_id = :row"), {"row": task})
        assert list(sources) == ["tasks"]
    with town.acting("tenant_job", town.mine) as db:
        db.execute(say, {"text": "call 0867654321", "id": task})
        db.execute(text("RESET ROLE"))
        assert mentioned(db, task) == {"67654321"}
    with town.admin.connect() as db:
        db.execute(text("DELETE FROM nexara.tasks WHERE id = :id"), {"id": task})
        assert mentioned(db, task) == set()


def test_a_job_finds_the_mentions_of_its_own_business_alone(town):
    for row in (town.my_rows["tasks"], town.their_rows["tasks"]):
        with town.admin.begin() as db:
            db.execute(text("UPDATE nexara.tasks SET text = 'call 0861234567' WHERE id = :id"), {"id": row["id"]})
    find = text("SELECT row_id FROM live.mentions WHERE needle = '61234567'")
    with town.acting("tenant_job", town.mine) as db:
        assert list(db.scalars(find)) == [town.my_rows["tasks"]["id"]]
    with town.acting("tenant_job", HOUSE) as db:
        assert list(db.scalars(find)) == []
