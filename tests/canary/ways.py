"""How rows are planted that do not follow from the catalog: which forms a table's rows have, and whose no table says.

A table that no pointer ties to a person and that is not named here is planted with the business; one that has neither a
business nor a line here makes the test fail: nobody knows how to plant it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ledger import clock
from tests.canary.catalog import Column, Table
from tests.canary.tokens import Tokens

Forms = Callable[[Tokens], list[dict[str, Any]]]

PEOPLE, BUSINESSES, USERS = "nexara.people", "nexara.businesses", "nexara.users"
BY_ITSELF = {
    "nexara.mentions": "triggers write it from the texts that are planted",
    "nexara.salts": "the database writes the only one of a business with it",
    BUSINESSES: "the business itself: its row is filled, not added to",
    PEOPLE: "the web tier writes them",
}
"""Tables that are filled without planting."""
OF_NOBODY = {
    **dict.fromkeys(("nexara.activity", "nexara.activity_months"), "counts over businesses, in its own tests"),
    **dict.fromkeys(("nexara.data_map", "nexara.data_map_versions", "nexara.keep_periods"), "the program's own"),
    **dict.fromkeys(("nexara.waitlist", "nexara.contact_forms"), "what people wrote to us: only they have it erased"),
    **dict.fromkeys(("ledger.job_kinds", "ledger.bell", "ledger.ticks", "ledger.workers"), "the program's own"),
    **dict.fromkeys(("ledger.pace", "ledger.pace_until", "ledger.durations", "ledger.turns"), "counts and cursors"),
    **dict.fromkeys(("ledger.audit", "ledger.operators", "ledger.sessions", "ledger.sign_in_tries"), "our own staff"),
    **dict.fromkeys(("ledger.operations", "ledger.operation_batches"), "filters and numbers of jobs"),
    "ledger.limits": "of queues, vendors and by on-call's own words of a business",
    "ledger.batch_ends": "the dispatcher takes it up within a second",
    "public.alembic_version": "the program's own",
    "nexara.alembic_version": "the program's own",
}
"""Tables in which neither a person nor a business is planted, and why."""
OF_ENGINE = {
    f"nexara.{name}"
    for name in ("erasures", "erasure_scope", "reviews", "receipts", "tombstones", "remains", "salts", "mentions")
}
"""What erasures are done by, and write themselves."""


def forms(table: Table, tokens: Tokens) -> list[dict[str, Any]]:
    """Return what is told of each row that is planted in a table: one row for each form that rows may have there."""
    if table.name in FORMS:
        return FORMS[table.name](tokens)
    carriers = next((column.words for column in table.columns if column.name == "carrier"), [])
    return [{"carrier": each} for each in carriers] or [{}]


def is_free(column: Column) -> bool:
    """Whether a column of a business may be filled with any token."""
    return (
        column.name not in ("country", "zone", "alert_details")
        and column.type not in ("interval", "date")
        and not (column.name.endswith("_at") and column.name != "created_at")
    )


def _identifiers(tokens: Tokens) -> list[dict[str, Any]]:
    place = "nexara.identifiers.value"
    return [
        {"kind": "email", "value": tokens.email(place)},
        {"kind": "wa_id", "value": tokens.phone(place)[1:]},
        {"kind": "phone", "value": tokens.phone(place)},
        {"kind": "chat_session", "value": tokens.id(place)},
    ]


def _media(tokens: Tokens) -> list[dict[str, Any]]:
    place = "nexara.message_media.ref"
    of_message = tokens.ref(place, "SM") + "/" + tokens.ref(place, "ME")
    return [{"carrier": "twilio", "ref": of_message}, {"carrier": "meta"}, {"carrier": "360dialog"}]


def _papers(_tokens: Tokens) -> list[dict[str, Any]]:
    return [{}, {"issued_at": None}]


FORMS: Mapping[str, Forms] = {
    "nexara.identifiers": _identifiers,
    "nexara.message_media": _media,
    "nexara.invoices": _papers,
    "nexara.quotes": _papers,
    "nexara.working_hours": lambda _tokens: [{"opens": "08:11", "closes": "17:23"}],
    "nexara.meter": lambda _tokens: [{"correction_of": None}],
    "nexara.remains": lambda tokens: [
        {"store": "twilio", "what": "call", "state": "planned", "erasure_id": None}
        | {"ref": tokens.ref("nexara.remains.ref", "CA")}
        | dict.fromkeys(("lapses_at", "confirmed_at"))
    ],
    "nexara.erasures": lambda _tokens: [{"state": "resolving"}],
    # Gone in a day, whoever is erased.
    "ledger.idempotency_keys": lambda _tokens: [{"created_at": clock.now().isoformat()}],
    "nexara.provider_events": lambda _tokens: [{"parsed_at": None}],
}
