"""The functions of the ledger and of the house, the facts that enqueue, and who may read the ledger."""

from alembic import op

from migrations.sqlfile import run

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run(
        op.get_bind(),
        "ledger/tenancy",
        "scope",
        "ledger/enqueue",
        "ledger/enqueue_many",
        "ledger/pause",
        "ledger/limit",
        "ledger/dispatch",
        "ledger/start",
        "ledger/run",
        "ledger/disclaim",
        "ledger/complete_free",
        "ledger/watch",
        "ledger/horizon",
        "ledger/tick",
        "ledger/pace",
        "ledger/operate",
        "ledger/batch",
        "ledger/settle",
        "ledger/audit",
        "ledger/operators",
        "ledger/sessions",
        "ledger/operations",
        "ledger/api",
        "ledger/api_batch",
        "ledger/prune",
        "ledger/forget",
        "ledger/forget_business",
        "house",
        "keep_periods",
        "ending",
        "activity",
        "copies",
        "facts",
        "privacy",
        "reviews",
        "waiting",
        "journal",
        "officer",
        "erasing",
        "arrival",
        "statistics",
        "supabase",
    )
