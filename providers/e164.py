"""Telephone numbers in the one form in which they are stored and compared."""

import re
from dataclasses import dataclass

FORM = re.compile(r"\+[1-9][0-9]{6,14}")
"""As models/kinds.py has it: 15 digits are the plan's longest number, fewer than 7 reach nobody from everywhere."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as +4915112345678, and its digits as they are dialled at home, without the leading zero."""

    text: str
    national_digits: str


def e164(value: str | None, country: str) -> Number | None:
    """Return a number written in any form, read as one of `country` (ISO 3166) unless it says otherwise.

    None for what cannot be dialled from everywhere. Its length decides, not the lists of ranges in use:
    those age, and a number that a caller said is worth more than a list that does not know it yet.
    """
    from phonenumbers import (
        NumberParseException,
        PhoneNumberFormat,
        ValidationResult,
        format_number,
        is_possible_number_with_reason,
        parse,
    )

    try:
        number = parse(value or "", country.upper() or None)
        text = format_number(number, PhoneNumberFormat.E164)
        same = format_number(parse(text), PhoneNumberFormat.E164) == text  # not so for a row of zeros
    except NumberParseException:
        return None
    possible = is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    if not (possible and same and FORM.fullmatch(text)) or number.extension:
        return None
    return Number(text, str(number.national_number))


def at_home(text: str, country: str) -> str | None:
    """Return the digits with which a number in E.164 is dialled within `country`; None for one of another country."""
    from phonenumbers import PhoneNumberFormat, country_code_for_region, format_number, parse

    number = parse(text)
    if number.country_code != country_code_for_region(country.upper()):
        return None
    return re.sub(r"\D", "", format_number(number, PhoneNumberFormat.NATIONAL))
