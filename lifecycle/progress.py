"""How far a batch of an erasure came."""

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(slots=True)
class Progress:
    """What one batch did; `more` says that there may be more to do.

    `rows` counts what went, `changed` what stays and was unlinked, emptied or kept, both by table. `derived` names, by
    table and id, rows that stay and whose derived rows went, to be made anew from what is left. `gone` has the ids of
    the rows that went, by table: nothing else names them any more.
    """

    more: bool = False
    rows: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    derived: list[tuple[str, UUID]] = field(default_factory=list)
    gone: dict[str, list[UUID]] = field(default_factory=dict)
