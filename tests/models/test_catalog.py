"""The map and the catalog are one: what either has and the other has not is told by name."""

from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text

from models.base import Row

SHAPE = {
    "columns": """
        SELECT format('%s.%s', a.attrelid::regclass, a.attname),
               concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                         pg_get_expr(d.adbin, d.adrelid))
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relnamespace = ANY(:schemas) AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
          AND c.relname <> 'alembic_version'
    """,
    "constraints": """
        SELECT format('%s.%s', k.conrelid::regclass, k.conname), pg_get_constraintdef(k.oid) FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid
        WHERE c.relnamespace = ANY(:schemas) AND k.contype IN ('c', 'f', 'p', 'u') AND c.relname <> 'alembic_version'
    """,
    "indexes": """
        SELECT format('%s.%s', i.indrelid::regclass, i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        WHERE c.relnamespace = ANY(:schemas) AND c.relname <> 'alembic_version'
    """,
}
DAMAGE = {
    "a table": ("CREATE TABLE nexara.notes (id uuid)", "table nexara.notes: is not in the data map"),
    "a table elsewhere": ("CREATE TABLE public.profiles (phone text)", "table public.profiles: is not in the data map"),
    "a matview": (
        "CREATE MATERIALIZED VIEW public.callers AS SELECT * FROM nexara.identifiers",
        "table public.callers: is not in the data map",
    ),
    "a partition": (
        (
            "CREATE TABLE public.seen (at date, phone text) PARTITION BY RANGE (at);"
            " CREATE TABLE public.seen_2026 PARTITION OF public.seen FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"
        ),
        "table public.seen_2026: is not in the data map",
    ),
    "a partition beside a table of ours": (
        (
            "CREATE TABLE nexara.messages_old (LIKE nexara.messages) PARTITION BY RANGE (sent_at);"
            " CREATE TABLE nexara.messages_2026 PARTITION OF nexara.messages_old DEFAULT"
        ),
        "table nexara.messages_2026: is not in the data map",
    ),
    "a key of JSON": (
        (
            "ALTER TABLE nexara.product_events DROP CONSTRAINT ck_product_events_props;"
            " ALTER TABLE nexara.product_events ADD CONSTRAINT ck_product_events_props"
            " CHECK (jsonb_typeof(props) = 'object' AND"
            " props - ARRAY['page', 'feature', 'plan', 'source', 'count', 'phone']::text[] = '{}'::jsonb)"
        ),
        "check nexara.product_events ck_product_events_props: has been changed",
    ),
    "any key of JSON": (
        "ALTER TABLE nexara.transcripts DROP CONSTRAINT ck_transcripts_segments",
        "check nexara.transcripts ck_transcripts_segments: is gone",
    ),
    "a key of JSON in the rows that are there": (
        (
            "ALTER TABLE nexara.transcripts DROP CONSTRAINT ck_transcripts_segments;"
            " ALTER TABLE nexara.transcripts ADD CONSTRAINT ck_transcripts_segments"
            " CHECK (segments IS NOT NULL) NOT VALID"
        ),
        "check nexara.transcripts ck_transcripts_segments: has been changed",
    ),
    "a column": (
        "ALTER TABLE nexara.calls ADD name text",
        "column nexara.calls.name: is not in the data map",
    ),
    "a column less": (
        "DROP VIEW live.visitors; ALTER TABLE nexara.visitors DROP COLUMN browser",
        "column nexara.visitors.browser: is in the data map and not in the database",
    ),
    "another type": (
        "DROP VIEW live.calls; ALTER TABLE nexara.calls ALTER seconds TYPE bigint",
        "column nexara.calls.seconds: is bigint, and integer in the data map",
    ),
    "null let in": (
        "ALTER TABLE nexara.conversations ALTER person_id DROP NOT NULL",
        "column nexara.conversations.person_id: may or may not be null, and the data map says otherwise",
    ),
    "a view that leaks": (
        "CREATE VIEW public.all_calls AS SELECT * FROM nexara.calls",
        "view public.all_calls: shows a table of ours and is none of ours",
    ),
    "a view more in live": ("CREATE VIEW live.all_calls AS SELECT 1 AS one", "view live.all_calls: is none of ours"),
    "another view": (
        "CREATE OR REPLACE VIEW live.users AS SELECT * FROM nexara.users WHERE email <> ''",
        "view live.users: has been changed",
    ),
    "row-level security off": (
        "ALTER TABLE nexara.calls DISABLE ROW LEVEL SECURITY",
        "table nexara.calls: has been changed",
    ),
    "row-level security not forced": (
        "ALTER TABLE nexara.calls NO FORCE ROW LEVEL SECURITY",
        "table nexara.calls: has been changed",
    ),
    "another owner": ("ALTER TABLE nexara.calls OWNER TO CURRENT_USER", "table nexara.calls: has been changed"),
    "another policy": (
        "ALTER POLICY tenancy ON nexara.calls USING (true)",
        "policy nexara.calls tenancy: has been changed",
    ),
    "a policy more": (
        "CREATE POLICY support ON nexara.calls FOR SELECT USING (true)",
        "policy nexara.calls support: is none of ours",
    ),
    "a policy less": ("DROP POLICY tenancy ON nexara.calls", "policy nexara.calls tenancy: is gone"),
    "a trigger off": (
        "ALTER TABLE nexara.recordings DISABLE TRIGGER remains",
        "trigger nexara.recordings remains: has been changed",
    ),
    "a trigger less": (
        "DROP TRIGGER recording_stored ON nexara.recordings",
        "trigger nexara.recordings recording_stored: is gone",
    ),
    "foreign keys off": (
        "ALTER TABLE nexara.transcripts DISABLE TRIGGER ALL",
        "trigger of nexara.transcripts: that holds a foreign key is switched off",
    ),
    "another function": (
        "CREATE OR REPLACE FUNCTION nexara.leave_remains() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "function nexara.leave_remains: has been changed",
    ),
    "a right more": ("GRANT SELECT ON nexara.leads TO nexara_web", "rights nexara.leads: has been changed"),
    "a right more in live": ("GRANT DELETE ON live.meter TO nexara_web", "view live.meter: has been changed"),
    "a column's right": (
        "GRANT SELECT (value) ON nexara.identifiers TO nexara_dashboard",
        "rights nexara.identifiers: has been changed",
    ),
    "a rule": (
        "CREATE RULE quiet AS ON DELETE TO nexara.calls DO INSTEAD NOTHING",
        "rule nexara.calls quiet: is none of ours",
    ),
    "a function with its owner's rights": (
        "CREATE FUNCTION public.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT 1::bigint'",
        "function public.peek: runs with its owner's rights and is none of ours",
    ),
    "a publication": (
        "CREATE PUBLICATION out FOR TABLE nexara.messages",
        "publication out: sends nexara.messages out of the database",
    ),
    "a foreign key from outside": (
        "CREATE TABLE public.likes (b uuid, call_id uuid, FOREIGN KEY (b, call_id) REFERENCES nexara.calls)",
        "points at a table of ours from outside",
    ),
    "a cascade": (
        "ALTER TABLE nexara.leads ADD FOREIGN KEY (business_id) REFERENCES nexara.users ON DELETE CASCADE",
        "foreign key leads_business_id_fkey of nexara.leads: deletes by itself what it points from",
    ),
    "a unique key across businesses": (
        "CREATE UNIQUE INDEX one_number ON nexara.identifiers (value)",
        "index nexara.one_number: tells one business whether another has the same value",
    ),
    "a table of the ledger that is another's": (
        "ALTER TABLE ledger.ticks OWNER TO nexara_owner",
        "table ledger.ticks: belongs to nexara_owner",
    ),
}


def unmapped(db: Connection) -> list[str]:
    return [f"{thing}: {wrong}" for thing, wrong in db.execute(text("SELECT * FROM nexara.unmapped()"))]


@pytest.mark.parametrize("url", ["admin_url", "worker_url", "web_url", "dashboard_url"])
def test_a_migrated_database_is_what_the_map_says_and_every_role_may_ask(database, url):
    engine = create_engine(getattr(database, url))
    with engine.connect() as db:
        assert unmapped(db) == []
    engine.dispose()


def test_what_does_not_agree_is_told_by_name(admin):
    for name, (damage, told) in DAMAGE.items():
        with admin.connect() as db:
            db.execute(text(damage))
            found = unmapped(db)
            assert any(told in line for line in found), (name, found)
            db.rollback()


def test_a_schema_of_supabase_is_described_as_a_whole(admin):
    with admin.connect() as db:
        db.execute(text("CREATE SCHEMA auth"))
        db.execute(text("CREATE TABLE auth.users (id uuid, encrypted_password text)"))
        assert unmapped(db) == []


def shape(db: Connection) -> dict[str, dict[str, Any]]:
    schemas = list(db.scalars(text("SELECT oid FROM pg_namespace WHERE nspname IN ('nexara', 'ledger')")))
    return {name: dict(db.execute(text(ask), {"schemas": schemas}).all()) for name, ask in SHAPE.items()}


def test_the_migrations_make_what_the_models_say(admin, empty_database):
    fresh = create_engine(empty_database)
    with fresh.begin() as db:
        db.execute(text("CREATE SCHEMA nexara"))
        db.execute(text("CREATE SCHEMA ledger"))
        Row.metadata.create_all(db)
        said = shape(db)
    fresh.dispose()
    with admin.connect() as db:
        made = shape(db)
    for name in SHAPE:
        assert made[name] == said[name]


def test_every_foreign_key_has_an_index_that_begins_with_it(admin):
    with admin.connect() as db:
        bare = db.scalars(
            text("""
                SELECT format('%s %s', k.conrelid::regclass, k.conname) FROM pg_constraint k
                JOIN pg_class c ON c.oid = k.conrelid
                WHERE k.contype = 'f' AND c.relnamespace IN ('nexara'::regnamespace, 'ledger'::regnamespace)
                  AND NOT EXISTS (
                    SELECT FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indpred IS NULL AND i.indisvalid
                      AND (SELECT array_agg(key ORDER BY key) FROM unnest(i.indkey[0:cardinality(k.conkey) - 1]) key)
                        = (SELECT array_agg(key ORDER BY key) FROM unnest(k.conkey) key)
                  )
            """)
        )
        assert list(bare) == []


def test_no_column_is_a_varchar_or_a_native_enum(admin):
    with admin.connect() as db:
        found = db.scalars(
            text("""
                SELECT format('%s.%s', a.attrelid::regclass, a.attname) FROM pg_attribute a
                JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
                WHERE c.relnamespace IN ('nexara'::regnamespace, 'ledger'::regnamespace) AND c.relkind = 'r'
                  AND (t.typname IN ('varchar', 'bpchar', 'timestamp') OR t.typtype = 'e')
                  AND c.relname <> 'alembic_version' AND a.attnum > 0
            """)
        )
        assert list(found) == []
