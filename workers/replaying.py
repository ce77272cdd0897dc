"""Reading the journal of erasures from the bucket."""

from collections.abc import Iterator

from ledger.errors import GiveUp
from lifecycle.journal import PREFIX, Entry
from settings import Settings
from workers.wiring import vendors


def journal(settings: Settings) -> Iterator[Entry]:
    """Yield every entry of the journal; raises ValueError for one that is none.

    One that ends at this moment, or of which a marker alone is left, is over.
    """
    objects = vendors(settings).objects
    keys = sorted({each.key for each in objects.held(PREFIX) if each.form in ("object", "version")})
    for key in keys:
        try:
            told = objects.get(key)
        except GiveUp as missing:
            if missing.code != "object_missing":
                raise
            continue
        yield Entry.model_validate_json(told)
