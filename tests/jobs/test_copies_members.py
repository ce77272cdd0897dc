"""Who leaves their last business is forgotten here, deleted where they sign in, and taken off the list of contacts."""

import pytest

from jobs.copies.payloads import following
from tests.jobs.conftest import OWNER


@pytest.fixture
def owner(remaining, shop):
    """The member of the business, as who signs in at Supabase and is on Resend's list."""
    user = remaining.house.sql("SELECT user_id FROM nexara.members WHERE id = :id", id=shop.members[OWNER])
    remaining.fill("supabase", users={str(user): {"email": OWNER}})
    remaining.fill("resend", contacts={"c1": {"email": OWNER}})
    return user


def leaves(remaining, shop):
    remaining.house.sql("DELETE FROM nexara.members WHERE id = :id", id=shop.members[OWNER])


def known(remaining, user):
    return remaining.house.sql("SELECT count(*) FROM nexara.users WHERE id = :id", id=user)


def test_with_the_last_membership_go_the_user_the_sign_in_and_the_contact(remaining, shop, owner):
    leaves(remaining, shop)
    assert remaining.house.rows("SELECT store, what, ref FROM nexara.remains") == [("supabase", "user", str(owner))]
    remaining.follow("supabase")
    assert known(remaining, owner) == 0
    assert remaining.held("supabase")["users"] == {}
    assert remaining.held("resend")["contacts"] == {}
    rows = remaining.house.rows("SELECT store, state, ref, digest IS NULL FROM nexara.remains ORDER BY store")
    assert rows == [("resend", "confirmed", None, True), ("supabase", "confirmed", None, False)]


def test_who_is_a_member_elsewhere_signs_in_as_before(remaining, shop, new_shop, owner):
    elsewhere = new_shop().business
    remaining.house.sql(
        "INSERT INTO nexara.members (business_id, user_id, role) VALUES (:business, :owner, 'staff')",
        business=elsewhere,
        owner=owner,
    )
    leaves(remaining, shop)
    remaining.follow("supabase")
    assert remaining.asked("supabase") == []
    assert known(remaining, owner) == 1
    assert remaining.house.rows("SELECT * FROM nexara.remains") == []
    remaining.house.sql("DELETE FROM nexara.members WHERE business_id = :b", b=elsewhere)
    remaining.follow("supabase", elsewhere)
    assert known(remaining, owner) == 0
    assert remaining.held("supabase")["users"] == {}


def test_who_comes_back_before_they_are_deleted_is_not(remaining, shop, owner):
    leaves(remaining, shop)
    with remaining.house.acting_for(shop.business) as db:
        db.connection().exec_driver_sql(
            f"INSERT INTO live.members (business_id, user_id, role) VALUES ('{shop.business}', '{owner}', 'owner')"
        )
    remaining.follow("supabase")
    assert (known(remaining, owner), remaining.asked("supabase")) == (1, [])


def test_our_own_row_goes_though_supabase_is_down_and_before_it_is_asked(remaining, shop, owner):
    leaves(remaining, shop)
    remaining.wires["supabase"].goes_wrong(*[{"status": 500}] * 10)
    remaining.follow("supabase")
    assert known(remaining, owner) == 0
    (row,) = remaining.house.rows("SELECT * FROM nexara.remains WHERE store = 'supabase'")
    assert (row.state, row.confirmed_at) == ("planned", None)
    remaining.wires["supabase"].reset()
    remaining.house.drain_all()
    assert remaining.house.sql("SELECT state FROM nexara.remains WHERE store = 'supabase'") == "confirmed"


def test_who_still_owns_something_at_supabase_waits_until_they_do_not(remaining, shop, owner):
    remaining.fill("supabase", users={str(owner): {"owns": True}})
    leaves(remaining, shop)
    remaining.follow("supabase")
    row = remaining.house.rows("SELECT state, reason FROM nexara.remains WHERE store = 'supabase'")
    assert row == [("blocked", "supabase_user_owns")]
    remaining.fill("supabase", users={str(owner): {}})
    remaining.later()
    assert remaining.held("supabase")["users"] == {}


def test_a_job_learns_of_nobody_but_whom_its_own_copies_name(remaining, shop, new_shop, owner):
    """The functions look across businesses: another's copy, or none, tells them nothing."""
    other = new_shop()
    leaves(remaining, shop)
    (copy,) = remaining.house.rows("SELECT id FROM nexara.remains")
    house = remaining.house
    house.enqueue(following("supabase", other.business), other.business)
    (claimed,) = house.claimed()
    with house.worker.begin() as db:
        db.exec_driver_sql(f"SELECT ledger.start_v1({claimed.id}, {claimed.fence})")
    with house.worker.connect() as db, db.begin() as job:
        db.exec_driver_sql(f"SELECT ledger.begin_save_v1({claimed.id}, {claimed.fence})")
        assert db.exec_driver_sql("SELECT nexara.scope()").scalar() == other.business
        assert db.exec_driver_sql(f"SELECT nexara.sign_in_v1('{copy.id}')").scalar() is None
        assert db.exec_driver_sql(f"SELECT nexara.forget_user_v1('{copy.id}')").scalar() is False
        job.rollback()
    assert known(remaining, owner) == 1


def test_an_id_that_is_none_is_somebodys(remaining):
    copy = remaining.leave("supabase", "user", "ada@example.com")
    remaining.follow("supabase")
    assert (remaining.row(copy).state, remaining.row(copy).reason) == ("manual", "supabase_ref_malformed")
