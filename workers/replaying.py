"""Reading the journal of erasures from the bucket."""

from collections.abc import Iterator

from lifecycle.journal import PREFIX, Entry
from settings import Settings
from workers.wiring import vendors


def journal(settings: Settings) -> Iterator[Entry]:
    """Yield every entry of the journal; raises ValueError for one that is none."""
    objects = vendors(settings).objects
    keys = sorted({each.key for each in objects.held(PREFIX) if each.form in ("object", "version")})
    for key in keys:
        yield Entry.model_validate_json(objects.get(key))
