"""What came out of each conversation of the sandbox, as a table on the screen."""

from dataclasses import dataclass

from rich.table import Table
from sqlalchemy import Engine, text

EXCERPT = 90

OUTCOMES = text("""
SELECT b.name AS business, c.channel,
       coalesce((SELECT t.body FROM nexara.transcripts t
                 JOIN nexara.recordings r ON r.id = t.recording_id JOIN nexara.call_legs l ON l.id = r.leg_id
                 JOIN nexara.calls k ON k.id = l.call_id WHERE k.conversation_id = c.id LIMIT 1),
                (SELECT m.body FROM nexara.messages m WHERE m.conversation_id = c.id
                 ORDER BY m.sent_at LIMIT 1)) AS words,
       concat_ws(', ', l.intent, l.urgency, l.name, l.phone, l.email,
                 to_char(l.requested_at AT TIME ZONE b.zone, 'Dy DD Mon HH24:MI')) AS lead,
       coalesce((SELECT m.quantity || ' s' FROM nexara.meter m JOIN nexara.calls k ON k.event_key = m.event_key
                 WHERE k.conversation_id = c.id),
                (SELECT count(*) || ' messages' FROM nexara.meter m JOIN nexara.messages s ON s.event_key = m.event_key
                 WHERE s.conversation_id = c.id HAVING count(*) > 0)) AS metered,
       EXISTS (SELECT FROM nexara.summaries s WHERE s.conversation_id = c.id) AS summarized,
       (SELECT count(*) FROM nexara.emails_sent e WHERE e.conversation_id = c.id) AS alerts,
       (SELECT count(*) FROM nexara.members m WHERE m.business_id = c.business_id AND m.alerts) AS wanted,
       EXISTS (SELECT FROM ledger.jobs j WHERE j.business_id = c.business_id
               AND j.state IN ('scheduled', 'retryable', 'available', 'dispatched', 'running')) AS busy
FROM nexara.conversations c
JOIN nexara.businesses b ON b.id = c.business_id
LEFT JOIN nexara.leads l ON l.conversation_id = c.id
ORDER BY b.name, c.started_at
""")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of one conversation so far."""

    business: str
    channel: str
    text: str | None
    lead: str
    metered: str | None
    summarized: bool
    alerts: int
    wanted: int
    busy: bool

    @property
    def complete(self) -> bool:
        """Whether it was put into words, summarized, metered, and told of to everyone who wants to know."""
        return bool(self.text and self.summarized and self.metered and self.wanted and self.alerts == self.wanted)


def outcomes(engine: Engine) -> list[Outcome]:
    """Read what is there; as superuser, for the demo's screen alone."""
    with engine.connect() as db:
        return [Outcome(*row) for row in db.execute(OUTCOMES)]


def table(found: list[Outcome]) -> Table:
    """Return what came out as a table for the terminal."""
    shown = Table(title="What came of it", show_lines=True)
    for heading in ("Business", "Channel", "Words", "Lead", "Metered", "Alerts"):
        shown.add_column(heading, overflow="fold")
    for each in found:
        words = (each.text or "").replace("\n", " ")
        shown.add_row(
            each.business,
            each.channel,
            words[:EXCERPT] + ("…" if len(words) > EXCERPT else ""),
            each.lead or "none",
            each.metered or "not yet",
            f"{each.alerts} of {each.wanted}" + ("" if each.complete else " (not complete)"),
        )
    return shown
