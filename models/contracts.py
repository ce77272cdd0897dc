"""What we rely on where no call of ours deletes: each vendor's contract, and how long what lies there takes to lapse.

Counsel fills in `signed` and `reference` once a contract is signed, operations the spans once a plan is chosen; a
receipt of an erasure says what stands here. Until then both are assumptions: the names are those of the vendors' public
terms as we know them, of the day of our own study and read by no lawyer, and the spans are those of that study, the
longest where it found several, or guesses of ours where it found none.
"""

from datetime import date, timedelta

from models.data_map import once

STUDIED = date(2026, 11, 23)
DAY = timedelta(days=1)


@once
class Contract:
    """A vendor's promise: what it is called, as of which day; `signed` and `reference` are empty until it is."""

    name: str
    as_of: date = STUDIED
    signed: date | None = None
    reference: str | None = None


ANTHROPIC = Contract(name="Anthropic's Data Processing Addendum to its Commercial Terms")
DEEPGRAM = Contract(name="Deepgram's Data Processing Agreement; mip_opt_out=true with every request")
VERCEL = Contract(name="Vercel's Data Processing Addendum")
RESEND = Contract(name="Resend's Data Processing Addendum")
LEMON_SQUEEZY = Contract(name="Lemon Squeezy's terms: it sells in its own name, and keeps its invoices by its own duty")
SUPABASE = Contract(name="Supabase's Data Processing Addendum")
TWILIO = Contract(name="Twilio's Data Protection Addendum")
TELNYX = Contract(name="Telnyx's Data Processing Addendum")
META = Contract(name="Meta's WhatsApp Business Data Processing Terms")
DIALOG360 = Contract(name="360dialog's Data Processing Agreement")

BACKUPS = 30 * DAY  # section 5 of the policy allows no more
MODEL_INPUTS = 30 * DAY
HEARD = 1 * DAY
WEB_LOGS = 30 * DAY
SENT_MAIL = 90 * DAY
TWILIO_ENTRIES = 40 * DAY
TELNYX_MESSAGES = 90 * DAY
WHATSAPP_MESSAGES = 30 * DAY
