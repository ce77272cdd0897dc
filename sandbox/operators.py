"""Who signs in to the sandbox's dashboard: an admin, and somebody who may only look."""

from collections.abc import Mapping

from sqlalchemy import create_engine

from ledger import operators
from ledger.audit import Actor, record
from models.operators import Role

SANDBOX = Actor("the sandbox", Role.CLI)
ROLES = {"oncall": Role.ADMIN, "looker": Role.VIEWER}


def let_in(dashboard_url: str, passwords: Mapping[str, str]) -> None:
    """Make the sandbox's operators with these passwords; a kept database may know them with those of its last run."""
    engine = create_engine(dashboard_url)
    try:
        with engine.begin() as db:
            known = {operator.name for operator in operators.list_operators(db)}
            for name, password in passwords.items():
                if name in known:
                    operators.set_password(db, name, password)
                else:
                    operators.add(db, name, ROLES[name], password)
                record(
                    db, SANDBOX, "operators.password" if name in known else "operators.add", about={"operator": name}
                )
    finally:
        engine.dispose()
