"""Closed months: privacy.anonymize beside one INSERT a month of the same groups, without its thresholds."""

from uuid import UUID

from bench.ending.place import Place, now
from bench.ending.row import Felt, rate, show

HOUSE = UUID(int=0)
TABLES = ("people", "conversations", "calls", "leads")
BARE = """
INSERT INTO nexara.activity (month, industry, channel, outcome, people, businesses, conversations, seconds)
SELECT date_trunc('month', c.started_at AT TIME ZONE 'UTC')::date, b.industry, c.channel, coalesce(l.intent, 'none'),
       count(DISTINCT c.person_id), count(DISTINCT c.business_id), count(*), sum(coalesce(k.seconds, 0))
FROM nexara.businesses b
JOIN nexara.conversations c ON c.business_id = b.id
LEFT JOIN nexara.calls k ON k.business_id = c.business_id AND k.conversation_id = c.id
LEFT JOIN nexara.leads l ON l.business_id = c.business_id AND l.conversation_id = c.id
WHERE c.started_at >= '{month}'::timestamptz AND c.started_at < '{month}'::timestamptz + interval '1 month'
GROUP BY 1, 2, 3, 4
"""
CLOSED = """
SELECT array_agg(DISTINCT date_trunc('month', started_at)) FROM nexara.conversations
WHERE started_at < date_trunc('month', now())
"""


def months(place: Place, rows: int) -> None:
    """Measure so many conversations of twelve months."""
    place.empty()
    business = place.fill("months", *TABLES, rows=rows)
    closed = place.one(CLOSED)
    alone = place.alone(business)
    with place.enqueuing(business) as beside:
        cells, bare = place.bare(*(BARE.format(month=each) for each in closed))
    place.holds.forget()
    place.enqueue("privacy.anonymize", HOUSE, as_of=now())
    with place.enqueuing(business) as took:
        seconds = place.drain("privacy.anonymize")
    counted = place.one("SELECT coalesce(sum(conversations), 0) FROM nexara.activity")
    if counted > rows or counted < rows / 2 or not cells:
        raise RuntimeError(f"{counted} of {rows} conversations are counted")
    place.empty()
    show(
        place,
        f"{rows:,} conversations of 12 months counted",
        rate(rows, seconds),
        Felt(alone, took, beside),
        f"INSERT … SELECT: {rate(rows, bare)}",
        bare / seconds,
    )
