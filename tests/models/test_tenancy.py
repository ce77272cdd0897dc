"""No business sees, adds, changes or ends a row of another, in any table, as any role; the roles are the real ones."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from models.base import Row, TenantRow
from models.data_map import Expires, May
from models.entries import rows, table_of
from tests.models.conftest import HOUSE, Town
from tests.rows import platform_rows, tenant_rows, values

ROLES = ("nexara_web", "tenant_job")
OURS = [row for row in rows() if table_of(row).schema == Row.metadata.schema]


def rights(row: type[Row], role: str) -> tuple[May, ...]:
    return row.__web__ if role == "nexara_web" else row.__job__


def ids(town: Town, role: str, business: UUID | None, table: str) -> set[UUID]:
    with town.acting(role, business) as db:
        return set(db.scalars(text(f"SELECT id FROM live.{table}")))


@pytest.mark.parametrize("role", ROLES)
def test_a_business_reads_its_own_rows_and_nobody_else_s(town, role):
    for row in tenant_rows():
        if May.READ in rights(row, role):
            name = row.__tablename__
            mine = {town.my_rows[name]["id"]}
            assert ids(town, role, town.mine, name) >= mine, name
            assert not ids(town, role, town.mine, name) & {town.their_rows[name]["id"]}, name
            assert ids(town, role, None, name) == set(), name
            assert ids(town, role, uuid4(), name) == set(), name


def test_a_job_of_the_house_reads_no_tenant_s_rows(town):
    for row in tenant_rows():
        if May.READ in row.__job__:
            assert ids(town, "tenant_job", HOUSE, row.__tablename__) == set(), row


@pytest.mark.parametrize("role", ROLES)
def test_nobody_adds_a_row_to_another_business(town, role):
    for row in tenant_rows():
        if May.ADD in rights(row, role):
            table = table_of(row)
            told = values(table, town.their_rows) | {"business_id": town.theirs}
            with town.acting(role, town.mine) as db, pytest.raises(ProgrammingError, match="row-level security"):
                db.execute(table.insert().values(told), execution_options={"schema_translate_map": {"nexara": "live"}})


@pytest.mark.parametrize("role", ROLES)
def test_nobody_moves_a_row_into_or_out_of_a_business(town, role):
    for row in tenant_rows():
        if May.CHANGE in rights(row, role):
            change = text(f"UPDATE live.{row.__tablename__} SET business_id = :to WHERE id = :id")
            theirs, mine = town.their_rows[row.__tablename__]["id"], town.my_rows[row.__tablename__]["id"]
            with town.acting(role, town.mine) as db:
                assert db.execute(change, {"to": town.mine, "id": theirs}).rowcount == 0
            with town.acting(role, town.mine) as db, pytest.raises(ProgrammingError, match="row-level security"):
                db.execute(change, {"to": town.theirs, "id": mine})


@pytest.mark.parametrize("role", ROLES)
def test_nobody_ends_a_row_of_another_business(town, role):
    for row in tenant_rows():
        if May.REMOVE in rights(row, role):
            with town.acting(role, town.mine) as db:
                theirs = town.their_rows[row.__tablename__]["id"]
                gone = db.execute(text(f"DELETE FROM live.{row.__tablename__} WHERE id = :id"), {"id": theirs})
                assert gone.rowcount == 0, row


@pytest.mark.parametrize("role", [*ROLES, "nexara_worker", "nexara_dashboard"])
def test_a_role_may_do_what_its_table_says_and_no_more(admin, role):
    with admin.connect() as db:
        for row in OURS:
            name = row.__tablename__
            for may in May:
                said = role in ROLES and may in rights(row, role)
                live = f"live.{name}"
                exists = db.scalar(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": live})
                ask = text("SELECT has_table_privilege(:role, :name, :may)")
                has = exists and db.scalar(ask, {"role": role, "name": live, "may": str(may)})
                assert has == said, (role, live, may)
                behind = db.scalar(ask, {"role": role, "name": f"nexara.{name}", "may": str(may)})
                assert not behind, (role, name, may)
            assert not db.scalar(ask, {"role": role, "name": f"nexara.{name}", "may": "TRUNCATE"})


def test_the_owner_of_the_tables_is_bound_like_everybody(town):
    with town.admin.connect() as db:
        db.execute(text("SET LOCAL ROLE nexara_owner"))
        for row in tenant_rows():
            assert db.scalar(text(f"SELECT count(*) FROM nexara.{row.__tablename__}")) == 0, row


def test_no_role_of_ours_passes_by_row_level_security(admin):
    with admin.connect() as db:
        found = list(
            db.execute(
                text("""
                    SELECT rolname FROM pg_roles
                    WHERE (rolname LIKE 'nexara%' OR rolname = 'tenant_job')
                      AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)
                """)
            )
        )
        assert found == []
        logins = db.scalars(
            text("SELECT rolname FROM pg_roles WHERE rolname LIKE 'nexara%' AND rolcanlogin ORDER BY 1")
        )
        assert list(logins) == ["nexara_dashboard", "nexara_web", "nexara_worker"]
        owners = db.scalars(
            text("""
                SELECT DISTINCT pg_get_userbyid(relowner)::text FROM pg_class
                WHERE relnamespace IN ('nexara'::regnamespace, 'live'::regnamespace)
                  AND relkind IN ('r', 'v') AND relname <> 'alembic_version'
            """)
        )
        assert list(owners) == ["nexara_owner"]


def test_a_business_sees_itself_and_its_members_and_no_other(town):
    for role in ROLES:
        assert ids(town, role, town.mine, "businesses") == {town.mine}
        assert ids(town, role, town.mine, "users") == {town.my_rows["users"]["id"]}
        assert ids(town, role, None, "businesses") == set()
        assert ids(town, role, None, "users") == set()


def test_a_business_makes_itself_and_no_other(town):
    new = uuid4()
    make = text("INSERT INTO live.businesses (id, name, country) VALUES (:id, 'New', 'IE') RETURNING id")
    with town.acting("nexara_web", new) as db:
        assert db.scalar(make, {"id": new}) == new
    with town.acting("nexara_web", new) as db, pytest.raises(ProgrammingError, match="row-level security"):
        db.execute(make, {"id": uuid4()})


def test_what_belongs_to_no_tenant_is_out_of_every_tenant_s_sight(town):
    with town.admin.begin() as db:
        for row in platform_rows():
            if row.__tablename__ not in ("businesses", "users") and "id" in table_of(row).columns:
                db.execute(table_of(row).insert().values(values(table_of(row), {}) | {"id": uuid4()}))
    for row in platform_rows():
        if May.READ in row.__job__ and not row.__visible__:
            assert ids(town, "tenant_job", town.mine, row.__tablename__) == set(), row
            assert isinstance(row.__life__.ends, Expires)
            assert len(ids(town, "tenant_job", HOUSE, row.__tablename__)) == 1, row
            with town.acting("tenant_job", town.mine) as db:
                assert db.execute(text(f"DELETE FROM live.{row.__tablename__}")).rowcount == 0
            with town.acting("tenant_job", HOUSE) as db:
                assert db.execute(text(f"DELETE FROM live.{row.__tablename__}")).rowcount == 1


def test_the_website_s_forms_are_written_and_not_read(town):
    with town.acting("nexara_web", None) as db:
        db.execute(text("INSERT INTO live.waitlist (email) VALUES ('a@example.com')"))
        db.execute(text("INSERT INTO live.contact_forms (email, text) VALUES ('a@example.com', 'Hello')"))
        with pytest.raises(ProgrammingError, match="permission denied"):
            db.execute(text("SELECT FROM live.waitlist"))


def test_a_security_event_is_of_the_business_that_says_it_or_of_none(town):
    tell = text("INSERT INTO live.security_events (business_id, event) VALUES (:business, 'signed_in')")
    with town.acting("nexara_web", town.mine) as db:
        db.execute(tell, {"business": town.mine})
        db.execute(tell, {"business": None})
        with pytest.raises(ProgrammingError, match="row-level security"):
            db.execute(tell, {"business": town.theirs})


def test_a_job_s_scope_can_not_be_borrowed(town):
    with town.admin.connect() as db:
        # A job of mine, committed by another transaction: naming it proves nothing.
        with town.acting("tenant_job", town.mine):
            pass
        job = db.scalar(
            text("""
                INSERT INTO ledger.jobs (id, kind, queue, priority, business_id, root_id, payload, until_done, state,
                                         max_attempts, run_at, give_up_at)
                SELECT id, 'tests.look', 'tests', 1, :business, id, '{}', false, 'available', 1, now(), now()
                FROM nextval('ledger.jobs_id_seq') id RETURNING id
            """),
            {"business": town.mine},
        )
        db.commit()
        db.execute(text("SELECT set_config('nexara.job', :job, true)"), {"job": str(job)})
        db.execute(text("SELECT set_config('nexara.business', :business, true)"), {"business": str(town.mine)})
        db.execute(text("SET LOCAL ROLE tenant_job"))
        assert db.scalar(text("SELECT nexara.scope()")) is None
        assert db.scalar(text("SELECT count(*) FROM live.conversations")) == 0


def test_a_row_is_found_by_its_id_alone_through_the_key_of_its_business(town):
    with town.admin.begin() as db:
        db.execute(
            text("""
                INSERT INTO nexara.people (business_id, id)
                SELECT business, gen_random_uuid() FROM unnest(CAST(:both AS uuid[])) business, generate_series(1, 3000)
            """),
            {"both": [town.mine, town.theirs]},
        )
        db.execute(text("ANALYZE nexara.people"))
    with town.acting("nexara_web", town.mine) as db:
        told = db.scalars(text("EXPLAIN SELECT * FROM live.people WHERE id = :id"), {"id": uuid4()})
        plan = "\n".join(told)
    assert "people_pkey" in plan
    assert "Index Cond: ((business_id = (InitPlan" in plan or "Index Cond: ((business_id = $" in plan, plan
    assert "Seq Scan" not in plan


def test_every_row_of_a_tenant_is_under_test():
    assert {row for row in OURS if issubclass(row, TenantRow)} == set(tenant_rows())
