"""How many jobs pass a filter is told beside a page of them, without reading again what the page has read."""

from datetime import timedelta
from uuid import UUID, uuid4

from ledger import clock
from ledger.queries import JobFilter, count_beside, count_jobs, count_states, list_jobs, looking
from models.ledger import State
from tests.ledger.test_queries import crowd, explained, eyes

__all__ = ["crowd", "eyes"]


def test_a_count_beside_a_page_is_the_one_that_counting_tells(ledger, eyes, crowd):
    rare, more = uuid4(), set()
    ledger.sql("UPDATE ledger.jobs SET business_id = :rare WHERE id IN (100, 45000)", rare=rare)
    asked = (
        JobFilter(business_id=rare),
        JobFilter(kind="walls.dry"),
        JobFilter(code="code_3"),
        JobFilter(fingerprint="print_3", state=State.DEAD),
        JobFilter(root_id=7),
        JobFilter(state=State.PARKED, business_id=UUID(int=4)),
        JobFilter(state=State.DEAD, business_id=UUID(int=4)),
    )
    with looking(eyes) as db:
        for wanted in asked:
            counted = count_jobs(db, wanted)
            page = list_jobs(db, wanted, size=1)
            assert count_beside(db, wanted, list_jobs(db, wanted), first=True) == counted, wanted
            assert count_beside(db, wanted, page, first=True) == counted, wanted
            if page.next and not page.unfinished:
                later = list_jobs(db, wanted, after=page.next, size=1)
                assert count_beside(db, wanted, later, first=False) == counted, wanted
                more.add(page.total is None)
    assert more == {True, False}


def test_what_is_at_hand_or_was_looked_for_is_not_looked_for_again(ledger, eyes, crowd):
    rare = uuid4()
    ledger.sql("UPDATE ledger.jobs SET business_id = :rare WHERE id = 45000", rare=rare)
    for wanted in (JobFilter(business_id=rare), JobFilter(code="code_3")):
        with looking(eyes) as db:
            page = list_jobs(db, wanted, size=1)
            assert page.next
            with explained(eyes) as plans:
                count_beside(db, wanted, page, first=True)
        assert plans == []


def test_what_waits_and_what_is_parked_is_counted_without_a_look_at_the_rows(ledger, eyes, crowd):
    with explained(eyes) as plans, looking(eyes) as db:
        count_states(db, clock.now() - timedelta(days=1))
    (counting,) = (plan for plan in plans if "jobs_parked" in plan)
    for index in ("jobs_to_pick", "jobs_parked", "jobs_finished"):
        assert f"Index Only Scan using {index}" in counting, counting
        assert f"Index Scan using {index}" not in counting, counting
