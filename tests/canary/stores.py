"""Everything in which something may be left, read as it is: by the catalog, the listing or the vendor's own door."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, make_url, text

from lifecycle.audit.statistics import VIEWS
from sandbox.postgres import Postgres
from sandbox.vendors.holders import APPS
from tests.canary.seeking import Hit, Sought, in_dump
from tests.jobs.house import HTTP, Wire

NAMES = {"dialog360": "360dialog"}
FORGOTTEN = {"cancelled"}
"""Google keeps the id of a deleted event as cancelled: that is what deleting is there."""


def dump(postgres: Postgres, url: str) -> str:
    """Return the whole database as pg_dump writes it."""
    told = make_url(url)
    binary = postgres.binaries / "pg_dump"
    command = [str(binary), "-h", str(told.host), "-p", str(told.port), "-U", str(told.username), str(told.database)]
    env = {"PATH": os.defpath, "PGPASSWORD": str(told.password)}
    return subprocess.run(command, env=env, check=True, capture_output=True, timeout=60).stdout.decode()


def statistics(engine: Engine) -> Iterator[tuple[str, str]]:
    """Yield what the planner remembers of values."""
    with engine.connect() as db:
        for view in ("pg_stats", "pg_stats_ext", "pg_stats_ext_exprs"):
            yield from ((row[0], row[1]) for row in db.execute(text(VIEWS[view])) if row[1])


def objects(client: Any, bucket: str) -> Iterator[tuple[str, str]]:
    """Yield every version, marker and unfinished upload of a bucket: key, what is said of it, and all its bytes."""
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for each in page.get("Versions", []):
            named = {"Bucket": bucket, "Key": each["Key"], "VersionId": each["VersionId"]}
            got = client.get_object(**named)
            tags = client.get_object_tagging(**named)["TagSet"]
            about = f"{each['Key']} {got['Metadata']} {tags} {got.get('ContentDisposition')}"
            yield each["Key"].partition("/")[0], f"{about} {got['Body'].read().decode('utf-8', 'replace')}"
        yield from (("markers", each["Key"]) for each in page.get("DeleteMarkers", []))
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        yield from (("uploads", each["Key"]) for each in page.get("Uploads", []))


def redis(client: Any) -> Iterator[tuple[str, str]]:
    """Yield every key of a database with all that it holds."""
    reads: dict[str, Callable[[str], Any]] = {
        "string": client.get,
        "list": lambda key: client.lrange(key, 0, -1),
        "set": client.smembers,
        "hash": client.hgetall,
        "zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        "stream": client.xrange,
    }
    for key in client.scan_iter():
        kind = client.type(key)
        yield "redis", f"{key!r} {reads[kind.decode() if isinstance(kind, bytes) else kind](key)!r}"


def vendors(wires: dict[str, Wire]) -> Iterator[tuple[str, str]]:
    """Yield all that each vendor's server holds."""
    for name in (*APPS, "resend"):
        for page in ("copies", "held"):
            answer = HTTP.get(f"{wires[name].url}/_sandbox/{page}")
            if answer.is_success and "json" in answer.headers["content-type"]:
                held = answer.json()
                if isinstance(held, list):
                    yield from ((f"{NAMES.get(name, name)} {copy['what']}", str(copy)) for copy in held)
                else:
                    yield from (
                        (f"{NAMES.get(name, name)} {each}", str(held[each])) for each in held.keys() - FORGOTTEN
                    )
    yield "resend mail", HTTP.get(f"{wires['resend'].url}/inbox.json").text


@dataclass
class Stores:
    """All of them, of one run; `logged` and `sent` say what was logged, and what left for Sentry, so far."""

    postgres: Postgres
    engine: Engine
    admin_url: str
    s3: Any
    bucket: str
    redis: Any
    held: list[str]
    wires: dict[str, Wire]
    logged: Callable[[], str]
    sent: Callable[[], str]
    server_log: Path
    log_began: int

    def elsewhere(self, sought: Sought) -> set[Hit]:
        """Return what is in the bucket and at the vendors."""
        return sought.find_all(objects(self.s3, self.bucket)) | sought.find_all(vendors(self.wires))

    def found(self, sought: Sought, spare: str | None = None) -> dict[str, set[Hit]]:
        """Return what is in which store; of the database without the rows that name a business that is to be spared."""
        return {
            "database": in_dump(sought, dump(self.postgres, self.admin_url), spare),
            "statistics": sought.find_all(statistics(self.engine)),
            "objects": sought.find_all(objects(self.s3, self.bucket)),
            "redis": sought.find_all(redis(self.redis)) | sought.find("\n".join(self.held), "redis, while it ran"),
            "vendors": sought.find_all(vendors(self.wires)),
            "logs": sought.find(self.logged(), "log"),
            "sentry": sought.find(self.sent(), "sentry"),
            "server's log": sought.find(self.server_log.read_bytes()[self.log_began :].decode(), "server's log"),
        }
