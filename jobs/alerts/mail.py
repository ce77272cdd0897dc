"""The alert as a mail: urgency, kind of request and a link; the caller's details only where the business chose so."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

CHANNELS = {
    "call": "phone call",
    "web_chat": "web chat",
    "whatsapp": "WhatsApp conversation",
    "sms": "text message",
}
URGENCIES = {"emergency": "EMERGENCY", "high": "Urgent", "normal": "New", "low": "New"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What an alert may say. What Resend holds it cannot delete, so it says little."""

    conversation_id: UUID
    channel: str
    intent: str | None
    urgency: str | None
    zone: str = "UTC"
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    requested_at: datetime | None = None
    summary: str | None = None

    def with_details(
        self,
        *,
        zone: str,
        name: str | None,
        phone: str | None,
        email: str | None,
        requested_at: datetime | None,
        summary: str | None,
    ) -> "Facts":
        """Return the facts with what the caller said of themselves."""
        return replace(self, zone=zone, name=name, phone=phone, email=email, requested_at=requested_at, summary=summary)


@dataclass(frozen=True, slots=True)
class Mail:
    """A rendered mail."""

    subject: str
    text: str
    html: str


def render(facts: Facts, public_url: str) -> Mail:
    """Render an alert; the same facts always give the same bytes."""
    from html import escape  # late: it has every entity that there is, and a worker that sends no mail needs none

    kind = facts.intent or "other"
    wanted = "a conversation" if kind == "other" else f"a {kind}"
    subject = f"{URGENCIES[facts.urgency or 'normal']}: {wanted} by {CHANNELS[facts.channel]}"
    link = f"{public_url.rstrip('/')}/conversations/{facts.conversation_id}"
    lines = [
        ("Urgency", facts.urgency or "normal"),
        ("Request", kind),
        ("Channel", CHANNELS[facts.channel]),
        *_details(facts),
    ]
    told = "\n".join(f"{label}: {value}" for label, value in lines)
    rows = "".join(
        f'<tr><td style="padding:4px 16px 4px 0;color:#667085">{label}</td><td>{escape(value)}</td></tr>'
        for label, value in lines
    )
    html = (
        '<!doctype html><html lang="en"><body style="font:16px/1.5 system-ui,sans-serif;color:#101828;margin:24px">'
        f'<p>Your AI receptionist has dealt with {escape(wanted)}.</p><table role="presentation">{rows}</table>'
        f'<p><a href="{escape(link)}" style="color:#175cd3">Open the conversation</a></p></body></html>'
    )
    return Mail(subject, f"Your AI receptionist has dealt with {wanted}.\n\n{told}\n\n{link}\n", html)


def _details(facts: Facts) -> list[tuple[str, str]]:
    when = (
        facts.requested_at and f"{facts.requested_at.astimezone(ZoneInfo(facts.zone)):%a %d %b %Y %H:%M} ({facts.zone})"
    )
    given = [
        ("Name", facts.name),
        ("Phone", facts.phone),
        ("Email", facts.email),
        ("Wants", when),
        ("Summary", facts.summary),
    ]
    return [(label, value) for label, value in given if value]
