"""The places of an audit, made of the settings: what is not set up is a probe that could not run."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from sqlalchemy import create_engine, text

from lifecycle.audit.copies import Copies, Copy, Gone
from lifecycle.audit.envelopes import Envelopes
from lifecycle.audit.files import Files
from lifecycle.audit.keys import Keys
from lifecycle.audit.needles import Kind, Subject
from lifecycle.audit.objects import Objects
from lifecycle.audit.probe import Probe
from lifecycle.audit.report import Finding
from lifecycle.audit.search import Search
from lifecycle.audit.statistics import Statistics
from lifecycle.audit.tables import Tables
from models.named import of_bucket, of_redis
from providers.stored import Account
from settings import Settings
from workers.bell import connect
from workers.reach import reaching
from workers.wiring import vendors

ASKED = {
    **{name: name for name in ("twilio", "telnyx", "vapi", "elevenlabs", "meta")},
    **{name: name for name in ("supabase", "resend", "lemon_squeezy")},
    "360dialog": "dialog360",
}
"""The vendors that tell whether a copy is gone by its id alone, by the store's name: the name of the client."""
CANNOT = {
    "google": "an event is read with the access that a member gave, and that is given back last",
    "meta message": "no call reads a message",
    "360dialog message": "no call reads a message",
    **{f"telnyx {what}": "no call says whether it is deleted: it lapses" for what in ("call", "message", "media")},
    "resend mail": "no call deletes a sent mail: it lapses",
    "deepgram": "no call reads what it was sent: the contract holds it",
    "anthropic": "no call reads what it was sent: the contract holds it",
    "vercel": "no call searches its logs: the contract holds it",
}
"""What nobody can ask for, and why."""
SALTS = text(
    "SELECT secret FROM nexara.salts WHERE CAST(:business AS uuid) IS NULL OR business_id = :business ORDER BY id"
)


class NotSetUp:
    """A probe that cannot run, and why."""

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        self._why = why

    def scan(self, search: Search) -> Finding:  # noqa: ARG002 - as every probe
        """Say so."""
        finding = Finding(self.name, "could not be read", "places")
        finding.cannot(self.name, self._why)
        return finding

    def planted(self, search: Search) -> Finding:
        """Nothing can be planted: that it cannot run says enough."""
        finding = Finding(self.name, "", "")
        finding.expect(self.name, search, lambda _: False)
        return finding


class Places:
    """Everything that can be read, for as long as the block lasts."""

    def __init__(
        self, settings: Settings, subjects: Sequence[Subject], logs: Sequence[Path], envelopes: Sequence[Path]
    ) -> None:
        self._settings = settings
        self._subjects = subjects
        self._logs = logs
        self._envelopes = envelopes
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(reaching("DATABASE_ADMIN_URL", self._settings.database_admin_url))
        self._engine = create_engine(self._settings.database_admin_url, connect_args={"prepare_threshold": None})
        self._open.callback(self._engine.dispose)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._open.__exit__(kind, error, trace)

    def salts(self, business: UUID | None) -> list[bytes]:
        """Return the salts of one business, or of all."""
        with self._engine.connect() as db:
            return [bytes.fromhex(salt) for salt in db.scalars(SALTS, {"business": business})]

    def probes(self) -> Iterator[Probe]:
        """Yield every probe, the ones that cannot run too."""
        yield Tables(self._engine)
        yield Statistics(self._engine)
        yield self._redis()
        yield self._objects()
        yield Files(self._logs) if self._logs else NotSetUp("logs", "no log was named: --log")
        yield (
            Envelopes(self._envelopes) if self._envelopes else NotSetUp("sentry", "no envelope was named: --envelopes")
        )
        yield self._vendors()

    def _redis(self) -> Probe:
        if not self._settings.redis_url:
            return NotSetUp("redis", "REDIS_URL is not set")
        try:
            first = self._open.enter_context(connect(self._settings.redis_url))
            used: Mapping[str, Any] = first.info("keyspace")
            mine = first.connection_pool.connection_kwargs.get("db") or 0
            clients = {f"database {mine}": first}
            for name in sorted(used):
                number = int(name.removeprefix("db"))
                if number != mine:
                    clients[f"database {number}"] = self._open.enter_context(self._beside(number))
        except Exception as error:  # noqa: BLE001 - whatever it is, it cannot be read
            return NotSetUp("redis", type(error).__name__)
        prefix = self._settings.redis_prefix
        return Keys(clients, prefix, lambda key: of_redis(key, prefix))

    def _beside(self, number: int) -> Any:
        client = connect(self._settings.redis_url)
        client.connection_pool.connection_kwargs["db"] = number
        return client

    def _objects(self) -> Probe:
        given = self._settings
        secret = given.s3_secret_access_key.get_secret_value()
        if not (given.s3_access_key_id and secret):
            return NotSetUp("objects", "S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY are not set")
        account = Account(
            endpoint=given.s3_endpoint_url,
            region=given.s3_region,
            keys=(given.s3_access_key_id, secret),
            bucket=given.s3_bucket,
        )
        self._open.callback(account.close)
        return Objects(
            account.listed, account.planted, lambda each: each.bucket != given.s3_bucket or of_bucket(each.key)
        )

    def _vendors(self) -> Probe:
        made = vendors(self._settings)
        self._open.callback(made.close)

        def asking(name: str) -> Gone:
            return lambda what, ref: bool(getattr(made, name).gone(what, ref))

        named = [
            Copy(each.vendor, each.what, each.value) for each in self._subjects if each.kind is Kind.REF and each.what
        ]
        # Whoever has an address may be on the list of those who are mailed; by a number nobody can be asked for.
        mailed = [Copy("resend", "contact", each.value) for each in self._subjects if each.kind is Kind.EMAIL]
        asked = {store: asking(name) for store, name in ASKED.items()}
        return Copies([*named, *mailed], asked, CANNOT)
