"""What people did by hand: one row each action, which nobody changes and nobody takes away before its time."""

from typing import Annotated

from sqlalchemy import ARRAY, BigInteger, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.answers import of
from models.base import PlatformRow
from models.data_map import Because, Category, Expires, Keep, Life, Matching
from models.forms import code
from models.kinds import NONE, Moment, Word, plain
from models.ledger import Ids, OwnWords, Serial
from models.operators import OperatorName, Role
from models.periods import AUDIT

JobIds = Annotated[list[int], plain("JobIds", ARRAY(BigInteger()), "numbers of jobs", bundles=NONE)]
KEPT = Keep(
    because=Because.SECURITY,
    only=("at", "who", "role", "action", "why", "about", "jobs", "before", "after"),
    until="24 months after the action",
)


class Audit(PlatformRow, because="on-call acts across businesses; a row names jobs and ids, never a business's people"):
    """One action of a human being on the engine: who, what, why, on which jobs, before and after."""

    __tablename__ = "audit"
    __life__ = Life(
        category=Category.ENGINE,
        links=(Matching(column="who", finds="operators.name", then=(KEPT,)),),
        after_cancellation=(KEPT,),
        ends=Expires(after=AUDIT, since="at"),
        event_time="at",
        restricted="shown",
    )

    id: Mapped[Serial] = mapped_column(Identity(), primary_key=True)
    at: Mapped[Moment] = mapped_column(server_default=text("clock_timestamp()"))
    who: Mapped[OperatorName] = mapped_column(info=of("who"))
    role: Mapped[Role] = code(Role)
    action: Mapped[Word]
    why: Mapped[OwnWords | None]
    about: Mapped[Ids] = mapped_column(server_default=text("'{}'"))
    jobs: Mapped[JobIds] = mapped_column(server_default=text("'{}'"))
    before: Mapped[Ids | None]
    after: Mapped[Ids | None]

    __table_args__ = (
        Index("audit_of_job", "jobs", postgresql_using="gin"),
        Index("audit_of_operator", "who", "id"),
        Index("audit_of_action", "action", "id"),
        Index("audit_by_time", "at", "id"),
        {"schema": "ledger"},
    )
