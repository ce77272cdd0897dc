"""Whom an erasure means: found out once, confirmed by somebody, and frozen. What comes later reads that alone.

What was typed leads to a person only if it is nobody else's. A person leads to all that they are reached by and to
those whom the business took for the same; there it stops: whoever else has one of these numbers may be their mother.
"""

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lifecycle.known import Known, holders, is_customer, known, merged, own_lines, ways
from lifecycle.meant import country_of, root_of, tables
from lifecycle.paths import row_of
from lifecycle.spelling import DIGITS, forms, normal
from models.data_map import About, Who
from models.erasures import ASKED, Decision, Erasure, ErasureScope, ErasureState, Evidence, Scope


class NotDecided(ValueError):
    """An erasure cannot be confirmed yet; the message says what is missing."""


def resolve(db: Session, erasure: Erasure, identifiers: Sequence[str]) -> None:
    """Write into the scope of an erasure whom it means; what is shared, or nobody's, waits for a decision.

    `identifiers` are what a person is reached by, as somebody typed it. Raises ValueError once it is confirmed.
    """
    if erasure.state is not ErasureState.RESOLVING:
        raise ValueError(f"whom an erasure means is found out while it is resolving; this one is {erasure.state}")
    finding = Finding(db, erasure)
    root = erasure.root_id
    if erasure.scope is Scope.BUSINESS:
        finding.row(root_of(erasure.scope).name, erasure.business_id, Evidence.ASKED)
    elif erasure.scope is Scope.MEMBER and root is not None:
        finding.humans(Who.MEMBER, [root], Evidence.ASKED)
    elif erasure.scope in (Scope.PERSON, Scope.COMMUNICATIONS):
        if root is not None:
            finding.humans(Who.PERSON, [root], Evidence.ASKED)
        finding.typed(identifiers)
    elif root is not None and finding.is_there(root):
        finding.row(root_of(erasure.scope).name, root, Evidence.ASKED)
        finding.behind(root)


def confirm(db: Session, erasure: Erasure, by: UUID | None) -> None:
    """Freeze whom an erasure means; raises NotDecided while something of it waits, or when it means nobody."""
    if erasure.state is not ErasureState.RESOLVING:
        raise NotDecided(f"the erasure is {erasure.state}")
    of_it = ErasureScope.erasure_id == erasure.id
    waits = db.scalar(select(func.count()).where(of_it, ErasureScope.decision == Decision.REVIEW))
    if db.scalar(select(exists().where(of_it, ErasureScope.source == ASKED))):
        raise NotDecided("whom it means is still being found out: ask again in a moment")
    if waits:
        raise NotDecided(f"somebody has to decide first about {waits} rows: whether what is shared is meant")
    if erasure.scope is not Scope.BUSINESS and not db.scalar(
        select(exists().where(of_it, ErasureScope.decision == Decision.INCLUDE))
    ):
        raise NotDecided("it means nobody: nothing was found")
    erasure.state = ErasureState.CONFIRMED
    erasure.confirmed_at = db.scalar(select(func.now()))
    erasure.asked_by = erasure.asked_by or by
    db.flush()


class Finding:
    """The rows of one erasure's scope, as they are found."""

    def __init__(self, db: Session, erasure: Erasure) -> None:
        self.db, self.erasure = db, erasure
        self.country = country_of(db, erasure.business_id)

    def typed(self, identifiers: Sequence[str]) -> None:
        """Find the people whom somebody named by what they are reached by."""
        for told in identifiers:
            found = holders(self.db, Who.PERSON, forms(told, self.country))
            people = merged(self.db, [each.human for each in found]) if found else set()
            if not people:
                # Nobody has it: a slip, or somebody whom others' texts alone name.
                source, value = next(ways(Who.PERSON)).table.name, normal(told, self.country)
                self.row(source, uuid4(), Evidence.ASKED, Decision.REVIEW, value)
            elif merged(self.db, [found[0].human]) == people:
                self.humans(Who.PERSON, [found[0].human], Evidence.IDENTIFIER)
            else:
                for each in sorted({each.human for each in found}):
                    self.humans(Who.PERSON, [each], Evidence.IDENTIFIER, Decision.REVIEW)

    def humans(self, who: Who, ids: Sequence[UUID], evidence: Evidence, decision: Decision = Decision.INCLUDE) -> None:
        """Add human beings, whoever they were taken for the same as, and all that they are reached by."""
        everybody = merged(self.db, ids) if who is Who.PERSON else set(ids)
        reached_by = known(self.db, who, sorted(everybody))
        if not self._was_ever(who, everybody):
            return
        shared = decision is Decision.REVIEW
        mine = own_lines(self.db, [form for each in reached_by for form in forms(each.value, self.country)])
        # What stands in their own row is looked for if it is theirs alone; the row is meant either way.
        own = {each.row_id: each for each in reached_by if each.source == who}
        for human in sorted(everybody):
            way = own.get(human)
            alone = way is not None and self._standing(who, way, everybody, mine) == (Decision.INCLUDE, False)
            found_by = evidence if human in ids else Evidence.MERGED
            self.row(str(who), human, found_by, decision, way.value if way and alone else None, shared=shared)
        for each in reached_by:
            standing, is_shared = self._standing(who, each, everybody, mine)
            if each.row_id not in own:
                judged = standing if decision is Decision.INCLUDE else decision
                self.row(each.source, each.row_id, Evidence.OWN, judged, each.value, shared=is_shared)

    def behind(self, root: UUID) -> None:
        """Add the person whose browser this is; whom the business knows otherwise is not meant, unless so decided."""
        table = root_of(self.erasure.scope)
        for link in row_of(table).__life__.links:
            if isinstance(link, About) and link.who is Who.PERSON:
                human = self.db.scalar(select(table.c[link.column]).where(table.c.id == root))
                if human is not None:
                    self.humans(Who.PERSON, [human], Evidence.OWN, self._nobody_else(human))

    def row(
        self,
        source: str,
        row_id: UUID,
        evidence: Evidence,
        decision: Decision = Decision.INCLUDE,
        value: str | None = None,
        *,
        shared: bool = False,
    ) -> None:
        """Add one row; the first finding of it stands."""
        told = {"source": source, "row_id": row_id, "evidence": evidence, "decision": decision, "value": value}
        about = {"business_id": self.erasure.business_id, "erasure_id": self.erasure.id, "shared": shared}
        self.db.execute(insert(ErasureScope).values(**told, **about).on_conflict_do_nothing())

    def is_there(self, root: UUID) -> bool:
        """Whether the root is a row of this business."""
        table = root_of(self.erasure.scope)
        return self.db.scalar(select(table.c.id).where(table.c.id == root)) is not None

    def _standing(self, who: Who, each: Known, everybody: set[UUID], mine: set[str]) -> tuple[Decision, bool]:
        """Say whether what somebody is reached by is theirs, and whether somebody else has it too."""
        alike = forms(each.value, self.country)
        shared = any(other.human not in everybody for other in holders(self.db, who, alike))
        if mine & set(alike):
            return Decision.EXCLUDE, shared  # calling from the business's own line makes it nobody's own
        return (Decision.REVIEW if shared else Decision.INCLUDE), shared

    def _was_ever(self, who: Who, ids: set[UUID]) -> bool:
        table = tables()[who]
        return self.db.scalar(select(table.c.id).where(table.c.id.in_(ids)).limit(1)) is not None

    def _nobody_else(self, human: UUID) -> Decision:
        reached_by = known(self.db, Who.PERSON, sorted(merged(self.db, [human])))
        named = any("@" in each.value or DIGITS.fullmatch(each.value) for each in reached_by)
        return Decision.EXCLUDE if named or is_customer(self.db, human) else Decision.INCLUDE
