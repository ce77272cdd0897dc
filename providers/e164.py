"""Telephone numbers in the one form in which they are stored and compared."""

from dataclasses import dataclass


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
    except NumberParseException:
        return None
    if number.extension or is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return Number(format_number(number, PhoneNumberFormat.E164), str(number.national_number))
