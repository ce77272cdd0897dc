"""How long what is kept: proposals for counsel, not law, in one place."""

from datetime import timedelta

DAY = timedelta(days=1)

MERGES = 45 * DAY
REMAINS = 45 * DAY  # after the vendor confirmed
TOMBSTONES = 45 * DAY  # no vendor sends an event so late
RECEIPTS = 1096 * DAY  # 3 years
VISITORS = 90 * DAY
EMAILS = 90 * DAY
RAW_EVENTS = 14 * DAY
PRODUCT_EVENTS = 396 * DAY  # 13 months
SECURITY_EVENTS = 366 * DAY  # 12 months
AUDIT = 731 * DAY  # 24 months
WAITLIST = 731 * DAY  # 24 months
CONTACT_FORMS = 366 * DAY  # 12 months
SUPPRESSIONS = 1096 * DAY  # 3 years after the account
