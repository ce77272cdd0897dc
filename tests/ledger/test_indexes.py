"""Each index of the jobs is paid at every arrow, so none holds more than it must."""

from typing import Any


def test_an_index_over_all_jobs_is_paid_at_every_arrow_so_there_is_one(ledger: Any) -> None:
    full = ledger.sql(
        "SELECT array_agg(i.indexrelid::regclass::text ORDER BY i.indexrelid::regclass::text) FROM pg_index i "
        "WHERE i.indrelid = 'ledger.jobs'::regclass AND i.indpred IS NULL"
    )
    assert full == ["ledger.jobs_pkey"]


def test_no_index_holds_whether_a_job_is_of_a_batch(ledger: Any) -> None:
    held = (
        "SELECT count(*) FROM pg_indexes WHERE schemaname = 'ledger' AND tablename = 'jobs' AND indexdef ~ 'in_batch'"
    )
    assert ledger.sql(held) == 0


def test_no_index_holds_what_a_start_writes(ledger: Any) -> None:
    written = {"started_at", "attempt", "deadline_at", "dispatched_at", "again", "rescues"}
    held = ledger.sql(
        "SELECT array_agg(DISTINCT a.attname) FROM pg_index i JOIN pg_depend d ON d.objid = i.indexrelid "
        "AND d.classid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid > 0 "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = d.refobjsubid "
        "WHERE i.indrelid = 'ledger.jobs'::regclass"
    )
    assert {"state", "id"} & set(held)
    assert not written & set(held)
