"""`nexara doctor`: what is configured, what is reachable, what is wrong, and how to mend it."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

import click
import redis
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from jobs.registry import load
from ledger import clock
from ledger.contract import missing
from ledger.errors import JobError, Misconfigured
from ledger.queries import OpenTransaction, read_oldest
from lifecycle.alarms import Alarm, alarms
from settings import Settings
from workers.bell import connect
from workers.reach import malformed, reason, redis_malformed
from workers.wiring import engine, vendors

SEES_ALL = text("SELECT pg_has_role('nexara_ledger', 'pg_read_all_stats', 'USAGE')")
UNMAPPED = text("SELECT thing, wrong FROM nexara.unmapped()")
SHOWN = 5
KEYS = {
    "twilio": "TWILIO_ACCOUNT_SID",
    "telnyx": "TELNYX_API_KEY",
    "vapi": "VAPI_API_KEY",
    "elevenlabs": "ELEVENLABS_API_KEY",
    "meta": "META_ACCESS_TOKEN",
    "dialog360": "DIALOG360_API_KEY",
    "google": "GOOGLE_CLIENT_ID",
    "supabase": "SUPABASE_SECRET_KEY",
    "lemon_squeezy": "LEMON_SQUEEZY_API_KEY",
}
"""What is set first of a vendor; unset, the vendor is not used, which is well where no kind of job must have it."""
VENDORS = ("objects", "deepgram", "anthropic", "resend", *KEYS)
OLDEST_REDIS = (7, 0)
OLDEST_POSTGRES = 150000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `mend` says what to do where it is not well."""

    what: str
    well: bool
    found: str
    mend: str = ""


def doctor(settings: Settings, *, as_json: bool) -> int:
    """Look at everything and print it; returns 0 if all is well, else 1."""
    findings = list(examine(settings))
    for finding in findings:
        if as_json:
            click.echo(json.dumps(asdict(finding)))
            continue
        sign = click.style("ok  ", fg="green") if finding.well else click.style("BAD ", fg="red")
        click.echo(f"{sign} {finding.what:<22} {finding.found}")
        if finding.mend:
            click.echo(f"     {'':<22} → {finding.mend}")
    return 0 if all(finding.well for finding in findings) else 1


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at one thing after the other; nothing that is down keeps the rest from being looked at."""
    yield from _database(settings)
    yield from _dashboard(settings)
    yield _redis(settings)
    with closing(vendors(settings)) as given:
        kinds = (job.payload.terms for job in load())
        needed = {name for terms in kinds if not terms.may_lack for name in terms.vendors}
        for name in VENDORS:
            unset = None if name in needed else KEYS.get(name)
            yield _vendor(name, lambda name=name: getattr(given, name).check(), may_lack=unset)  # type: ignore[misc]
    dsn = settings.sentry_dsn.get_secret_value()
    yield Finding("SENTRY_DSN", well=True, found="set" if dsn else "not set: nothing is reported")


def _database(settings: Settings) -> Iterator[Finding]:
    if not settings.database_url:
        yield Finding("DATABASE_URL", well=False, found="not set", mend="set it to PostgreSQL as nexara_worker")
        return
    if fault := malformed(settings.database_url):
        yield _malformed("DATABASE_URL", fault)
        return
    database = engine(settings.database_url, 1)
    try:
        with database.connect() as db:
            yield from _inside(db)
    except SQLAlchemyError as error:
        yield _unreachable("DATABASE_URL", error)
    finally:
        database.dispose()


def _inside(db: Connection) -> Iterator[Finding]:
    version = int(db.execute(text("SHOW server_version_num")).scalar_one())
    yield Finding(
        "PostgreSQL",
        well=version >= OLDEST_POSTGRES,
        found=f"version {version // 10000}.{version % 10000}",
        mend="" if version >= OLDEST_POSTGRES else "use PostgreSQL 15 or newer",
    )
    role = db.execute(
        text("SELECT rolname, rolsuper OR rolbypassrls AS free FROM pg_roles WHERE rolname = current_user")
    ).one()
    yield Finding(
        "role of the worker",
        well=not role.free and role.rolname == "nexara_worker",
        found=role.rolname + (" (passes by row-level security)" if role.free else ""),
        mend=""
        if role.rolname == "nexara_worker"
        else "log in as nexara_worker: another role voids the tenants' walls",
    )
    migrated = db.execute(text("SELECT to_regclass('ledger.job_kinds')")).scalar()
    unknown = missing(db, load()) if migrated else ["all of them"]
    yield Finding(
        "kinds of jobs",
        well=not unknown,
        found="all known" if not unknown else f"unknown: {', '.join(unknown)}",
        mend="" if not unknown else "run `nexara migrate`",
    )
    if migrated:
        yield told_of(read_oldest(db), sees_all=bool(db.execute(SEES_ALL).scalar_one()))
        yield from _retention(alarms(db, clock.now()))
        yield _mapped(db)


def told_of(oldest: OpenTransaction | None, *, sees_all: bool = True) -> Finding:
    """Judge the oldest transaction: a forgotten one keeps the ledger's dead rows, and makes every pick slower."""
    so_far = "" if sees_all else "; other roles' are not seen"
    grant = "" if sees_all else "to see all, as a superuser: GRANT pg_read_all_stats TO nexara_ledger"
    if oldest is None:
        return Finding("oldest transaction", well=True, found=f"none is open{so_far}", mend=grant)
    age = f"{oldest.age.total_seconds():.0f} s, {oldest.role or 'nobody'}'s, {oldest.state or 'active'}"
    mend = f"if nobody needs it, as a superuser: {oldest.mend}" if oldest.too_old else grant
    return Finding("oldest transaction", well=not oldest.too_old, found=age + so_far, mend=mend)


def _mapped(db: Connection) -> Finding:
    """Say what the database has and the data map does not know: it may hold anything, and no erasure is completed."""
    things = [f"{thing} {wrong}" for thing, wrong in db.execute(UNMAPPED)]
    told = "; ".join(things[:SHOWN]) + (f"; and {len(things) - SHOWN} more" if len(things) > SHOWN else "")
    return Finding(
        "data map",
        well=not things,
        found=told or "the database is what it says",
        mend="give it its place in models/, or take it out; `nexara migrate` mends policies, views, triggers and rights"
        if things
        else "",
    )


def _retention(found: tuple[Alarm, ...]) -> Iterator[Finding]:
    """Say what should be gone and is not; data that nobody misses is missed by nobody."""
    for alarm in found:
        yield Finding("retention", well=False, found=alarm.title, mend=alarm.advice)
    if not found:
        yield Finding("retention", well=True, found="whoever left is erased by their day")


def _dashboard(settings: Settings) -> Iterator[Finding]:
    if not settings.dashboard_database_url:
        yield Finding(
            "DASHBOARD_DATABASE_URL", well=False, found="not set", mend="set it to PostgreSQL as nexara_dashboard"
        )
        return
    if fault := malformed(settings.dashboard_database_url):
        yield _malformed("DASHBOARD_DATABASE_URL", fault)
        return
    database = engine(settings.dashboard_database_url, 1)
    try:
        with database.connect() as db:
            alive = db.execute(
                text("SELECT count(*) FROM ledger.workers WHERE heartbeat_at > now() - interval '6 s'")
            ).scalar_one()
            dead = db.execute(text("SELECT count(*) FROM ledger.jobs WHERE state = 'dead'")).scalar_one()
            parked = db.execute(text("SELECT count(*) FROM ledger.jobs WHERE state = 'parked'")).scalar_one()
        yield Finding("workers", well=alive > 0, found=f"{alive} alive", mend="" if alive else "start `nexara worker`")
        yield Finding(
            "jobs that need you",
            well=not dead and not parked,
            found=f"{dead} dead, {parked} parked",
            mend="" if not dead and not parked else "`nexara jobs list --state dead` and `--state parked`",
        )
    except SQLAlchemyError as error:
        yield _unreachable("DASHBOARD_DATABASE_URL", error)
    finally:
        database.dispose()


def _redis(settings: Settings) -> Finding:
    if not settings.redis_url:
        return Finding("REDIS_URL", well=False, found="not set", mend="set it to Redis 7 or Valkey")
    if fault := redis_malformed(settings.redis_url):
        return _malformed("REDIS_URL", fault)
    try:
        with connect(settings.redis_url) as client:
            server: dict[str, Any] = client.info("server")
            config: dict[str, Any] = client.config_get("maxmemory-policy")
        told = str(server.get("redis_version", "0.0"))
        policy = str(config.get("maxmemory-policy", "unknown"))
    except (redis.RedisError, OSError) as error:
        return _unreachable("REDIS_URL", error)
    if tuple(int(part) for part in told.split(".")[:2]) < OLDEST_REDIS:
        return Finding("Redis", well=False, found=f"version {told}", mend="use Redis 7 or Valkey: BLMPOP is needed")
    if policy != "noeviction":
        mend = "set maxmemory-policy noeviction: evicted ids are only found again seconds later"
        return Finding("Redis", well=False, found=f"version {told}, {policy}", mend=mend)
    return Finding("Redis", well=True, found=f"version {told}, {policy}")


def _vendor(name: str, check: Callable[[], None], *, may_lack: str | None) -> Finding:
    try:
        check()
    except JobError as error:
        if isinstance(error, Misconfigured) and (error.code, error.setting) == ("setting_missing", may_lack):
            return Finding(name, well=True, found=f"{error.message}: this vendor is not used")
        mend = getattr(error, "setting", "") and f"mend {error.setting}"  # type: ignore[attr-defined]
        return Finding(name, well=False, found=error.message or error.code, mend=mend or "try again in a moment")
    return Finding(name, well=True, found="answers")


def _unreachable(setting: str, error: Exception) -> Finding:
    """Say that a server does not answer; its own words may hold the address with the password."""
    return Finding(
        setting, well=False, found=reason(error), mend=f"check the address in {setting}, and that the server runs"
    )


def _malformed(setting: str, fault: str) -> Finding:
    return Finding(setting, well=False, found=fault, mend=f"write {setting} anew")
