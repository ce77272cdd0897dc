"""The places outside our tables where data lies: stores, logs, vendors, other schemas. Entries of the same map."""

from datetime import timedelta
from enum import StrEnum

from models import contracts
from models.contracts import Contract
from models.data_map import Category, once


class Reach(StrEnum):
    """How far our own deletion reaches into a place."""

    DELETED = "its API deletes, and tells whether it is gone"
    LAPSES = "it lapses there by itself"
    CONTRACT = "we rely on the contract"
    BY_HAND = "somebody deletes there by hand"
    NOTHING = "nothing personal may lie there"


@once
class Place:
    """Somewhere that data may lie and no column of ours says so; `policy` is its name in section 4 of the policy.

    `keys` are patterns of the names under which things lie in it, where we give the names: models/named.py.
    `lapses_within` is how long what no call deletes there may stay, counted from when we let go of it; `contract` is
    what holds the vendor to it.
    """

    name: str
    what: str
    reach: Reach
    ends: str
    holds: tuple[Category, ...] = ()
    policy: str | None = None
    proof: str | None = None
    contract: Contract | None = None
    lapses_within: timedelta | None = None
    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a place that leaves open what we rely on there."""
        if self.reach is Reach.LAPSES and self.lapses_within is None:
            raise TypeError(f"{self.name} lapses, and does not say within what time")
        if self.reach is Reach.CONTRACT and self.contract is None:
            raise TypeError(f"{self.name} relies on a contract, and does not say which")


TALK = (Category.COMMUNICATION,)

STORES = (
    Place(
        name="store objects",
        what="Supabase Storage: recordings and media, under <business>/<recording or message>; all versions go",
        reach=Reach.DELETED,
        ends="with its row, by remains",
        holds=TALK,
        policy="Supabase",
        proof="a listing of the key's versions, markers and unfinished uploads is empty",
        keys=("{id}/.+",),
    ),
    Place(
        name="prefix journal/",
        what="which erasures were confirmed, by opaque ids: what a restored backup is erased by again",
        reach=Reach.NOTHING,
        ends="a week after the last backup that still has what it names",
        policy="Supabase",
        keys=("journal/{id}/{id}\\.json",),
    ),
    Place(
        name="prefix receipts/",
        what="receipts of erasures: counts, digests and times",
        reach=Reach.NOTHING,
        ends="never",
        policy="Supabase",
        keys=("receipts/{id}/{id}/[0-9a-f]{{64}}\\.json",),
    ),
    Place(
        name="store objects journal/*",
        what="an entry for each erasure that was confirmed: opaque ids and times, for a restored backup",
        reach=Reach.DELETED,
        ends="a week after the longest-lived backup from before the erasure was completed has ended (privacy.prune)",
        holds=(Category.ENGINE,),
        policy="Supabase",
        proof="as store objects",
    ),
    Place(
        name="store objects receipts/*",
        what="the receipts of erasures once more: counts, codes, digests and times, by ids of businesses and erasures",
        reach=Reach.NOTHING,
        ends="never: it proves what was erased, to whoever has no trust in the database",
        policy="Supabase",
    ),
    Place(
        name="redis queue:*",
        what="lists of job ids and fences, and the bell",
        reach=Reach.NOTHING,
        ends="when the job is claimed; losing all of it costs seconds",
        keys=("{prefix}:[a-z][a-z0-9_]*:[0-9]", "{prefix}:bell"),
    ),
    Place(
        name="planted by an audit",
        what="what a probe of `nexara privacy audit` plants to show that it would find it, in the bucket and in Redis",
        reach=Reach.NOTHING,
        ends="with the probe; in Redis after two minutes, should it die",
        keys=("audit-[0-9a-f]{{16}}/.+", "{prefix}:audit:[0-9a-f]{{16}}:.+"),
    ),
    Place(
        name="backups of the database",
        what="Supabase's daily and point-in-time backups of every table",
        reach=Reach.LAPSES,
        ends="by the plan's own period, which may be 30 days at most; a restore replays the erasures since",
        holds=tuple(Category),
        policy="Supabase",
        contract=contracts.SUPABASE,
        lapses_within=contracts.BACKUPS,
    ),
    Place(
        name="log of the engine",
        what="what workers, dispatcher, scheduler and dashboard print: ids, codes, counts and times",
        reach=Reach.NOTHING,
        ends="by the host's own period",
    ),
    Place(
        name="mailbox support",
        what="support@nexara-ai.net: privacy requests and what people wrote to us",
        reach=Reach.BY_HAND,
        ends="searched and deleted by hand with each request",
        holds=(Category.FORMS,),
    ),
)

SCHEMAS = (
    Place(
        name="schema auth",
        what="Supabase Auth: password hashes, sessions, addresses, the log of sign-ins (audit_log_entries)",
        reach=Reach.DELETED,
        ends="the user is deleted with the last membership; the log of sign-ins by its own period",
        holds=(Category.ACCOUNT, Category.USAGE),
        policy="Supabase",
        proof="GET of the user answers 404",
    ),
    Place(
        name="schema storage",
        what="Supabase Storage's list of objects: key, size, owner",
        reach=Reach.DELETED,
        ends="with the object",
        holds=TALK,
        policy="Supabase",
        proof="as store objects",
    ),
    Place(
        name="schema realtime",
        what="Supabase Realtime: subscriptions and messages in passing; no table of ours is published",
        reach=Reach.NOTHING,
        ends="by the vendor's own period",
        policy="Supabase",
    ),
    Place(
        name="schema net",
        what="pg_net: requests and answers of database webhooks; none is set on a table of ours",
        reach=Reach.NOTHING,
        ends="by the extension's own period",
        policy="Supabase",
    ),
    Place(
        name="schema cron",
        what="pg_cron: the timetable and its log; our timetable is in schedules/, not here",
        reach=Reach.NOTHING,
        ends="by the database's own period",
        policy="Supabase",
    ),
    *(
        Place(name=f"schema {name}", what=what, reach=Reach.NOTHING, ends="never", policy="Supabase")
        for name, what in (
            ("extensions", "Supabase: functions of extensions"),
            ("graphql", "Supabase: the GraphQL interface's functions"),
            ("graphql_public", "Supabase: the GraphQL interface's functions"),
            ("pgbouncer", "Supabase: the pooler's look-up of roles"),
            ("pgsodium", "Supabase: keys"),
            ("vault", "Supabase: secrets of the database"),
            ("supabase_functions", "Supabase: the log of database webhooks; none is set on a table of ours"),
            ("supabase_migrations", "Supabase: the web tier's migrations"),
        )
    ),
)

VENDORS = (
    Place(
        name="vendor supabase",
        what="database, sign-in and file storage: described by its schemas, backups and store",
        reach=Reach.DELETED,
        ends="with the row, by remains and by the user's deletion",
        holds=tuple(Category),
        policy="Supabase",
        proof="as store objects and schema auth",
    ),
    Place(
        name="vendor vercel",
        what="the web tier's host: logs of requests, caches of functions and of the edge",
        reach=Reach.CONTRACT,
        ends="logs by the plan's own period; caches with the deployment",
        holds=(Category.USAGE,),
        policy="Vercel",
        contract=contracts.VERCEL,
        lapses_within=contracts.WEB_LOGS,
    ),
    Place(
        name="vendor anthropic",
        what="conversations that are summed up and read for leads; no training",
        reach=Reach.LAPSES,
        ends="30 days after the request, or at once under zero retention",
        holds=TALK,
        policy="Anthropic",
        contract=contracts.ANTHROPIC,
        lapses_within=contracts.MODEL_INPUTS,
    ),
    Place(
        name="vendor vapi",
        what="the assistant's calls: recording, transcript, numbers",
        reach=Reach.DELETED,
        ends="with the call's row, by remains",
        holds=TALK,
        policy="Vapi",
        proof="GET of the call answers 404",
    ),
    Place(
        name="vendor twilio",
        what="calls, recordings, SMS, rented numbers; of a deleted recording an entry stays for up to 40 days",
        reach=Reach.DELETED,
        ends="with the row, by remains; a recording's entry up to 40 days later",
        holds=TALK,
        policy="Twilio",
        proof="GET answers 404; a soft-deleted recording says status deleted",
        contract=contracts.TWILIO,
        lapses_within=contracts.TWILIO_ENTRIES,
    ),
    Place(
        name="vendor telnyx",
        what="calls, recordings, SMS, rented numbers; messages and a call's record cannot be deleted there",
        reach=Reach.DELETED,
        ends="with the row, by remains; messages and records by the vendor's own period",
        holds=TALK,
        policy="Telnyx",
        proof="GET of the recording answers 404",
        contract=contracts.TELNYX,
        lapses_within=contracts.TELNYX_MESSAGES,
    ),
    Place(
        name="vendor deepgram",
        what="recordings in passing, by a URL that expires; mip_opt_out=true on every request",
        reach=Reach.LAPSES,
        ends="when the answer has been given",
        holds=TALK,
        policy="Deepgram",
        contract=contracts.DEEPGRAM,
        lapses_within=contracts.HEARD,
    ),
    Place(
        name="vendor elevenlabs",
        what="the assistant's voice: what it said, and conversations held through it",
        reach=Reach.DELETED,
        ends="with the call's row, by remains",
        holds=TALK,
        policy="ElevenLabs",
        proof="GET of the conversation answers 404",
    ),
    Place(
        name="vendor meta",
        what="WhatsApp messages and media; messages cannot be deleted there by us",
        reach=Reach.DELETED,
        ends="media with its row, by remains; messages by the vendor's own period",
        holds=TALK,
        policy="Meta (WhatsApp Business)",
        proof="GET of the media says that it does not exist",
        contract=contracts.META,
        lapses_within=contracts.WHATSAPP_MESSAGES,
    ),
    Place(
        name="vendor 360dialog",
        what="WhatsApp messages and media, for businesses connected through it",
        reach=Reach.DELETED,
        ends="media with its row, by remains; messages by the vendor's own period",
        holds=TALK,
        policy="360dialog",
        proof="GET of the media says that it does not exist",
        contract=contracts.DIALOG360,
        lapses_within=contracts.WHATSAPP_MESSAGES,
    ),
    Place(
        name="vendor lemon_squeezy",
        what="the seller: who pays, their card, the invoices; we keep its ids",
        reach=Reach.CONTRACT,
        ends="a subscription is cancelled when its business is erased, by remains; the rest by the seller's duty",
        holds=(Category.ACCOUNT,),
        policy="Lemon Squeezy",
        contract=contracts.LEMON_SQUEEZY,
    ),
    Place(
        name="vendor resend",
        what="addresses of members and what was mailed to them; an alert carries a link and an urgency",
        reach=Reach.LAPSES,
        ends="a contact with the last membership, by remains; a sent mail by the vendor's own period",
        holds=(Category.ACCOUNT,),
        policy="Resend",
        contract=contracts.RESEND,
        lapses_within=contracts.SENT_MAIL,
    ),
    Place(
        name="vendor google",
        what="events in a calendar that a member connected, and our access to it",
        reach=Reach.DELETED,
        ends="events with the booking's row, by remains; the access last of all",
        holds=(Category.BUSINESS,),
        policy="Google",
        proof="GET of the event answers 404, 410 or status cancelled; the token is refused",
    ),
    Place(
        name="vendor sentry",
        what="errors: their class, place and ids; not in section 4 of the policy, so nothing personal may go there",
        reach=Reach.NOTHING,
        ends="by the plan's own period",
    ),
    Place(
        name="vendor of redis and of the workers' host",
        what="runs our processes; not in section 4 of the policy, so nothing personal may lie on its disks",
        reach=Reach.NOTHING,
        ends="with the process",
    ),
)

PLACES: tuple[Place, ...] = (*STORES, *SCHEMAS, *VENDORS)


def lapses_within(store: str) -> timedelta | None:
    """Return how long what no call deletes may stay at a vendor, by the name that remains give it; None if unknown."""
    return next((place.lapses_within for place in PLACES if place.name == f"vendor {store}"), None)
