"""Rows past their age: retention.expire beside one DELETE of as many rows."""

from bench.ending.place import Place, now
from bench.ending.row import Felt, rate, show

TABLES = ("product_events",)
PAST = "FROM nexara.product_events WHERE business_id = '{business}' AND at < now() - interval '400 days'"


def sweep(place: Place, rows: int) -> None:
    """Measure so many rows of one business."""
    business = place.fill("sweep", *TABLES, rows=rows)
    past = PAST.format(business=business)
    alone = place.alone(business)
    with place.enqueuing(business) as beside:
        gone, bare = place.bare(f"DELETE {past}")
    place.holds.forget()
    place.enqueue("retention.expire", business, business_id=business, as_of=now())
    with place.enqueuing(business) as took:
        seconds = place.drain("retention.expire")
    left = place.one(f"SELECT count(*) {past}")
    if left or gone != rows:
        raise RuntimeError(f"{left} of {gone} rows are left")
    felt = Felt(alone, took, beside)
    show(place, f"sweep of {rows:,} rows", rate(rows, seconds), felt, f"DELETE: {rate(gone, bare)}", bare / seconds)
