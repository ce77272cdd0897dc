"""The guards are made once, made again when somebody changed them, and taken away when nobody asks for them."""

from sqlalchemy import Connection, create_engine, text

from models.entries import canonical, entries, fingerprint
from models.guards import apply
from tests.models.test_catalog import unmapped


def damage(db: Connection, statement: str) -> list[str]:
    db.execute(text(statement))
    return apply(db)


def test_what_is_as_it_should_be_is_left_alone_while_others_read(admin):
    with admin.connect() as reader, admin.connect() as db:
        for view in reader.scalars(text("SELECT relname FROM pg_class WHERE relnamespace = 'live'::regnamespace")):
            reader.execute(text(f"SELECT FROM live.{view} LIMIT 1"))
        # Whoever replaced a policy would now wait for that reader.
        db.execute(text("SET LOCAL lock_timeout = '200ms'"))
        assert apply(db) == []


def test_what_somebody_changed_is_made_again(admin):
    with admin.connect() as db:
        assert damage(db, "ALTER POLICY tenancy ON nexara.calls USING (true)") == ["policy nexara.calls tenancy"]
        assert damage(db, "DROP POLICY tenancy ON nexara.calls") == ["policy nexara.calls tenancy"]
        assert damage(db, "GRANT DELETE ON live.meter TO nexara_web") == ["view live.meter"]
        assert damage(db, "ALTER TABLE nexara.leads NO FORCE ROW LEVEL SECURITY") == ["table nexara.leads"]
        closed = "ck_transcripts_segments"
        told = [f"check nexara.transcripts {closed}"]
        assert damage(db, f"ALTER TABLE nexara.transcripts DROP CONSTRAINT {closed}") == told
        assert damage(db, "DROP TRIGGER remains ON nexara.calls") == ["trigger nexara.calls remains"]
        assert unmapped(db) == []


def test_a_function_that_somebody_changed_is_made_again(admin):
    with admin.connect() as db:
        made = damage(db, "ALTER FUNCTION nexara.leave_remains() SECURITY INVOKER")
        assert "file leave.sql" in made
        assert db.scalar(text("SELECT prosecdef FROM pg_proc WHERE proname = 'leave_remains'"))
        assert unmapped(db) == []


def test_a_column_more_shows_in_the_view_once_the_map_has_it(admin):
    with admin.connect() as db:
        db.execute(text("DROP VIEW live.calls"))
        assert apply(db) == ["view live.calls"]
        assert unmapped(db) == []


def test_what_an_earlier_map_asked_for_is_taken_away(admin):
    with admin.connect() as db:
        db.execute(text("CREATE POLICY earlier ON nexara.calls FOR SELECT USING (false)"))
        db.execute(
            text("""
                INSERT INTO nexara.data_map (entry, sort, says) VALUES
                  ('policy nexara.calls earlier', 'guard',
                   '{"sha": "1", "drop": "DROP POLICY IF EXISTS earlier ON nexara.calls"}'),
                  ('policy nexara.gone earlier', 'guard',
                   '{"sha": "1", "drop": "DROP POLICY IF EXISTS earlier ON nexara.gone"}')
            """)
        )
        assert apply(db) == []
        assert unmapped(db) == []
        assert db.scalar(text("SELECT count(*) FROM nexara.data_map WHERE entry LIKE '% earlier'")) == 0


def test_the_map_is_in_the_database_and_each_version_under_its_fingerprint(admin):
    said = entries()
    with admin.connect() as db:
        kept = db.execute(text("SELECT entry, sort, says FROM nexara.data_map WHERE sort <> 'guard'"))
        assert {entry: (sort, says) for entry, sort, says in kept} == {
            name: (str(sort), says) for name, (sort, says) in said.items()
        }
        body = text("SELECT body = CAST(:body AS jsonb) FROM nexara.data_map_versions WHERE fingerprint = :fingerprint")
        assert db.scalar(body, {"body": canonical(said), "fingerprint": fingerprint(said)}) is True


def test_nobody_but_the_owner_reads_or_writes_the_map(database):
    for url in (database.web_url, database.worker_url, database.dashboard_url):
        engine = create_engine(url)
        with engine.connect() as db:
            ask = text("SELECT has_table_privilege('nexara.data_map', 'SELECT, INSERT, UPDATE, DELETE')")
            assert db.scalar(ask) is False
        engine.dispose()
