"""The forecast says what the sweep then does, by day, table and store; and asking it changes nothing."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from jobs.retention.payloads import SweepRetention
from ledger.queries import looking
from lifecycle.ending import copies_of
from lifecycle.forecast import Cause, forecast
from models.base import Row, TenantRow
from models.entries import rows, table_of
from nexara import main
from tests.jobs.test_retention_jobs import OF_THE_HOUSE, TONIGHT, rows_by_table, town

__all__ = ["town"]
DAY = timedelta(days=1)


def foretold(house, since, until, business=None):
    with looking(house.on_call) as db:
        return list(forecast(db, since, until, business))


def checksums(house):
    """Return a digest of all rows of each table, the ledger's and what was never committed included."""
    names = [f"{table.schema}.{table.name}" for table in Row.metadata.sorted_tables]
    return {
        name: house.sql(f"SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM {name} t")
        for name in names
    }


def test_what_is_foretold_is_what_goes(house, town):
    old, _ = town
    told = foretold(house, TONIGHT, TONIGHT)
    of_tenants = Counter({each.table: each.amount for each in told if each.what == "rows" and each.business_id == old})
    of_house = Counter({each.table: each.amount for each in told if each.business_id is None})
    copies = Counter()
    for each in told:
        if each.what != "rows":
            copies[each.what] += each.amount
    assert {each.business_id for each in told} == {old, None}
    assert {each.day for each in told} == {TONIGHT.date()}
    before = rows_by_table(house)
    house.house_enqueue(SweepRetention(as_of=TONIGHT))
    house.drain()
    new = "FROM nexara.remains WHERE state = 'planned' AND made_at > now() - interval '1 h'"
    left = dict(house.rows(f"SELECT store, count(*) {new} GROUP BY 1"))
    house.sql(f"DELETE {new}")
    after = rows_by_table(house)
    gone = {key: count - after.get(key, 0) for key, count in before.items() if count != after.get(key, 0)}
    ours = {table_of(row).name for row in rows() if issubclass(row, TenantRow)}
    assert of_tenants == Counter({table: count for (table, _), count in gone.items() if table in ours})
    assert of_house == Counter({each.table.name: 1 for each in OF_THE_HOUSE})
    assert copies == Counter(left)


def test_each_goes_on_its_day(house, town):
    _, young = town
    told = foretold(house, TONIGHT, TONIGHT + 2 * DAY, young)
    days = {each.table: each.day for each in told if each.what == "rows"}
    assert days["visitors"] == TONIGHT.date()  # a minute after the sweep of that night
    assert "meter" not in days
    year = foretold(house, TONIGHT, TONIGHT + 366 * DAY, young)
    assert {each.day.isoformat() for each in year if each.table == "meter"} == {"2027-01-02"}


def test_an_ended_business_goes_as_a_whole_on_its_day_but_for_what_is_kept(house, town):
    _, young = town
    house.sql("UPDATE nexara.businesses SET ended_at = :at WHERE id = :b", at=TONIGHT - 30 * DAY, b=young)
    told = [each for each in foretold(house, TONIGHT, TONIGHT + 20 * DAY, young) if each.cause is Cause.END]
    assert {each.day for each in told} == {(TONIGHT + 14 * DAY).date()}  # so that it is gone by its 45th day
    tables = {each.table for each in told if each.what == "rows"}
    assert {"people", "contacts", "leads", "knowledge"} <= tables
    assert not {"meter", "subscriptions"} & tables
    assert foretold(house, TONIGHT, TONIGHT + 10 * DAY, young)
    assert {each.cause for each in foretold(house, TONIGHT, TONIGHT + 10 * DAY, young)} == {Cause.AGE}


def test_copies_are_counted_by_who_has_them(house, town):
    old, _ = town
    expected = Counter()
    for row in rows():
        for column in table_of(row).columns if issubclass(row, TenantRow) else ():
            if column.info["holds"].outside and not column.info["holds"].secret:
                store = column.info.get("at") or house.sql(
                    f"SELECT {column.info['at_in']} FROM {table_of(row)} WHERE business_id = :b", b=old
                )
                expected[store] += 1
    with house.on_call.begin() as db:
        assert copies_of(db, old) == expected


def test_asking_changes_nothing_whatever_is_over(house, town):
    before = checksums(house)
    assert foretold(house, TONIGHT, TONIGHT + 400 * DAY)
    assert checksums(house) == before
    with pytest.raises(DBAPIError, match="read-only"), looking(house.on_call) as db:
        db.execute(text("CREATE TABLE public.x ()"))


def test_nothing_but_ids_tables_days_and_counts_comes_out(house, town):
    told = house.rows(
        "SELECT p.proname, pg_get_function_result(p.oid) FROM pg_proc p"
        " WHERE p.proname IN ('forecast_v1', 'holdings_v1', 'house_forecast_v1', 'expired_v1', 'ends_v1')"
    )
    columns = {
        column.split()[-1] for _, result in told for column in result.removeprefix("TABLE(").rstrip(")").split(",")
    }
    assert columns <= {"text", "date", "bigint", "uuid", "zone"}, columns  # "timestamp with time zone"


@pytest.fixture
def desk(database, monkeypatch):
    monkeypatch.setenv("DASHBOARD_DATABASE_URL", database.dashboard_url)
    return lambda *command: CliRunner().invoke(main, ["retention", *command])


def test_the_command_line_says_what_goes_and_does_nothing(house, town, desk):
    old, _ = town
    before = checksums(house)
    lines = [
        json.loads(line)
        for line in desk("run", "--dry-run", "--as-of", "2026-09-01T02:30:00", "--json").stdout.splitlines()
    ]
    assert {line["business_id"] for line in lines} == {str(old), None}
    assert {line["cause"] for line in lines} == {"age"}
    plain = desk("forecast", "--days", "400", "--business", str(old))
    assert plain.exit_code == 0, plain.output
    assert f"  {old}" in plain.stdout
    assert "1  conversations" in plain.stdout
    assert "copies at twilio" in plain.stdout
    assert checksums(house) == before


def test_the_command_line_has_the_sweep_run_now(house, town, desk):
    told = desk("run", "--why", "asked", "--json")
    assert told.exit_code == 0, told.output
    job = house.job("retention.sweep")
    assert json.loads(told.stdout) == {"id": job.id}
    refused = desk("run", "--as-of", "2026-09-01")
    assert (refused.exit_code, "--dry-run" in refused.stderr) == (2, True)


def test_a_business_without_anything_is_told_so(house, desk):
    assert desk("forecast", "--business", str(uuid4())).stdout == "Nothing goes.\n"


def test_now_is_now():
    assert datetime.now(UTC) > TONIGHT, "the tests of tonight look back"
