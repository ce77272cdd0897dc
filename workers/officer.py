"""`nexara privacy`, with what finds, proves and repeats."""

from workers.audit_command import audit
from workers.privacy import privacy
from workers.proving import receipts, replay

for command in (audit, receipts, replay):
    privacy.add_command(command)

__all__ = ["privacy"]
