"""The HTTP API's tables: the keys that businesses call it with, and the requests that it has answered once."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import NOW, PlatformRow
from models.data_map import Category, Delete, Expires, Life, NoOne, WhileActive
from models.kinds import NONE, Id, Moment, Word, plain
from models.ledger import Number


class Scope(StrEnum):
    """What a key may do."""

    WRITE = "jobs:write"
    READ = "jobs:read"


NOT_THE_HOUSE = "business_id <> '00000000-0000-0000-0000-000000000000'"
SHA_256 = "octet_length(VALUE) = 32"
# No slow hash: that protects what people choose. A random secret of 256 bits is found by no number of guesses.
SecretDigest = Annotated[
    bytes, plain("SecretDigest", LargeBinary(), "SHA-256 of a random secret", SHA_256, bundles=NONE)
]
GivenDigest = Annotated[
    bytes, plain("GivenDigest", LargeBinary(), "SHA-256 of what a caller sent", SHA_256, bundles=NONE)
]
Scopes = Annotated[
    list[str],
    plain(
        "Scopes",
        ARRAY(Text()),
        "what a key may do",
        f"cardinality(VALUE) > 0 AND VALUE <@ ARRAY['{Scope.WRITE}', '{Scope.READ}']",
        bundles=NONE,
    ),
]
Serials = Annotated[list[int], plain("Serials", ARRAY(BigInteger()), "numbers that name rows", bundles=NONE)]


class ApiKey(PlatformRow, because="it is looked up before anybody knows whose it is; no login reads it"):
    """One key of a business to the HTTP API; its secret is nowhere, only a digest of it."""

    __tablename__ = "api_keys"
    __life__ = Life(
        category=Category.ENGINE,
        links=(NoOne(because="it is a business's, named by a word of its operators"),),
        after_cancellation=(Delete(),),
        ends=WhileActive(),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    business_id: Mapped[Id]
    name: Mapped[Word]
    digest: Mapped[SecretDigest]
    scopes: Mapped[Scopes]
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)
    expires_at: Mapped[Moment | None]
    revoked_at: Mapped[Moment | None]
    last_used_at: Mapped[Moment | None]
    per_minute: Mapped[Number] = mapped_column(server_default=text("600"))
    paced_until: Mapped[Moment] = mapped_column(server_default=NOW)

    __table_args__ = (
        CheckConstraint("per_minute > 0", name="some_per_minute"),
        Index("api_keys_of_business", "business_id"),
        CheckConstraint(NOT_THE_HOUSE, name="not_the_house"),
        # Written at each request: in place.
        {"schema": "ledger", "postgresql_with": {"fillfactor": "50"}},
    )


class IdempotencyKey(PlatformRow, because="it belongs to a request; no login reads it"):
    """One request that was answered, so that its repetition is answered the same and enqueues nothing."""

    __tablename__ = "idempotency_keys"
    __life__ = Life(
        category=Category.ENGINE,
        # A caller may have made its key of anything, a number too: so it is hashed, and gone in a day.
        links=(NoOne(because="it holds digests and the ids of jobs"),),
        after_cancellation=(Delete(),),
        ends=Expires(after=timedelta(hours=24), since="created_at"),
    )

    business_id: Mapped[Id] = mapped_column(primary_key=True)
    digest: Mapped[GivenDigest] = mapped_column(primary_key=True)
    request: Mapped[GivenDigest]
    job_ids: Mapped[Serials] = mapped_column(server_default=text("'{}'"))
    batch_id: Mapped[Id | None]
    created_at: Mapped[Moment] = mapped_column(server_default=NOW)

    __table_args__ = (
        Index("idempotency_keys_by_age", "created_at"),
        {"schema": "ledger"},
    )


__all__ = ["ApiKey", "IdempotencyKey", "Scope"]
