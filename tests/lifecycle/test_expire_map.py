"""What the map must be like so that rows can end by themselves, whatever table somebody adds."""

import ast
import re

import pytest

from lifecycle.ends import endings, parts
from lifecycle.made import made_from
from lifecycle.meant import TENANTS
from lifecycle.scrub import emptied
from models.base import Row, TenantRow
from models.data_map import Because, CountryPeriod, Keep, Scrubs
from models.entries import rows, table_of
from models.indexes import KEEP_UNTIL, indexed
from tests.architecture.sources import files, name, tree

OURS = [row for row in rows() if table_of(row).schema == Row.metadata.schema]
KEPT = [(row, ending) for row in OURS for ending in row.__life__.after_cancellation if isinstance(ending, Keep)]
ENGINE = {"erasures", "erasure_scope", "reviews", "receipts", "tombstones", "salts", "remains", "activity_months"}


def reached(table, seen=()):
    """Yield a table and all whose rows end with its rows."""
    yield table
    for part, _ in parts(table):
        if part not in seen:
            yield from reached(part, (*seen, table))


@pytest.mark.parametrize("ending", [each for each in endings() if each.of_tenants], ids=lambda each: each.table.name)
def test_what_points_at_a_row_that_ends_goes_with_it_or_forgets_it(ending):
    gone = set(reached(ending.table))
    for table in gone:
        for row in OURS:
            for key in table_of(row).foreign_key_constraints:
                if key.referred_table is table and table_of(row) not in gone:
                    assert (key.ondelete or "").startswith("SET NULL ("), (
                        table_of(row).name,
                        key.column_keys,
                        table.name,
                    )


@pytest.mark.parametrize("ending", endings(), ids=lambda each: each.table.name)
def test_what_is_over_is_found_by_an_index(ending):
    wanted = (["business_id"] if ending.of_tenants else []) + [ending.column]
    assert any(have[: len(wanted)] == wanted for have in indexed(ending.table)), ending.table.name


def test_only_the_closed_list_of_reasons_keeps_anything():
    assert [str(reason) for reason in Because] == ["legal", "billing", "security", "objection", "controller"]
    assert {ending.because for _, ending in KEPT} <= set(Because) - {Because.CONTROLLER}, (
        "that one ends with the tenant"
    )


def test_a_kept_row_keeps_no_column_that_its_reason_does_not_need():
    """Of people, digests and ids of copies that are still to go; every other personal column goes."""
    for row, ending in KEPT:
        table = table_of(row)
        others = set(table.columns.keys()) - set(ending.only) - {"business_id", "id"}
        for column in others:
            emptiable = table.columns[column].nullable or table.columns[column].info["holds"].scrub is not Scrubs.KEEP
            assert emptiable, f"{table.name}.{column} is not kept and cannot be emptied"
        personal = {column for column in ending.only if table.columns[column].info["holds"].personal}
        assert personal <= {"ref", "digest", "cut_ip"}, (table.name, personal)


def test_what_stays_for_a_country_s_period_says_until_when():
    tables = {table_of(row).name: row for row in OURS if isinstance(row.__life__.ends, CountryPeriod)}
    assert set(tables) == {"meter", "subscriptions", "businesses"}
    for row in tables.values():
        assert table_of(row).columns[KEEP_UNTIL].info["kind"] == "Day"
        for ending in row.__life__.after_cancellation:
            assert not isinstance(ending, Keep) or KEEP_UNTIL in ending.only


def test_what_is_made_from_something_can_be_cleared():
    made = [(table, column) for row in OURS for table, columns in made_from(table_of(row)) for column in columns]
    assert {(table.name, column.name) for table, column in made} == {("summaries", "body"), ("leads", "verbatim")}
    for _, column in made:
        assert emptied(column) is not column
        assert column.info["holds"].scrub in (Scrubs.NULL, Scrubs.TOKEN)


def test_no_table_of_the_product_is_named_in_lifecycle():
    product = {table_of(row).name for row in OURS if issubclass(row, TenantRow) or table_of(row) is TENANTS} - ENGINE
    for path in files(".py", under=("lifecycle",)):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                named = set(re.findall(r"(?:nexara|live)\.([a-z_]+)", node.value)) & product
                assert named == set(), f"{name(path)}:{node.lineno}"
