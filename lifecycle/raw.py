"""What lies in tables of no tenant and names whom an erasure means: found as it is spelled, by the database.

No job sees these tables. The function acts for the job's own business: rows that are its, or nobody's yet. With a whole
business goes what the ledger has of it: keys, pauses, limits, batches.
"""

from collections import Counter

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.orm import Session

from lifecycle.meant import Meant, country_of
from lifecycle.spelling import spelled
from models.erasures import Erasure, Scope

RAW = text("SELECT source, gone FROM nexara.forget_raw_v1(:erasure, :pattern, :addresses, :most, :look)").bindparams(
    bindparam("addresses", type_=ARRAY(Text()))
)

OF_LEDGER = text("SELECT source, gone FROM ledger.forget_business_v1(:look)")


def forget_raw(db: Session, erasure: Erasure, what: Meant, *, most: int) -> Counter[str]:
    """Delete at most `most` rows of each such table; returns how many went, by table."""
    return _ask(db, erasure, what, most=most, look=False)


def raw_left(db: Session, erasure: Erasure, what: Meant) -> Counter[str]:
    """Count the rows of such tables that name whom the erasure means, by table."""
    return _ask(db, erasure, what, most=0, look=True)


def _ask(db: Session, erasure: Erasure, what: Meant, *, most: int, look: bool) -> Counter[str]:
    if what.scope is Scope.RECORDING or (what.scope is not Scope.BUSINESS and not what.values):
        return Counter()
    country = country_of(db, what.business_id)
    ways = [way for value in what.values if (way := spelled(value, country)) is not None]
    told = {
        "erasure": erasure.id,
        "pattern": "|".join(f"(?:{way.exact})" for way in ways),
        "addresses": [value for value in what.values if "@" in value],
        "most": most,
        "look": look,
    }
    found = Counter({source: gone for source, gone in db.execute(RAW, told) if gone})
    if what.scope is Scope.BUSINESS:
        found.update({source: gone for source, gone in db.execute(OF_LEDGER, {"look": look}) if gone})
    return found
