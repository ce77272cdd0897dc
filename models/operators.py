"""Who is on call: what each may do, and under which name it is written down."""

from enum import StrEnum
from typing import Annotated

from models.kinds import NONE, personal


class Role(StrEnum):
    """What somebody is; see `ledger/audit.py` for what that lets them do."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    PRIVACY_OFFICER = "privacy_officer"
    ADMIN = "admin"
    CLI = "cli"  # whoever runs `nexara` with the dashboard's own login: no operator has this role


ROLES = (Role.VIEWER, Role.OPERATOR, Role.PRIVACY_OFFICER, Role.ADMIN)
"""Those that an operator may have."""

OperatorName = Annotated[
    str,
    personal(
        "OperatorName",
        "the name under which somebody of ours acts",
        bundles=NONE,
        check="length(VALUE) BETWEEN 1 AND 100",
    ),
]
