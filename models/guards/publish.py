"""The map written into the database: each guard with the catalog's wording of it, each entry, each whole map."""

import json

from sqlalchemy import Connection, text

from models.data_map import once
from models.entries import canonical, entries, fingerprint
from models.guards.by_hand import BY_HAND
from models.guards.guard import Guard


@once
class Kept:
    """A guard as it was when it was last made."""

    sha: str | None
    drop: str | None
    drifted: bool


def kept_guards(db: Connection) -> dict[str, Kept]:
    """Return the guards that were made before, by entry; none in a new database."""
    if db.scalar(text("SELECT to_regprocedure('nexara.guards_found()') IS NULL")):
        return {}
    found = db.execute(
        text("""
            SELECT d.entry, d.says ->> 'sha', d.says ->> 'drop',
                   d.rendered IS DISTINCT FROM encode(sha256(convert_to(f.rendered, 'UTF8')), 'hex')
            FROM nexara.data_map d LEFT JOIN nexara.guards_found() f USING (entry)
            WHERE d.sort = 'guard'
        """)
    )
    return {entry: Kept(sha=sha, drop=drop, drifted=drifted) for entry, sha, drop, drifted in found}


def publish_guards(db: Connection, wanted: dict[str, Guard]) -> None:
    """Keep the catalog's wording of every guard that is ours."""
    says = {entry: {"sha": guard.sha, "drop": guard.drop} for entry, guard in wanted.items()}
    says |= {entry: {} for entry in BY_HAND}
    db.execute(
        text("""
            INSERT INTO nexara.data_map (entry, sort, says, rendered)
            SELECT w.entry, 'guard', w.says, encode(sha256(convert_to(f.rendered, 'UTF8')), 'hex')
            FROM (SELECT key AS entry, value AS says FROM jsonb_each(CAST(:says AS jsonb))) w
            LEFT JOIN nexara.guards_found() f USING (entry)
            WHERE f.entry IS NOT NULL OR w.entry LIKE 'file %'
            ON CONFLICT (entry) DO UPDATE SET says = excluded.says, rendered = excluded.rendered
            WHERE (data_map.says, data_map.rendered) IS DISTINCT FROM (excluded.says, excluded.rendered)
        """),
        {"says": json.dumps(says)},
    )
    gone = text("DELETE FROM nexara.data_map WHERE sort = 'guard' AND NOT entry = ANY(:entries)")
    db.execute(gone, {"entries": list(says)})


def publish_map(db: Connection) -> None:
    """Write the map as it is now, and keep this whole version of it under its fingerprint."""
    said = entries()
    db.execute(
        text("""
            INSERT INTO nexara.data_map (entry, sort, says)
            SELECT key, value ->> 0, value -> 1 FROM jsonb_each(CAST(:said AS jsonb))
            ON CONFLICT (entry) DO UPDATE SET sort = excluded.sort, says = excluded.says
            WHERE (data_map.sort, data_map.says) IS DISTINCT FROM (excluded.sort, excluded.says)
        """),
        {"said": json.dumps({name: [sort, says] for name, (sort, says) in said.items()})},
    )
    gone = text("DELETE FROM nexara.data_map WHERE sort <> 'guard' AND NOT entry = ANY(:entries)")
    db.execute(gone, {"entries": list(said)})
    db.execute(
        text("""
            INSERT INTO nexara.data_map_versions (fingerprint, body) VALUES (:fingerprint, CAST(:body AS jsonb))
            ON CONFLICT DO NOTHING
        """),
        {"fingerprint": fingerprint(said), "body": canonical(said)},
    )
