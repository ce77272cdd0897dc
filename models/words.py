"""The data map in English, for the page that a lawyer reads."""

from datetime import timedelta

from models.data_map import (
    About,
    Because,
    Count,
    CountryPeriod,
    Delete,
    Ending,
    Ends,
    Expires,
    Finds,
    Keep,
    LastOut,
    Link,
    Matching,
    Never,
    NoOne,
    Review,
    Revoke,
    Scrub,
    TenantSays,
    Through,
    Unlink,
    WhileActive,
    Who,
)

HUMAN = {Who.PERSON: "the person", Who.MEMBER: "the member", Who.STAFF: "the employee of ours"}
KNOWN_AS: dict[str, str] = {
    Finds.PHONE: "a telephone number",
    Finds.EMAIL: "an address",
    Finds.VALUE: "an id of theirs",
}
REASONS = {
    Because.LEGAL: "to prove what was done",
    Because.BILLING: "for billing",
    Because.SECURITY: "for security",
    Because.OBJECTION: "to go on honouring an objection",
    Because.CONTROLLER: "because the business must keep it by law; never longer than the business is with us",
}


def whose(link: Link) -> str:
    """Say whom a link concerns."""
    match link:
        case About(column="id", who=who):
            return f"it is {HUMAN[who]}"
        case About(column=column, who=who):
            return f"{HUMAN[who]} in `{column}`"
        case Through(column=column):
            return f"whom its `{column}` concerns"
        case Matching(column=column, finds=Finds.TEXT):
            return f"whomever `{column}` names"
        case Matching(column=column, finds=finds):
            return f"whoever is known by `{column}`, as {KNOWN_AS.get(finds, f'`{finds}`')}"
        case NoOne(because=because):
            return f"no one: {because}"


def on_erasure(link: Link) -> str:
    """Say what becomes of the row when whom it concerns is erased."""
    match link:
        case About(then=then, column=column) | Matching(then=then, column=column):
            return f"`{column}`: " + "; ".join(ending(each) for each in then)
        case Through(column=column, derived=derived):
            return f"`{column}`: goes with it" + ("; made anew when one of several leaves" if derived else "")
        case NoOne():
            return "nothing"


def ending(told: Ending) -> str:
    """Say what an ending does to the row."""
    match told:
        case Delete(when=when):
            said = "is deleted" + _when(when)
        case Scrub(when=when):
            said = "stays, its personal columns emptied" + _when(when)
        case Unlink():
            said = "stays and forgets who it was"
        case Review():
            said = "is put before a person, and nothing is called completed until they have looked"
        case LastOut(among=among):
            said = "is deleted with its last subject" + (f" (the others are in {', '.join(among)})" if among else "")
        case Keep(because=because, only=only, until=until, when=when):
            said = f"{', '.join(f'`{column}`' for column in only)} stay {REASONS[because]}, until {until}" + _when(when)
        case Count(into=into, people=people, businesses=businesses):
            said = f"is counted into {into} (of {people} people and {businesses} businesses at least)"
        case Revoke(at=at):
            said = f"our access at its `{at}` is revoked"
    return said


def end(told: Ends) -> str:
    """Say when a row ends though nobody asks."""
    match told:
        case Expires(after=after, since=since):
            return f"{days(after)} after `{since}`"
        case TenantSays(setting=setting, since=since):
            return f"after the business's own `{setting}`, from `{since}`; never, if it set none"
        case WhileActive():
            return "with the account"
        case CountryPeriod(because=because, since=since):
            return f"by the country's period {REASONS[because]}, from `{since}`"
        case Never(because=because):
            return f"never: {because}"
        case _:
            return "with what it hangs on"


def days(span: timedelta) -> str:
    """Say a span in days, or in what it is a whole number of."""
    if span > timedelta(days=1):
        return f"{span.days} days"
    return f"{int(span.total_seconds() // 3600)} hours"


def _when(condition: str | None) -> str:
    return f", where {condition}" if condition else ""
