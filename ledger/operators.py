"""Who there is of operators, and what an admin does with them; each raises Refused with what to do instead."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from ledger.operate import Refused, ask
from ledger.passwords import WeakPassword, hash_of
from models.operators import Role

LIST = text("SELECT * FROM ledger.list_operators_v1()")
ADD = text("SELECT ledger.add_operator_v1(:name, :role, :password)")
FIRST = text("SELECT ledger.first_admin_v1(:name, :password)")
ROLE = text("SELECT ledger.set_operator_role_v1(:name, :role)")
PASSWORD = text("SELECT ledger.set_operator_password_v1(:name, :password, :but_for)")
DISABLE = text("SELECT ledger.disable_operator_v1(:name, :disable)")
END_SESSIONS = text("SELECT ledger.end_sessions_v1(:name, :but_for)")


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator: what they may do, how they sign in, and in how many browsers they are signed in now."""

    name: str
    role: Role
    by_password: bool
    created_at: datetime
    signed_in_at: datetime | None
    disabled_at: datetime | None
    sessions: int


def list_operators(db: Connection) -> list[Operator]:
    """Return all operators by name, the disabled last."""
    return [Operator(row.name, Role(row.role), *row[2:]) for row in db.execute(LIST)]


def find_operator(db: Connection, name: str) -> Operator:
    """Return one operator; raises Refused if there is none of this name."""
    for operator in list_operators(db):
        if operator.name == name.strip().lower():
            return operator
    raise Refused(f"there is no operator {name}")


def add(db: Connection, name: str, role: str, password: str | None) -> None:
    """Add an operator; without a password they cannot sign in until one is set."""
    ask(db, ADD, {"name": name, "role": role, "password": None if password is None else _hash(password, name)})


def add_first_admin(db: Connection, name: str, password: str) -> bool:
    """Add an admin if there is no operator at all; returns whether that was so."""
    return bool(ask(db, FIRST, {"name": name, "password": _hash(password, name)}))


def set_role(db: Connection, name: str, role: str) -> Role:
    """Give an operator another role, from their next request on; returns the one before."""
    return Role(ask(db, ROLE, {"name": name, "role": role}))


def set_password(db: Connection, name: str, password: str, but_for: bytes | None = None) -> None:
    """Give an operator another password, and end their sessions, but for the one with this digest."""
    ask(db, PASSWORD, {"name": name, "password": _hash(password, name), "but_for": but_for})


def disable(db: Connection, name: str, *, disable: bool = True) -> bool:
    """Let an operator in no more, or in again; returns whether that changed anything."""
    return bool(ask(db, DISABLE, {"name": name, "disable": disable}))


def end_sessions(db: Connection, name: str, but_for: bytes | None = None) -> int:
    """Sign an operator out everywhere, but for the session with this digest; returns of how many."""
    return int(ask(db, END_SESSIONS, {"name": name, "but_for": but_for}))


def _hash(password: str, name: str) -> str:
    try:
        return hash_of(password, name.strip())
    except WeakPassword as weak:
        raise Refused(str(weak)) from None
