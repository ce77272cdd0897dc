"""kill -9 of a worker in the middle of expiring: what was committed is gone, and the rest goes later."""

from uuid import UUID, uuid4

from tests.chaos.world import World

ROWS, YOUNG = 400_000, 6000
"""More than go in the time that one transaction takes, a million a second; and those of somebody else."""
PLANT = """
WITH business AS (
  INSERT INTO nexara.businesses (id, name, country) VALUES (:b, 'A shop', 'GB')
), person AS (
  INSERT INTO nexara.people (business_id, id) VALUES (:b, :p)
), visitor AS (
  INSERT INTO nexara.visitors (business_id, id, person_id) VALUES (:b, :v, :p)
)
INSERT INTO nexara.product_events (business_id, visitor_id, name, props, at)
SELECT :b, :v, 'opened', '{}', now() - make_interval(days => :age) - i * interval '1 s' FROM generate_series(1, :rows) i
"""
LEFT = "SELECT count(*) FROM nexara.product_events WHERE business_id = :b"
BLOCKED = "SELECT FROM pg_stat_activity WHERE usename = 'nexara_worker' AND wait_event_type = 'Lock'"
SWEEP = """SELECT ledger.enqueue_job_v1('retention.sweep', '{"as_of": "2999-01-01T00\\:00\\:00Z"}', :house)"""


def test_a_worker_killed_between_two_batches_leaves_the_rest_to_the_next(world: World) -> None:
    old, young = uuid4(), uuid4()
    for business, age, rows in ((old, 500, ROWS), (young, 100, YOUNG)):
        world.sql(PLANT, b=business, p=uuid4(), v=uuid4(), age=age, rows=rows)
    # The last of its rows, by the index that it goes by: the batches before it are committed.
    world.sql(SWEEP, house=UUID(int=0))
    newest = "SELECT FROM nexara.product_events WHERE business_id = %s ORDER BY at DESC LIMIT 1 FOR UPDATE"
    with world.hold(newest, old) as last:
        world.dispatcher()
        worker = world.worker().up()
        last.waited_for("DELETE")
        worker.kill()
        world.until(
            lambda: not world.sql(BLOCKED),
            "its connection is gone",
        )
    half = world.value(LEFT, b=old)
    assert 0 < half < ROWS
    world.worker().up()
    world.until(lambda: not world.open_jobs(), "every job has ended")
    assert (world.value(LEFT, b=old), world.value(LEFT, b=young)) == (0, YOUNG)
    states = dict(world.sql("SELECT kind, state FROM ledger.jobs WHERE kind LIKE 'retention.%'"))
    assert states == {"retention.sweep": "succeeded", "retention.expire": "succeeded"}
