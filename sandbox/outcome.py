"""What came out of each conversation of the sandbox, as lines and a table on the screen."""

from dataclasses import dataclass

from rich.table import Table
from rich.text import Text
from sqlalchemy import Engine, text

EXCERPT = 120

OUTCOMES = text("""
SELECT c.id::text, b.name AS business, c.channel,
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

TROUBLES = text("""
SELECT kind, state, coalesce(reason, 'no reason was noted') AS reason, count(*) AS count FROM ledger.jobs
WHERE state IN ('dead', 'parked', 'retryable', 'discarded') GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
""")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of one conversation so far."""

    id: str
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

    @property
    def what(self) -> str:
        """What it was: a channel and how much of it is billed."""
        return f"{self.channel.replace('_', ' ')}, {self.metered or 'not metered yet'}"

    @property
    def mails(self) -> str:
        """How many of those who want to know of it were told."""
        return f"{self.alerts} of {self.wanted}"


def outcomes(engine: Engine) -> list[Outcome]:
    """Read what is there; as superuser, for the demo's screen alone."""
    with engine.connect() as db:
        return [Outcome(*row) for row in db.execute(OUTCOMES)]


def troubles(engine: Engine) -> list[str]:
    """Return a line for each sort of job that did not get there."""
    with engine.connect() as db:
        return [f"{row.kind}: {row.count} {row.state}, {row.reason}" for row in db.execute(TROUBLES)]


def line(outcome: Outcome) -> str:
    """Return the line that tells of a conversation that got there."""
    return f"{outcome.business}: {outcome.what} → {outcome.lead or 'no lead'} → mailed {outcome.mails}"


def table(found: list[Outcome]) -> Table:
    """Return what came out as a table that reads well on 80 columns."""
    shown = Table(title="What came of it", show_lines=True, expand=True)
    shown.add_column("Conversation", ratio=5)
    shown.add_column("Words", ratio=8)
    shown.add_column("Lead", ratio=6, overflow="fold")
    shown.add_column("Mails", no_wrap=True)
    for each in found:
        words = " ".join((each.text or "").split())
        shown.add_row(  # as Text: what people said is no markup
            Text(f"{each.business}\n{each.what}" + ("" if each.complete else "\nnot complete")),
            Text(words[:EXCERPT] + ("…" if len(words) > EXCERPT else "")),
            Text(each.lead.replace(", ", "\n") or "none"),
            Text(each.mails),
            style=None if each.complete else "red",
        )
    return shown
