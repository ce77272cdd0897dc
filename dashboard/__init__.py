"""The on-call pages: what fails, why, and how to mend it."""
