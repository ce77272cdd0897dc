"""A statement on the tenants' rows is bound to one business: by row-level security, or since it says whose it means."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from models.entries import table_of
from tests.architecture.sources import files, name
from tests.rows import tenant_rows

NAMES = [table_of(row).name for row in tenant_rows()]
TENANTS = "|".join(sorted(NAMES, key=len, reverse=True))
TOUCHES = re.compile(rf"\b(?:FROM|JOIN|UPDATE|INTO|USING)\s+(?:ONLY\s+)?(?:{TENANTS})\b", re.IGNORECASE)
IN_FULL = re.compile(rf"\b(?:FROM|JOIN|UPDATE|INTO|USING)\s+(?:ONLY\s+)?nexara\.(?:{TENANTS})\b", re.IGNORECASE)
FUNCTIONS = text("""
    SELECT n.nspname, f.proname, pg_get_userbyid(f.proowner) AS owner, f.prosrc
    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
    WHERE f.prosecdef AND n.nspname IN ('nexara', 'ledger', 'live', 'public') ORDER BY 1, 2
""")
UNBOUND = text("""
    SELECT DISTINCT CASE role WHEN 0 THEN 'public' ELSE pg_get_userbyid(role) END FROM pg_policy p
    JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace, unnest(p.polroles) role
    WHERE n.nspname = 'nexara' AND c.relname = ANY (:tenants) AND p.polname NOT IN ('tenancy', 'enters')
""")
NOT_FORCED = text("""
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'nexara' AND c.relname = ANY (:tenants) AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
""")
BOUND = ("nexara_owner",)
"""Whose functions see what the scope lets them see: forced row-level security binds the owner of the tables, too."""
ACROSS = {
    "nexara.forget_user_v1": "who signs in is deleted with the last membership, of whichever business",
    "nexara.journal_stays_v1": "the house asks which entries of the journal of all businesses are needed still: by id",
}
BY_HAND = {
    "sandbox/outcome.py": "shows the whole demo, as its administrator",
    "workers/auditing.py": "an audit reads a whole database, as its administrator",
}


def forgetting(db: Connection) -> dict[str, list[str]]:
    """List the statements that touch tenants' rows, are bound by no policy and do not say whose, by their function."""
    found: dict[str, list[str]] = {}
    for schema, function, owner, source in db.execute(FUNCTIONS):
        if owner in BOUND:
            continue
        # A table of the ledger may be called as one of ours; there, ours have their schema's name.
        touches = IN_FULL if schema == "ledger" else re.compile(f"{TOUCHES.pattern}|{IN_FULL.pattern}", re.IGNORECASE)
        for statement in statements(source):
            if touches.search(statement) and not re.search(r"\bbusiness_id\b", statement):
                found.setdefault(f"{schema}.{function}", []).append(" ".join(statement.split()))
    return found


def statements(source: str) -> Iterator[str]:
    """Split a function's body at its semicolons, without its comments."""
    yield from re.sub(r"--[^\n]*", "", source).split(";")


def test_every_statement_that_no_policy_binds_says_whose_rows_it_means(admin):
    with admin.connect() as db:
        assert forgetting(db).keys() == ACROSS.keys()


@pytest.mark.parametrize("owner", ["nexara_house", "nexara_scribe", "nexara_ledger"])
@pytest.mark.parametrize(
    ("schema", "body"),
    [
        ("nexara", "SELECT count(*) FROM nexara.conversations c WHERE c.ended_at < now()"),
        (
            "nexara",
            "WITH gone AS (DELETE FROM messages m WHERE m.sent_at < now() RETURNING 1) SELECT count(*) FROM gone",
        ),
        ("ledger", "SELECT count(*) FROM nexara.people -- of a business_id"),
    ],
)
def test_one_that_forgets_is_told(admin, owner, schema, body):
    with admin.connect() as db:
        for at, said in enumerate((body, f"{body.partition(' --')[0]} /* whose business_id */")):
            db.execute(text("SET LOCAL check_function_bodies = off"))
            made = f"CREATE FUNCTION {schema}.told_{at}() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$ {said} $$"
            db.execute(text(made))
            db.execute(text(f"ALTER FUNCTION {schema}.told_{at}() OWNER TO {owner}"))
        assert forgetting(db).keys() - ACROSS.keys() == {f"{schema}.told_0"}
        db.rollback()


def test_whoever_logs_in_and_the_tables_owner_are_bound_by_the_scope_on_every_table(admin):
    with admin.connect() as db:
        assert list(db.scalars(NOT_FORCED, {"tenants": NAMES})) == []
        assert set(db.scalars(UNBOUND, {"tenants": NAMES})) <= {"nexara_house", "nexara_scribe"}
        db.execute(text("CREATE POLICY support ON nexara.calls FOR SELECT TO nexara_web USING (true)"))
        assert "nexara_web" in set(db.scalars(UNBOUND, {"tenants": NAMES}))
        db.rollback()


def test_no_statement_in_our_source_goes_past_the_views_to_a_tenants_table():
    direct = {name(path) for path in files(".py") if reaches_past(path.read_text(encoding="utf-8"))}
    assert {each for each in direct if not each.startswith(("migrations/", "bench/", "docs/"))} == BY_HAND.keys()
    assert reaches_past('db.execute(text("SELECT * FROM nexara.leads WHERE id = :id"))')
    assert not reaches_past('db.execute(text("SELECT * FROM live.leads WHERE id = :id"))')


def reaches_past(source: str) -> bool:
    """Say whether a source has a statement on a tenant's table by the table's own name; policies are what binds."""
    return any(IN_FULL.search(line) and "__visible__" not in line for line in source.splitlines())
