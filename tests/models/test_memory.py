"""No value of a person is among what the planner remembers; ids of what is gone it forgets when a job says so."""

from sqlalchemy import text

from models.data_map import Finds, Holds, Scrubs
from models.entries import rows, table_of
from tests.models.conftest import become_job

OPERATORS = {"ledger.operators.name", "ledger.audit.who"}
"""Who operates the engine is looked for by name: no caller is among them."""


def remembered(db):
    found = db.execute(
        text("""
            SELECT c.oid::regclass::text || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE c.relnamespace IN ('nexara'::regnamespace, 'ledger'::regnamespace) AND c.relkind = 'r'
              AND a.attnum > 0 AND a.attstattarget IS DISTINCT FROM 0
        """)
    )
    return {name.replace('"', "") for (name,) in found}


def personal():
    for row in rows():
        for column in table_of(row).columns:
            holds = column.info["holds"]
            assert isinstance(holds, Holds)
            if holds.personal or holds.secret or holds.find is Finds.TEXT or holds.scrub is not Scrubs.KEEP:
                yield f"{table_of(row).fullname}.{column.name}"


def test_the_planner_remembers_nothing_personal(admin):
    with admin.connect() as db:
        kept = remembered(db)
    told = set(personal())
    assert {
        "nexara.identifiers.value",
        "nexara.messages.body",
        "ledger.kept_answers.answer",
        "nexara.knowledge.body",
    } <= told
    assert told & kept == OPERATORS


def test_after_an_analyze_none_of_it_is_in_the_statistics(town):
    with town.admin.begin() as db:
        db.execute(text("ANALYZE"))
        seen = db.execute(text("SELECT schemaname || '.' || tablename || '.' || attname FROM pg_stats")).scalars()
        assert set(seen).isdisjoint(set(personal()) - OPERATORS)


def test_somebody_who_lets_it_remember_again_is_told_of(admin):
    with admin.connect() as db:
        db.execute(text("ALTER TABLE nexara.messages ALTER body SET STATISTICS 100"))
        found = [tuple(row) for row in db.execute(text("SELECT * FROM nexara.unmapped()"))]
        assert found == [("statistics nexara.messages", "has been changed")]
        db.rollback()


def test_a_job_s_ids_and_words_are_not_remembered(admin):
    columns = (
        "jobs.payload",
        "jobs.cursor",
        "jobs.actor",
        "attempts.message",
        "attempts.traceback",
        "attempts.log_tail",
    )
    with admin.connect() as db:
        assert remembered(db).isdisjoint({f"ledger.{column}" for column in columns})


def test_a_job_has_the_ids_of_what_it_erased_forgotten(town):
    gone = town.my_rows["tasks"]["id"]
    told = text("SELECT histogram_bounds::text FROM pg_stats WHERE tablename = 'tasks' AND attname = 'id'")
    with town.admin.begin() as db:
        db.execute(text("ANALYZE nexara.tasks"))
        assert str(gone) in db.execute(told).scalar()
        db.execute(text("DELETE FROM nexara.tasks WHERE id = :id"), {"id": gone})
        become_job(db, town.mine)
        db.execute(text("SELECT nexara.analyze_v1(ARRAY['tasks'])"))
        db.execute(text("RESET ROLE"))
        assert str(gone) not in (db.execute(told).scalar() or "")


def test_what_texts_mention_is_forgotten_with_them(town):
    gone = town.my_rows["tasks"]["id"]
    told = text("SELECT histogram_bounds::text FROM pg_stats WHERE tablename = 'mentions' AND attname = 'row_id'")
    with town.admin.begin() as db:
        put = "INSERT INTO nexara.mentions (business_id, needle, source, row_id) VALUES (:b, '12345678', 'tasks', :id)"
        for row_id in (gone, town.my_rows["leads"]["id"]):
            db.execute(text(put), {"b": town.mine, "id": row_id})
        db.execute(text("ANALYZE nexara.mentions"))
        assert str(gone) in db.execute(told).scalar()
        db.execute(text("DELETE FROM nexara.mentions WHERE row_id = :id"), {"id": gone})
        become_job(db, town.mine)
        db.execute(text("SELECT nexara.analyze_v1(ARRAY['tasks'])"))
        db.execute(text("RESET ROLE"))
        assert str(gone) not in (db.execute(told).scalar() or "")
