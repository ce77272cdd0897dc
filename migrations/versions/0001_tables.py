"""The tables, as the data map had them at the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("per_minute", sa.Integer(), server_default=sa.text("600"), nullable=False),
        sa.Column("paced_until", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("per_minute > 0", name=op.f("ck_api_keys_some_per_minute")),
        sa.CheckConstraint(
            "business_id <> '00000000-0000-0000-0000-000000000000'", name=op.f("ck_api_keys_not_the_house")
        ),
        sa.CheckConstraint(
            "cardinality(scopes) > 0 AND scopes <@ ARRAY['jobs:write', 'jobs:read']", name=op.f("ck_api_keys_scopes")
        ),
        sa.CheckConstraint("name ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_api_keys_name")),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_api_keys_digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("api_keys_pkey")),
        schema="ledger",
        postgresql_with={"fillfactor": "50"},
    )
    op.create_index("api_keys_of_business", "api_keys", ["business_id"], unique=False, schema="ledger")
    op.create_table(
        "attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("error_class", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("traceback", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("log_tail", sa.Text(), nullable=True),
        sa.CheckConstraint("kind ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_attempts_kind")),
        sa.CheckConstraint(
            "outcome IN ('try_again', 'rate_limited', 'gave_up', 'misconfigured', 'bug', 'lost', 'cancelled')",
            name=op.f("ck_attempts_outcome"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("attempts_pkey")),
        schema="ledger",
    )
    op.create_index("attempts_alike", "attempts", ["fingerprint", "ended_at"], unique=False, schema="ledger")
    op.create_index("attempts_by_time", "attempts", ["ended_at"], unique=False, schema="ledger")
    op.create_index("attempts_of_job", "attempts", ["job_id"], unique=False, schema="ledger")
    op.create_table(
        "batch_ends",
        sa.Column("job_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("job_id", "id", name=op.f("batch_ends_pkey")),
        schema="ledger",
        postgresql_with={
            "fillfactor": "80",
            "autovacuum_vacuum_scale_factor": "0.02",
            "autovacuum_vacuum_cost_delay": "0",
            "vacuum_truncate": "false",
        },
    )
    op.create_table(
        "batch_follow_ups",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("cue", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=True),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("cue IN ('then', 'if_succeeded', 'if_died')", name=op.f("ck_batch_follow_ups_cue")),
        sa.CheckConstraint("jsonb_typeof(payload) = 'object'", name=op.f("ck_batch_follow_ups_payload")),
        sa.PrimaryKeyConstraint("batch_id", "cue", name=op.f("batch_follow_ups_pkey")),
        schema="ledger",
    )
    op.create_table(
        "batch_members",
        sa.Column("job_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('scheduled', 'retryable', 'parked', 'available', 'dispatched', 'running', 'succeeded', 'dead', 'cancelled', 'discarded')",
            name=op.f("ck_batch_members_state"),
        ),
        sa.PrimaryKeyConstraint("job_id", "batch_id", name=op.f("batch_members_pkey")),
        schema="ledger",
        postgresql_with={
            "fillfactor": "80",
            "autovacuum_vacuum_scale_factor": "0.02",
            "autovacuum_vacuum_cost_delay": "0",
            "vacuum_truncate": "false",
        },
    )
    op.create_index(
        "batch_members_by_state", "batch_members", ["batch_id", "state", "job_id"], unique=False, schema="ledger"
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("root_id", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("succeeded", sa.Integer(), nullable=True),
        sa.Column("dead", sa.Integer(), nullable=True),
        sa.Column("cancelled", sa.Integer(), nullable=True),
        sa.Column("discarded", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("batches_pkey")),
        schema="ledger",
    )
    op.create_index("batches_by_age", "batches", ["opened_at"], unique=False, schema="ledger")
    op.create_index(
        "batches_complete",
        "batches",
        ["completed_at"],
        unique=False,
        schema="ledger",
        postgresql_where=sa.text("completed_at IS NOT NULL"),
    )
    op.create_index(
        "batches_to_settle",
        "batches",
        ["sealed_at"],
        unique=False,
        schema="ledger",
        postgresql_where=sa.text("sealed_at IS NOT NULL AND NOT settled"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("about", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("jobs", sa.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("action ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_audit_action")),
        sa.CheckConstraint("jsonb_typeof(about) = 'object'", name=op.f("ck_audit_about")),
        sa.CheckConstraint("jsonb_typeof(after) = 'object'", name=op.f("ck_audit_after")),
        sa.CheckConstraint("jsonb_typeof(before) = 'object'", name=op.f("ck_audit_before")),
        sa.CheckConstraint("length(who) BETWEEN 1 AND 100", name=op.f("ck_audit_who")),
        sa.CheckConstraint(
            "role IN ('viewer', 'operator', 'privacy_officer', 'admin', 'cli')", name=op.f("ck_audit_role")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_pkey")),
        schema="ledger",
    )
    op.create_index("audit_by_time", "audit", ["at", "id"], unique=False, schema="ledger")
    op.create_index("audit_of_action", "audit", ["action", "id"], unique=False, schema="ledger")
    op.create_index("audit_of_job", "audit", ["jobs"], unique=False, schema="ledger", postgresql_using="gin")
    op.create_index("audit_of_operator", "audit", ["who", "id"], unique=False, schema="ledger")
    op.create_table(
        "bell",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asleep", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("bell_pkey")),
        schema="ledger",
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "durations",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "kind", "bucket", name=op.f("durations_pkey")),
        schema="ledger",
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("job_ids", sa.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_idempotency_keys_digest")),
        sa.CheckConstraint("octet_length(request) = 32", name=op.f("ck_idempotency_keys_request")),
        sa.PrimaryKeyConstraint("business_id", "digest", name=op.f("idempotency_keys_pkey")),
        schema="ledger",
    )
    op.create_index("idempotency_keys_by_age", "idempotency_keys", ["created_at"], unique=False, schema="ledger")
    op.create_table(
        "job_kinds",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("fields", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("unique_by", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("until_done", sa.Boolean(), nullable=False),
        sa.Column("timeout", sa.Interval(), nullable=False),
        sa.Column("max_attempts", sa.SmallInteger(), nullable=False),
        sa.Column("give_up_after", sa.Interval(), nullable=False),
        sa.Column("vendors", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.CheckConstraint("kind ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_job_kinds_kind")),
        sa.CheckConstraint("queue ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_job_kinds_queue")),
        sa.PrimaryKeyConstraint("kind", name=op.f("job_kinds_pkey")),
        schema="ledger",
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("root_id", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("unique_key", sa.LargeBinary(), nullable=True),
        sa.Column("until_done", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("fence", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_attempts", sa.SmallInteger(), nullable=False),
        sa.Column("rescues", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("give_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("enqueued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("again", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("cursor", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("actor", sa.Uuid(), nullable=True),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress", sa.SmallInteger(), nullable=True),
        sa.Column("doing", sa.Text(), nullable=True),
        sa.Column("in_batch", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("jsonb_typeof(cursor) = 'object'", name=op.f("ck_jobs_cursor")),
        sa.CheckConstraint("jsonb_typeof(payload) = 'object'", name=op.f("ck_jobs_payload")),
        sa.CheckConstraint(
            "state IN ('scheduled', 'retryable', 'parked', 'available', 'dispatched', 'running', 'succeeded', 'dead', 'cancelled', 'discarded')",
            name=op.f("ck_jobs_state"),
        ),
        sa.CheckConstraint("octet_length(unique_key) = 32", name=op.f("ck_jobs_unique_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("jobs_pkey")),
        schema="ledger",
        postgresql_with={
            "fillfactor": "80",
            "autovacuum_vacuum_scale_factor": "0.02",
            "autovacuum_vacuum_cost_delay": "0",
            "vacuum_truncate": "false",
        },
    )
    op.create_index(
        "jobs_due",
        "jobs",
        ["run_at"],
        unique=False,
        schema="ledger",
        postgresql_where=sa.text("state IN ('scheduled', 'retryable')"),
    )
    op.create_index(
        "jobs_failed",
        "jobs",
        ["fingerprint", "failed_at", "id"],
        unique=False,
        schema="ledger",
        postgresql_include=["business_id", "kind", "state"],
        postgresql_where=sa.text("state IN ('dead', 'parked', 'retryable') AND fingerprint IS NOT NULL"),
    )
    op.create_index(
        "jobs_finished",
        "jobs",
        ["state", "finished_at"],
        unique=False,
        schema="ledger",
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    op.create_index(
        "jobs_in_flight",
        "jobs",
        ["queue", "business_id"],
        unique=False,
        schema="ledger",
        postgresql_where=sa.text("state IN ('dispatched', 'running')"),
    )
    op.create_index(
        "jobs_of_root",
        "jobs",
        ["root_id"],
        unique=False,
        schema="ledger",
        postgresql_where=sa.text("root_id <> id"),
    )
    op.create_index(
        "jobs_of_worker",
        "jobs",
        ["worker_id"],
        unique=False,
        schema="ledger",
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "jobs_one_open",
        "jobs",
        ["kind", "unique_key"],
        unique=True,
        schema="ledger",
        postgresql_where=sa.text(
            "unique_key IS NOT NULL AND (state IN ('scheduled', 'retryable', 'parked', 'available', 'dispatched') OR (until_done AND state = 'running'))"
        ),
    )
    op.create_index(
        "jobs_parked", "jobs", ["kind"], unique=False, schema="ledger", postgresql_where=sa.text("state = 'parked'")
    )
    op.create_index(
        "jobs_to_pick",
        "jobs",
        ["queue", "priority", "business_id", "run_at", "id"],
        unique=False,
        schema="ledger",
        postgresql_where=sa.text("state = 'available'"),
    )
    op.create_table(
        "kept_answers",
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("input_hash", sa.Text(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "input_hash ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_kept_answers_input_hash")
        ),
        sa.PrimaryKeyConstraint("job_id", "input_hash", name=op.f("kept_answers_pkey")),
        schema="ledger",
    )
    op.create_index("kept_answers_by_age", "kept_answers", ["kept_at"], unique=False, schema="ledger")
    op.create_table(
        "limits",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=True),
        sa.Column("calls", sa.Integer(), nullable=True),
        sa.Column("per", sa.Interval(), nullable=True),
        sa.Column("paced_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("name ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_limits_name")),
        sa.CheckConstraint("subject IN ('queue', 'vendor', 'business')", name=op.f("ck_limits_subject")),
        sa.CheckConstraint("most >= 0", name=op.f("ck_limits_most")),
        sa.CheckConstraint(
            "num_nonnulls(calls, per) IN (0, 2) AND calls > 0 AND per > interval '0'", name=op.f("ck_limits_pace")
        ),
        sa.PrimaryKeyConstraint("subject", "name", name=op.f("limits_pkey")),
        schema="ledger",
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "operation_batches",
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("job_ids", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("fences", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("once_more", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("operation_id", "number", name=op.f("operation_batches_pkey")),
        schema="ledger",
    )
    op.create_table(
        "operations",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("filter", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("asked_in", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("skipped", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("spread", sa.Interval(), nullable=False),
        sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'working'"), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_in", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("action IN ('retry', 'discard')", name=op.f("ck_operations_action")),
        sa.CheckConstraint("jsonb_typeof(filter) = 'object'", name=op.f("ck_operations_filter")),
        sa.CheckConstraint("jsonb_typeof(skipped) = 'object'", name=op.f("ck_operations_skipped")),
        sa.CheckConstraint("state IN ('working', 'done', 'cancelled')", name=op.f("ck_operations_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("operations_pkey")),
        schema="ledger",
    )
    op.create_index("operations_by_age", "operations", ["created_at"], unique=False, schema="ledger")
    op.create_table(
        "pace",
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('succeeded', 'dead', 'cancelled', 'discarded', 'failed')", name=op.f("ck_pace_outcome")
        ),
        sa.PrimaryKeyConstraint("minute", "kind", "outcome", name=op.f("pace_pkey")),
        schema="ledger",
    )
    op.create_table(
        "pace_until",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pace_until_pkey")),
        schema="ledger",
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "operators",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 100", name=op.f("ck_operators_name")),
        sa.CheckConstraint("password LIKE '$argon2id$%'", name=op.f("ck_operators_password")),
        sa.CheckConstraint("role <> 'cli'", name=op.f("ck_operators_somebody")),
        sa.CheckConstraint(
            "role IN ('viewer', 'operator', 'privacy_officer', 'admin', 'cli')", name=op.f("ck_operators_role")
        ),
        sa.CheckConstraint("subject ~ '^[0-9a-f]{64}$'", name=op.f("ck_operators_subject")),
        sa.PrimaryKeyConstraint("id", name=op.f("operators_pkey")),
        sa.UniqueConstraint("name", name=op.f("uq_operators_name")),
        sa.UniqueConstraint("subject", name=op.f("uq_operators_subject")),
        schema="ledger",
    )
    op.create_table(
        "pauses",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("queue", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("business_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("settled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("code ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_pauses_code")),
        sa.CheckConstraint("kind ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_pauses_kind")),
        sa.CheckConstraint("queue ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_pauses_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pauses_pkey")),
        schema="ledger",
    )
    op.create_index(
        "pauses_one_of_each",
        "pauses",
        ["queue", "kind", "business_id"],
        unique=True,
        schema="ledger",
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "pauses_to_settle",
        "pauses",
        ["id"],
        unique=False,
        schema="ledger",
        postgresql_where=sa.text("NOT settled"),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_sessions_digest")),
        sa.ForeignKeyConstraint(["operator_id"], ["ledger.operators.id"], name=op.f("fk_sessions_operator_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("sessions_pkey")),
        schema="ledger",
    )
    op.create_index("sessions_of_operator", "sessions", ["operator_id"], unique=False, schema="ledger")
    op.create_table(
        "sign_in_tries",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("key ~ '^[0-9a-f]{64}$'", name=op.f("ck_sign_in_tries_key")),
        sa.PrimaryKeyConstraint("key", name=op.f("sign_in_tries_pkey")),
        schema="ledger",
    )
    op.create_table(
        "ticks",
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("tick", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("outcome IN ('fired', 'skipped')", name=op.f("ck_ticks_outcome")),
        sa.CheckConstraint("schedule ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_ticks_schedule")),
        sa.PrimaryKeyConstraint("schedule", "tick", name=op.f("ticks_pkey")),
        schema="ledger",
    )
    op.create_table(
        "turns",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("queue ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_turns_queue")),
        sa.PrimaryKeyConstraint("queue", "priority", name=op.f("turns_pkey")),
        schema="ledger",
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("kinds", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("signed_on_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("workers_pkey")),
        schema="ledger",
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "activity",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("businesses", sa.BigInteger(), nullable=False),
        sa.Column("conversations", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("channel ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_activity_channel")),
        sa.CheckConstraint("industry ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_activity_industry")),
        sa.CheckConstraint("outcome ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_activity_outcome")),
        sa.CheckConstraint("businesses >= 0", name=op.f("ck_activity_businesses")),
        sa.CheckConstraint("conversations >= 0", name=op.f("ck_activity_conversations")),
        sa.CheckConstraint("people >= 0", name=op.f("ck_activity_people")),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_activity_seconds")),
        sa.PrimaryKeyConstraint("month", "industry", "channel", "outcome", name=op.f("activity_pkey")),
        schema="nexara",
    )
    op.create_table(
        "activity_months",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("activity_months_pkey")),
        schema="nexara",
    )
    op.create_table(
        "businesses",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), server_default=sa.text("'UTC'"), nullable=False),
        sa.Column("recording_on", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("alert_details", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("keep_conversations", sa.Interval(), nullable=True),
        sa.Column("keep_recordings", sa.Interval(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erasing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("keep_until", sa.Date(), nullable=True),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name=op.f("ck_businesses_country")),
        sa.CheckConstraint(
            "keep_conversations BETWEEN interval '1 day' AND interval '100 years'",
            name=op.f("ck_businesses_keep_conversations"),
        ),
        sa.CheckConstraint(
            "keep_recordings BETWEEN interval '1 day' AND interval '100 years'",
            name=op.f("ck_businesses_keep_recordings"),
        ),
        sa.CheckConstraint("industry ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_businesses_industry")),
        sa.CheckConstraint("zone ~ '^[A-Za-z0-9_+/-]{2,50}$'", name=op.f("ck_businesses_zone")),
        sa.PrimaryKeyConstraint("id", name=op.f("businesses_pkey")),
        schema="nexara",
    )
    op.create_index(op.f("ix_businesses_keep_until"), "businesses", ["keep_until"], unique=False, schema="nexara")
    op.create_table(
        "contact_forms",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "email = lower(email) AND email ~ '^[^\\s@]+@[^\\s@]+$'", name=op.f("ck_contact_forms_email")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("contact_forms_pkey")),
        schema="nexara",
    )
    op.create_index(op.f("ix_contact_forms_created_at"), "contact_forms", ["created_at"], unique=False, schema="nexara")
    op.create_index(op.f("ix_contact_forms_email"), "contact_forms", ["email"], unique=False, schema="nexara")
    op.create_table(
        "data_map",
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("sort", sa.Text(), nullable=False),
        sa.Column("says", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("rendered", sa.Text(), nullable=True),
        sa.CheckConstraint("rendered ~ '^[0-9a-f]{64}$'", name=op.f("ck_data_map_rendered")),
        sa.CheckConstraint("sort IN ('table', 'column', 'guard', 'elsewhere')", name=op.f("ck_data_map_sort")),
        sa.PrimaryKeyConstraint("entry", name=op.f("data_map_pkey")),
        schema="nexara",
    )
    op.create_table(
        "data_map_versions",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("fingerprint ~ '^[0-9a-f]{64}$'", name=op.f("ck_data_map_versions_fingerprint")),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("data_map_versions_pkey")),
        schema="nexara",
    )
    op.create_table(
        "keep_periods",
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("years", sa.BigInteger(), nullable=False),
        sa.Column("looked_up", sa.Boolean(), nullable=False),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name=op.f("ck_keep_periods_country")),
        sa.CheckConstraint(
            "reason IN ('legal', 'billing', 'security', 'objection', 'controller')", name=op.f("ck_keep_periods_reason")
        ),
        sa.CheckConstraint("years >= 0", name=op.f("ck_keep_periods_years")),
        sa.PrimaryKeyConstraint("reason", "country", name=op.f("keep_periods_pkey")),
        schema="nexara",
    )
    op.create_table(
        "provider_events",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("parsed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("event_key ~ '^[0-9a-f]{64}$'", name=op.f("ck_provider_events_event_key")),
        sa.CheckConstraint(
            "provider IN ('twilio', 'telnyx', 'vapi', 'meta', '360dialog', 'lemon_squeezy', 'resend', 'elevenlabs')",
            name=op.f("ck_provider_events_provider"),
        ),
        sa.CheckConstraint("parsed_at IS NULL OR payload IS NULL", name=op.f("ck_provider_events_emptied")),
        sa.PrimaryKeyConstraint("id", name=op.f("provider_events_pkey")),
        sa.UniqueConstraint("event_key", name=op.f("uq_provider_events_event_key")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_provider_events_business_id"), "provider_events", ["business_id"], unique=False, schema="nexara"
    )
    op.create_index(
        op.f("ix_provider_events_received_at"), "provider_events", ["received_at"], unique=False, schema="nexara"
    )
    op.create_table(
        "security_events",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("cut_ip", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("cut_ip ~ '(\\.0|::)$'", name=op.f("ck_security_events_cut_ip")),
        sa.CheckConstraint(
            "event IN ('signed_in', 'sign_in_failed', 'password_changed', 'key_made', 'key_revoked', 'refused', 'limited')",
            name=op.f("ck_security_events_event"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("security_events_pkey")),
        schema="nexara",
    )
    op.create_index(op.f("ix_security_events_at"), "security_events", ["at"], unique=False, schema="nexara")
    op.create_index(op.f("ix_security_events_user_id"), "security_events", ["user_id"], unique=False, schema="nexara")
    op.create_table(
        "suppressions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("business_id", sa.Uuid(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("mailing", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name=op.f("ck_suppressions_digest")),
        sa.CheckConstraint("mailing IN ('all', 'product')", name=op.f("ck_suppressions_mailing")),
        sa.CheckConstraint("why IN ('bounced', 'complained', 'opted_out')", name=op.f("ck_suppressions_why")),
        sa.PrimaryKeyConstraint("id", name=op.f("suppressions_pkey")),
        sa.UniqueConstraint(
            "digest",
            "mailing",
            "business_id",
            name=op.f("uq_suppressions_digest_mailing_business_id"),
            postgresql_nulls_not_distinct=True,
        ),
        schema="nexara",
    )
    op.create_index(op.f("ix_suppressions_released_at"), "suppressions", ["released_at"], unique=False, schema="nexara")
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("email = lower(email) AND email ~ '^[^\\s@]+@[^\\s@]+$'", name=op.f("ck_users_email")),
        sa.PrimaryKeyConstraint("id", name=op.f("users_pkey")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        schema="nexara",
    )
    op.create_table(
        "waitlist",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("email = lower(email) AND email ~ '^[^\\s@]+@[^\\s@]+$'", name=op.f("ck_waitlist_email")),
        sa.PrimaryKeyConstraint("id", name=op.f("waitlist_pkey")),
        schema="nexara",
    )
    op.create_index(op.f("ix_waitlist_created_at"), "waitlist", ["created_at"], unique=False, schema="nexara")
    op.create_index(op.f("ix_waitlist_email"), "waitlist", ["email"], unique=False, schema="nexara")
    op.create_table(
        "knowledge",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("chapter", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("chapter IN ('faq', 'description', 'service', 'rule')", name=op.f("ck_knowledge_chapter")),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_knowledge_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("knowledge_pkey")),
        schema="nexara",
    )
    op.create_table(
        "members",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("transfer_phone", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("alerts", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("product_mail", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("role IN ('owner', 'staff')", name=op.f("ck_members_role")),
        sa.CheckConstraint("transfer_phone ~ '^\\+[1-9][0-9]{6,14}$'", name=op.f("ck_members_transfer_phone")),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_members_business_id")),
        sa.ForeignKeyConstraint(["user_id"], ["nexara.users.id"], name=op.f("fk_members_user_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("members_pkey")),
        sa.UniqueConstraint("business_id", "user_id", name=op.f("uq_members_business_id_user_id")),
        schema="nexara",
    )
    op.create_index(op.f("ix_members_user_id"), "members", ["user_id"], unique=False, schema="nexara")
    op.create_table(
        "mentions",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("needle", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("source ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_mentions_source")),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_mentions_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("mentions_pkey")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_mentions_business_id_needle"), "mentions", ["business_id", "needle"], unique=False, schema="nexara"
    )
    op.create_index(
        op.f("ix_mentions_business_id_row_id"), "mentions", ["business_id", "row_id"], unique=False, schema="nexara"
    )
    op.create_table(
        "meter",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("correction_of", sa.Uuid(), nullable=True),
        sa.Column("keep_until", sa.Date(), nullable=True),
        sa.CheckConstraint("direction IN ('inbound', 'outbound')", name=op.f("ck_meter_direction")),
        sa.CheckConstraint("event_key ~ '^[0-9a-f]{64}$'", name=op.f("ck_meter_event_key")),
        sa.CheckConstraint("source IN ('call', 'web_chat', 'whatsapp', 'sms')", name=op.f("ck_meter_source")),
        sa.CheckConstraint("unit IN ('call_second', 'message')", name=op.f("ck_meter_unit")),
        sa.CheckConstraint("quantity >= 0 OR correction_of IS NOT NULL", name=op.f("ck_meter_quantity")),
        sa.ForeignKeyConstraint(
            ["business_id", "correction_of"],
            ["nexara.meter.business_id", "nexara.meter.id"],
            name=op.f("fk_meter_business_id_correction_of"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_meter_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("meter_pkey")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_meter_business_id_keep_until"), "meter", ["business_id", "keep_until"], unique=False, schema="nexara"
    )
    op.create_index(
        op.f("ix_meter_business_id_correction_of"),
        "meter",
        ["business_id", "correction_of"],
        unique=False,
        schema="nexara",
    )
    op.create_index(
        "uq_meter_business_id_event_key",
        "meter",
        ["business_id", "event_key"],
        unique=True,
        schema="nexara",
        postgresql_where=sa.text("correction_of IS NULL"),
    )
    op.create_table(
        "people",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_people_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("people_pkey")),
        schema="nexara",
    )
    op.create_table(
        "phone_lines",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=True),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("carrier IN ('twilio', 'telnyx', 'vapi')", name=op.f("ck_phone_lines_carrier")),
        sa.CheckConstraint("number ~ '^\\+[1-9][0-9]{6,14}$'", name=op.f("ck_phone_lines_number")),
        sa.CheckConstraint("ref IS NULL OR carrier IS NOT NULL", name=op.f("ck_phone_lines_ref_carrier")),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_phone_lines_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("phone_lines_pkey")),
        sa.UniqueConstraint("business_id", "number", name=op.f("uq_phone_lines_business_id_number")),
        schema="nexara",
    )
    op.create_table(
        "erasures",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("root_id", sa.Uuid(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("replayed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'resolving'"), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("plan", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("fingerprint ~ '^[0-9a-f]{64}$'", name=op.f("ck_erasures_fingerprint")),
        sa.CheckConstraint("origin IN ('request', 'dashboard', 'retention')", name=op.f("ck_erasures_origin")),
        sa.CheckConstraint("reason ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_erasures_reason")),
        sa.CheckConstraint(
            "scope IN ('business', 'person', 'communications', 'recording', 'member', 'visitor')",
            name=op.f("ck_erasures_scope"),
        ),
        sa.CheckConstraint(
            "state IN ('resolving', 'confirmed', 'erasing', 'pending', 'completed', 'withdrawn')",
            name=op.f("ck_erasures_state"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_erasures_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("erasures_pkey")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_erasures_business_id_completed_at"),
        "erasures",
        ["business_id", "completed_at"],
        unique=False,
        schema="nexara",
    )
    op.create_index(
        "erasures_open",
        "erasures",
        ["business_id", "asked_at"],
        unique=False,
        schema="nexara",
        postgresql_where=sa.text("state NOT IN ('completed', 'withdrawn')"),
    )
    op.create_table(
        "erasure_scope",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("erasure_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("decision IN ('include', 'exclude', 'review')", name=op.f("ck_erasure_scope_decision")),
        sa.CheckConstraint(
            "evidence IN ('asked', 'identifier', 'merged', 'own')", name=op.f("ck_erasure_scope_evidence")
        ),
        sa.CheckConstraint("source ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_erasure_scope_source")),
        sa.ForeignKeyConstraint(
            ["business_id", "erasure_id"],
            ["nexara.erasures.business_id", "nexara.erasures.id"],
            name=op.f("fk_erasure_scope_business_id_erasure_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_erasure_scope_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("erasure_scope_pkey")),
        sa.UniqueConstraint(
            "business_id", "erasure_id", "row_id", name=op.f("uq_erasure_scope_business_id_erasure_id_row_id")
        ),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_erasure_scope_business_id_value"),
        "erasure_scope",
        ["business_id", "value"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "reviews",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("erasure_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("field ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_reviews_field")),
        sa.CheckConstraint("source ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_reviews_source")),
        sa.CheckConstraint("state IN ('open', 'redacted', 'cleared')", name=op.f("ck_reviews_state")),
        sa.ForeignKeyConstraint(
            ["business_id", "erasure_id"],
            ["nexara.erasures.business_id", "nexara.erasures.id"],
            name=op.f("fk_reviews_business_id_erasure_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_reviews_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("reviews_pkey")),
        sa.UniqueConstraint(
            "business_id", "erasure_id", "row_id", "field", name=op.f("uq_reviews_business_id_erasure_id_row_id_field")
        ),
        schema="nexara",
    )
    op.create_table(
        "receipts",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("erasure_id", sa.Uuid(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("map", sa.Text(), nullable=False),
        sa.Column("catalog", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=True),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("catalog ~ '^[0-9a-f]{64}$'", name=op.f("ck_receipts_catalog")),
        sa.CheckConstraint("hash ~ '^[0-9a-f]{64}$'", name=op.f("ck_receipts_hash")),
        sa.CheckConstraint("map ~ '^[0-9a-f]{64}$'", name=op.f("ck_receipts_map")),
        sa.CheckConstraint("previous ~ '^[0-9a-f]{64}$'", name=op.f("ck_receipts_previous")),
        sa.ForeignKeyConstraint(
            ["business_id", "erasure_id"],
            ["nexara.erasures.business_id", "nexara.erasures.id"],
            name=op.f("fk_receipts_business_id_erasure_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_receipts_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("receipts_pkey")),
        sa.UniqueConstraint("business_id", "hash", name=op.f("uq_receipts_business_id_hash")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_receipts_business_id_erasure_id"),
        "receipts",
        ["business_id", "erasure_id"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "salts",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_salts_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("salts_pkey")),
        sa.UniqueConstraint("business_id", name=op.f("uq_salts_business_id")),
        schema="nexara",
    )
    op.create_table(
        "tombstones",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("sort", sa.Text(), nullable=False),
        sa.Column("event_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name=op.f("ck_tombstones_digest")),
        sa.CheckConstraint("sort IN ('event', 'identifier')", name=op.f("ck_tombstones_sort")),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_tombstones_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("tombstones_pkey")),
        sa.UniqueConstraint("business_id", "digest", name=op.f("uq_tombstones_business_id_digest")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_tombstones_business_id_made_at"),
        "tombstones",
        ["business_id", "made_at"],
        unique=False,
        schema="nexara",
    )
    op.create_index("tombstones_by_age", "tombstones", ["made_at"], unique=False, schema="nexara")
    op.create_table(
        "remains",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'planned'"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("erasure_id", sa.Uuid(), nullable=True),
        sa.Column("tries", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name=op.f("ck_remains_digest")),
        sa.CheckConstraint("reason ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_remains_reason")),
        sa.CheckConstraint(
            "state IN ('planned', 'sent', 'accepted', 'confirmed', 'lapses', 'contract', 'blocked', 'manual')",
            name=op.f("ck_remains_state"),
        ),
        sa.CheckConstraint("store ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_remains_store")),
        sa.CheckConstraint("what ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_remains_what")),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_remains_tries")),
        sa.ForeignKeyConstraint(
            ["business_id", "erasure_id"],
            ["nexara.erasures.business_id", "nexara.erasures.id"],
            name=op.f("fk_remains_business_id_erasure_id"),
            ondelete="SET NULL (erasure_id)",
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_remains_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("remains_pkey")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_remains_business_id_confirmed_at"),
        "remains",
        ["business_id", "confirmed_at"],
        unique=False,
        schema="nexara",
    )
    op.create_index(
        op.f("ix_remains_business_id_erasure_id"),
        "remains",
        ["business_id", "erasure_id"],
        unique=False,
        schema="nexara",
    )
    op.create_index(
        op.f("ix_remains_business_id_ref"), "remains", ["business_id", "ref"], unique=False, schema="nexara"
    )
    op.create_index(
        "ix_remains_to_do",
        "remains",
        ["business_id", "retry_at"],
        unique=False,
        schema="nexara",
        postgresql_where=sa.text("state IN ('planned', 'sent', 'accepted', 'blocked')"),
    )
    op.create_index(
        "remains_by_hand",
        "remains",
        ["business_id", "erasure_id"],
        unique=False,
        schema="nexara",
        postgresql_where=sa.text("state = 'manual'"),
    )
    op.create_index(
        "remains_due",
        "remains",
        ["retry_at"],
        unique=False,
        schema="nexara",
        postgresql_where=sa.text("state IN ('planned', 'sent', 'accepted', 'blocked')"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("subscription_ref", sa.Text(), nullable=False),
        sa.Column("customer_ref", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("keep_until", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "status IN ('on_trial', 'active', 'paused', 'past_due', 'unpaid', 'cancelled', 'expired')",
            name=op.f("ck_subscriptions_status"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_subscriptions_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("subscriptions_pkey")),
        sa.UniqueConstraint(
            "business_id", "subscription_ref", name=op.f("uq_subscriptions_business_id_subscription_ref")
        ),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_subscriptions_business_id_keep_until"),
        "subscriptions",
        ["business_id", "keep_until"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "working_hours",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("weekday", sa.Text(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "weekday IN ('monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday')",
            name=op.f("ck_working_hours_weekday"),
        ),
        sa.CheckConstraint("closes > opens", name=op.f("ck_working_hours_closes_later")),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_working_hours_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("working_hours_pkey")),
        schema="nexara",
    )
    op.create_table(
        "api_keys",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("hash ~ '^[0-9a-f]{64}$'", name=op.f("ck_api_keys_hash")),
        sa.ForeignKeyConstraint(
            ["business_id", "created_by"],
            ["nexara.members.business_id", "nexara.members.id"],
            name=op.f("fk_api_keys_business_id_created_by"),
            ondelete="SET NULL (created_by)",
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_api_keys_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("api_keys_pkey")),
        sa.UniqueConstraint("business_id", "hash", name=op.f("uq_api_keys_business_id_hash")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_api_keys_business_id_created_by"),
        "api_keys",
        ["business_id", "created_by"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "bookings",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("guest_id", sa.Uuid(), nullable=False),
        sa.Column("booked_by_id", sa.Uuid(), nullable=True),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("guest_name", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("google_event", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('requested', 'confirmed', 'cancelled')", name=op.f("ck_bookings_state")),
        sa.ForeignKeyConstraint(
            ["business_id", "booked_by_id"],
            ["nexara.people.business_id", "nexara.people.id"],
            name=op.f("fk_bookings_business_id_booked_by_id"),
            ondelete="SET NULL (booked_by_id)",
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "guest_id"],
            ["nexara.people.business_id", "nexara.people.id"],
            name=op.f("fk_bookings_business_id_guest_id"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "staff_id"],
            ["nexara.members.business_id", "nexara.members.id"],
            name=op.f("fk_bookings_business_id_staff_id"),
            ondelete="SET NULL (staff_id)",
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_bookings_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("bookings_pkey")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_bookings_business_id_booked_by_id"),
        "bookings",
        ["business_id", "booked_by_id"],
        unique=False,
        schema="nexara",
    )
    op.create_index(
        op.f("ix_bookings_business_id_guest_id"), "bookings", ["business_id", "guest_id"], unique=False, schema="nexara"
    )
    op.create_index(
        op.f("ix_bookings_business_id_staff_id"), "bookings", ["business_id", "staff_id"], unique=False, schema="nexara"
    )
    op.create_table(
        "contacts",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("assigned_to", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("company", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "assigned_to"],
            ["nexara.members.business_id", "nexara.members.id"],
            name=op.f("fk_contacts_business_id_assigned_to"),
            ondelete="SET NULL (assigned_to)",
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "person_id"],
            ["nexara.people.business_id", "nexara.people.id"],
            name=op.f("fk_contacts_business_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_contacts_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("contacts_pkey")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_contacts_business_id_assigned_to"),
        "contacts",
        ["business_id", "assigned_to"],
        unique=False,
        schema="nexara",
    )
    op.create_index(
        op.f("ix_contacts_business_id_person_id"),
        "contacts",
        ["business_id", "person_id"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "conversations",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.CheckConstraint("channel IN ('call', 'web_chat', 'whatsapp', 'sms')", name=op.f("ck_conversations_channel")),
        sa.CheckConstraint("event_key ~ '^[0-9a-f]{64}$'", name=op.f("ck_conversations_event_key")),
        sa.ForeignKeyConstraint(
            ["business_id", "person_id"],
            ["nexara.people.business_id", "nexara.people.id"],
            name=op.f("fk_conversations_business_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_conversations_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("conversations_pkey")),
        sa.UniqueConstraint("business_id", "event_key", name=op.f("uq_conversations_business_id_event_key")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_conversations_business_id_started_at"),
        "conversations",
        ["business_id", "started_at"],
        unique=False,
        schema="nexara",
    )
    op.create_index(
        "conversations_ended",
        "conversations",
        ["ended_at", "id"],
        unique=False,
        schema="nexara",
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_conversations_business_id_person_id"),
        "conversations",
        ["business_id", "person_id"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "identifiers",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("proof", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "CASE kind\n  WHEN 'phone' THEN value ~ '^\\+[1-9][0-9]{6,14}$'\n  WHEN 'email' THEN value = lower(value) AND value ~ '^[^\\s@]+@[^\\s@]+$'\n  WHEN 'wa_id' THEN value ~ '^[1-9][0-9]{6,19}$'\n  WHEN 'chat_session' THEN value ~ '^[0-9a-f-]{32,64}$'\nEND",
            name=op.f("ck_identifiers_normalised"),
        ),
        sa.CheckConstraint("kind IN ('phone', 'email', 'wa_id', 'chat_session')", name=op.f("ck_identifiers_kind")),
        sa.CheckConstraint("proof IN ('carrier', 'answered', 'signed_in')", name=op.f("ck_identifiers_proof")),
        sa.ForeignKeyConstraint(
            ["business_id", "person_id"],
            ["nexara.people.business_id", "nexara.people.id"],
            name=op.f("fk_identifiers_business_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_identifiers_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("identifiers_pkey")),
        sa.UniqueConstraint(
            "business_id", "kind", "value", "person_id", name=op.f("uq_identifiers_business_id_kind_value_person_id")
        ),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_identifiers_business_id_person_id"),
        "identifiers",
        ["business_id", "person_id"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "integrations",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("scopes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("connected_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("vendor IN ('google')", name=op.f("ck_integrations_vendor")),
        sa.CheckConstraint("token IS NULL OR vendor IS NOT NULL", name=op.f("ck_integrations_token_vendor")),
        sa.CheckConstraint(
            "jsonb_typeof(scopes) = 'array' AND NOT jsonb_path_exists(scopes, '$[*] ? (@.type() != \"string\" || !(@ like_regex \"^[A-Za-z0-9_.:/-]{1,200}$\"))')",
            name=op.f("ck_integrations_scopes"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "member_id"],
            ["nexara.members.business_id", "nexara.members.id"],
            name=op.f("fk_integrations_business_id_member_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_integrations_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("integrations_pkey")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_integrations_business_id_member_id"),
        "integrations",
        ["business_id", "member_id"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "invoices",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("billed_to", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'draft'"), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_invoices_currency")),
        sa.CheckConstraint("number ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_invoices_number")),
        sa.CheckConstraint("state IN ('draft', 'issued', 'paid', 'void')", name=op.f("ck_invoices_state")),
        sa.ForeignKeyConstraint(
            ["business_id", "person_id"],
            ["nexara.people.business_id", "nexara.people.id"],
            name=op.f("fk_invoices_business_id_person_id"),
            ondelete="SET NULL (person_id)",
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_invoices_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("invoices_pkey")),
        sa.UniqueConstraint("business_id", "number", name=op.f("uq_invoices_business_id_number")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_invoices_business_id_person_id"),
        "invoices",
        ["business_id", "person_id"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "people_merged",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("from_id", sa.Uuid(), nullable=False),
        sa.Column("into_id", sa.Uuid(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "into_id"],
            ["nexara.people.business_id", "nexara.people.id"],
            name=op.f("fk_people_merged_business_id_into_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_people_merged_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("people_merged_pkey")),
        sa.UniqueConstraint("business_id", "from_id", name=op.f("uq_people_merged_business_id_from_id")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_people_merged_business_id_merged_at"),
        "people_merged",
        ["business_id", "merged_at"],
        unique=False,
        schema="nexara",
    )
    op.create_index(
        op.f("ix_people_merged_business_id_into_id"),
        "people_merged",
        ["business_id", "into_id"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "quotes",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("billed_to", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'draft'"), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_quotes_currency")),
        sa.CheckConstraint("number ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_quotes_number")),
        sa.CheckConstraint("state IN ('draft', 'sent', 'accepted', 'declined')", name=op.f("ck_quotes_state")),
        sa.ForeignKeyConstraint(
            ["business_id", "person_id"],
            ["nexara.people.business_id", "nexara.people.id"],
            name=op.f("fk_quotes_business_id_person_id"),
            ondelete="SET NULL (person_id)",
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_quotes_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("quotes_pkey")),
        sa.UniqueConstraint("business_id", "number", name=op.f("uq_quotes_business_id_number")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_quotes_business_id_person_id"), "quotes", ["business_id", "person_id"], unique=False, schema="nexara"
    )
    op.create_table(
        "tasks",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_id", "member_id"],
            ["nexara.members.business_id", "nexara.members.id"],
            name=op.f("fk_tasks_business_id_member_id"),
            ondelete="SET NULL (member_id)",
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "person_id"],
            ["nexara.people.business_id", "nexara.people.id"],
            name=op.f("fk_tasks_business_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_tasks_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("tasks_pkey")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_tasks_business_id_member_id"), "tasks", ["business_id", "member_id"], unique=False, schema="nexara"
    )
    op.create_index(
        op.f("ix_tasks_business_id_person_id"), "tasks", ["business_id", "person_id"], unique=False, schema="nexara"
    )
    op.create_table(
        "visitors",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("session", sa.Text(), nullable=True),
        sa.Column("browser", sa.Text(), nullable=True),
        sa.Column("cut_ip", sa.Text(), nullable=True),
        sa.Column("last_seen", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("cut_ip ~ '(\\.0|::)$'", name=op.f("ck_visitors_cut_ip")),
        sa.CheckConstraint("session ~ '^[0-9a-f]{64}$'", name=op.f("ck_visitors_session")),
        sa.ForeignKeyConstraint(
            ["business_id", "person_id"],
            ["nexara.people.business_id", "nexara.people.id"],
            name=op.f("fk_visitors_business_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_visitors_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("visitors_pkey")),
        sa.UniqueConstraint("business_id", "session", name=op.f("uq_visitors_business_id_session")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_visitors_business_id_last_seen"),
        "visitors",
        ["business_id", "last_seen"],
        unique=False,
        schema="nexara",
    )
    op.create_index(
        op.f("ix_visitors_business_id_person_id"),
        "visitors",
        ["business_id", "person_id"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "calls",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("from_identifier_id", sa.Uuid(), nullable=True),
        sa.Column("line_id", sa.Uuid(), nullable=True),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("recorded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("twilio_ref", sa.Text(), nullable=True),
        sa.Column("telnyx_ref", sa.Text(), nullable=True),
        sa.Column("vapi_ref", sa.Text(), nullable=True),
        sa.Column("elevenlabs_ref", sa.Text(), nullable=True),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.CheckConstraint("event_key ~ '^[0-9a-f]{64}$'", name=op.f("ck_calls_event_key")),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_calls_seconds")),
        sa.ForeignKeyConstraint(
            ["business_id", "conversation_id"],
            ["nexara.conversations.business_id", "nexara.conversations.id"],
            name=op.f("fk_calls_business_id_conversation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "from_identifier_id"],
            ["nexara.identifiers.business_id", "nexara.identifiers.id"],
            name=op.f("fk_calls_business_id_from_identifier_id"),
            ondelete="SET NULL (from_identifier_id)",
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "line_id"],
            ["nexara.phone_lines.business_id", "nexara.phone_lines.id"],
            name=op.f("fk_calls_business_id_line_id"),
            ondelete="SET NULL (line_id)",
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_calls_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("calls_pkey")),
        sa.UniqueConstraint("business_id", "conversation_id", name=op.f("uq_calls_business_id_conversation_id")),
        sa.UniqueConstraint("business_id", "event_key", name=op.f("uq_calls_business_id_event_key")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_calls_business_id_from_identifier_id"),
        "calls",
        ["business_id", "from_identifier_id"],
        unique=False,
        schema="nexara",
    )
    op.create_index(
        op.f("ix_calls_business_id_line_id"), "calls", ["business_id", "line_id"], unique=False, schema="nexara"
    )
    op.create_table(
        "emails_sent",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("to_member", sa.Uuid(), nullable=True),
        sa.Column("to_identifier", sa.Uuid(), nullable=True),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.Column("resend_ref", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('sent', 'already_sent')", name=op.f("ck_emails_sent_state")),
        sa.CheckConstraint("template ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_emails_sent_template")),
        sa.ForeignKeyConstraint(
            ["business_id", "conversation_id"],
            ["nexara.conversations.business_id", "nexara.conversations.id"],
            name=op.f("fk_emails_sent_business_id_conversation_id"),
            ondelete="SET NULL (conversation_id)",
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "to_identifier"],
            ["nexara.identifiers.business_id", "nexara.identifiers.id"],
            name=op.f("fk_emails_sent_business_id_to_identifier"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "to_member"],
            ["nexara.members.business_id", "nexara.members.id"],
            name=op.f("fk_emails_sent_business_id_to_member"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_emails_sent_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("emails_sent_pkey")),
        sa.UniqueConstraint(
            "business_id",
            "conversation_id",
            "template",
            "to_member",
            name=op.f("uq_emails_sent_business_id_conversation_id_template_to_member"),
        ),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_emails_sent_business_id_sent_at"),
        "emails_sent",
        ["business_id", "sent_at"],
        unique=False,
        schema="nexara",
    )
    op.create_index(
        op.f("ix_emails_sent_business_id_to_identifier"),
        "emails_sent",
        ["business_id", "to_identifier"],
        unique=False,
        schema="nexara",
    )
    op.create_index(
        op.f("ix_emails_sent_business_id_to_member"),
        "emails_sent",
        ["business_id", "to_member"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "invoice_lines",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=12, scale=3), nullable=False),
        sa.Column("price", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.CheckConstraint("place >= 0", name=op.f("ck_invoice_lines_place")),
        sa.ForeignKeyConstraint(
            ["business_id", "invoice_id"],
            ["nexara.invoices.business_id", "nexara.invoices.id"],
            name=op.f("fk_invoice_lines_business_id_invoice_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_invoice_lines_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("invoice_lines_pkey")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_invoice_lines_business_id_invoice_id"),
        "invoice_lines",
        ["business_id", "invoice_id"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "leads",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.Column("assigned_to", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verbatim", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("email = lower(email) AND email ~ '^[^\\s@]+@[^\\s@]+$'", name=op.f("ck_leads_email")),
        sa.CheckConstraint(
            "intent IN ('booking', 'quote', 'question', 'complaint', 'cancellation', 'callback', 'other')",
            name=op.f("ck_leads_intent"),
        ),
        sa.CheckConstraint("phone ~ '^\\+[1-9][0-9]{6,14}$'", name=op.f("ck_leads_phone")),
        sa.CheckConstraint("urgency IN ('low', 'normal', 'high', 'emergency')", name=op.f("ck_leads_urgency")),
        sa.ForeignKeyConstraint(
            ["business_id", "assigned_to"],
            ["nexara.members.business_id", "nexara.members.id"],
            name=op.f("fk_leads_business_id_assigned_to"),
            ondelete="SET NULL (assigned_to)",
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "conversation_id"],
            ["nexara.conversations.business_id", "nexara.conversations.id"],
            name=op.f("fk_leads_business_id_conversation_id"),
            ondelete="SET NULL (conversation_id)",
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "person_id"],
            ["nexara.people.business_id", "nexara.people.id"],
            name=op.f("fk_leads_business_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_leads_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("leads_pkey")),
        sa.UniqueConstraint("business_id", "conversation_id", name=op.f("uq_leads_business_id_conversation_id")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_leads_business_id_assigned_to"), "leads", ["business_id", "assigned_to"], unique=False, schema="nexara"
    )
    op.create_index(
        op.f("ix_leads_business_id_person_id"), "leads", ["business_id", "person_id"], unique=False, schema="nexara"
    )
    op.create_table(
        "messages",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("author_member_id", sa.Uuid(), nullable=True),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=True),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.CheckConstraint("carrier IN ('meta', '360dialog', 'twilio', 'telnyx')", name=op.f("ck_messages_carrier")),
        sa.CheckConstraint("direction IN ('inbound', 'outbound')", name=op.f("ck_messages_direction")),
        sa.CheckConstraint("event_key ~ '^[0-9a-f]{64}$'", name=op.f("ck_messages_event_key")),
        sa.CheckConstraint("ref IS NULL OR carrier IS NOT NULL", name=op.f("ck_messages_ref_carrier")),
        sa.ForeignKeyConstraint(
            ["business_id", "author_id"],
            ["nexara.people.business_id", "nexara.people.id"],
            name=op.f("fk_messages_business_id_author_id"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "author_member_id"],
            ["nexara.members.business_id", "nexara.members.id"],
            name=op.f("fk_messages_business_id_author_member_id"),
            ondelete="SET NULL (author_member_id)",
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "conversation_id"],
            ["nexara.conversations.business_id", "nexara.conversations.id"],
            name=op.f("fk_messages_business_id_conversation_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_messages_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("messages_pkey")),
        sa.UniqueConstraint("business_id", "event_key", name=op.f("uq_messages_business_id_event_key")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_messages_business_id_author_id"),
        "messages",
        ["business_id", "author_id"],
        unique=False,
        schema="nexara",
    )
    op.create_index(
        op.f("ix_messages_business_id_author_member_id"),
        "messages",
        ["business_id", "author_member_id"],
        unique=False,
        schema="nexara",
    )
    op.create_index(
        op.f("ix_messages_business_id_conversation_id"),
        "messages",
        ["business_id", "conversation_id"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "participants",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.CheckConstraint("role IN ('caller', 'sender', 'guest')", name=op.f("ck_participants_role")),
        sa.ForeignKeyConstraint(
            ["business_id", "conversation_id"],
            ["nexara.conversations.business_id", "nexara.conversations.id"],
            name=op.f("fk_participants_business_id_conversation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "person_id"],
            ["nexara.people.business_id", "nexara.people.id"],
            name=op.f("fk_participants_business_id_person_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_participants_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("participants_pkey")),
        sa.UniqueConstraint(
            "business_id",
            "conversation_id",
            "person_id",
            name=op.f("uq_participants_business_id_conversation_id_person_id"),
        ),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_participants_business_id_person_id"),
        "participants",
        ["business_id", "person_id"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "product_events",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("visitor_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("props", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "jsonb_typeof(props) = 'object' AND props - ARRAY['page', 'feature', 'plan', 'source', 'count']::text[] = '{}'::jsonb",
            name=op.f("ck_product_events_props"),
        ),
        sa.CheckConstraint("name ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_product_events_name")),
        sa.ForeignKeyConstraint(
            ["business_id", "member_id"],
            ["nexara.members.business_id", "nexara.members.id"],
            name=op.f("fk_product_events_business_id_member_id"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "visitor_id"],
            ["nexara.visitors.business_id", "nexara.visitors.id"],
            name=op.f("fk_product_events_business_id_visitor_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_product_events_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("product_events_pkey")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_product_events_business_id_at"), "product_events", ["business_id", "at"], unique=False, schema="nexara"
    )
    op.create_index(
        op.f("ix_product_events_business_id_member_id"),
        "product_events",
        ["business_id", "member_id"],
        unique=False,
        schema="nexara",
    )
    op.create_index(
        op.f("ix_product_events_business_id_visitor_id"),
        "product_events",
        ["business_id", "visitor_id"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "quote_lines",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("quote_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=12, scale=3), nullable=False),
        sa.Column("price", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.CheckConstraint("place >= 0", name=op.f("ck_quote_lines_place")),
        sa.ForeignKeyConstraint(
            ["business_id", "quote_id"],
            ["nexara.quotes.business_id", "nexara.quotes.id"],
            name=op.f("fk_quote_lines_business_id_quote_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_quote_lines_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("quote_lines_pkey")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_quote_lines_business_id_quote_id"),
        "quote_lines",
        ["business_id", "quote_id"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "summaries",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("derived_from", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("model ~ '^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$'", name=op.f("ck_summaries_model")),
        sa.CheckConstraint("input_tokens >= 0", name=op.f("ck_summaries_input_tokens")),
        sa.CheckConstraint(
            "jsonb_typeof(derived_from) = 'array' AND NOT jsonb_path_exists(derived_from, '$[*] ? (@.type() != \"string\" || !(@ like_regex \"^[0-9a-f-]{36}$\"))')",
            name=op.f("ck_summaries_derived_from"),
        ),
        sa.CheckConstraint("output_tokens >= 0", name=op.f("ck_summaries_output_tokens")),
        sa.ForeignKeyConstraint(
            ["business_id", "conversation_id"],
            ["nexara.conversations.business_id", "nexara.conversations.id"],
            name=op.f("fk_summaries_business_id_conversation_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_summaries_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("summaries_pkey")),
        sa.UniqueConstraint("business_id", "conversation_id", name=op.f("uq_summaries_business_id_conversation_id")),
        schema="nexara",
    )
    op.create_table(
        "call_legs",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("carrier", sa.Text(), nullable=True),
        sa.Column("child_ref", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("carrier IN ('twilio', 'telnyx', 'vapi')", name=op.f("ck_call_legs_carrier")),
        sa.CheckConstraint("child_ref IS NULL OR carrier IS NOT NULL", name=op.f("ck_call_legs_child_ref_carrier")),
        sa.ForeignKeyConstraint(
            ["business_id", "call_id"],
            ["nexara.calls.business_id", "nexara.calls.id"],
            name=op.f("fk_call_legs_business_id_call_id"),
        ),
        sa.ForeignKeyConstraint(
            ["business_id", "member_id"],
            ["nexara.members.business_id", "nexara.members.id"],
            name=op.f("fk_call_legs_business_id_member_id"),
            ondelete="SET NULL (member_id)",
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_call_legs_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("call_legs_pkey")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_call_legs_business_id_call_id"), "call_legs", ["business_id", "call_id"], unique=False, schema="nexara"
    )
    op.create_index(
        op.f("ix_call_legs_business_id_member_id"),
        "call_legs",
        ["business_id", "member_id"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "message_media",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=True),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "carrier IN ('meta', '360dialog', 'twilio', 'telnyx')", name=op.f("ck_message_media_carrier")
        ),
        sa.CheckConstraint("ref IS NULL OR carrier IS NOT NULL", name=op.f("ck_message_media_ref_carrier")),
        sa.ForeignKeyConstraint(
            ["business_id", "message_id"],
            ["nexara.messages.business_id", "nexara.messages.id"],
            name=op.f("fk_message_media_business_id_message_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_message_media_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("message_media_pkey")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_message_media_business_id_message_id"),
        "message_media",
        ["business_id", "message_id"],
        unique=False,
        schema="nexara",
    )
    op.create_table(
        "recordings",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("leg_id", sa.Uuid(), nullable=False),
        sa.Column("object", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Numeric(precision=12, scale=3), nullable=True),
        sa.Column("twilio_ref", sa.Text(), nullable=True),
        sa.Column("telnyx_ref", sa.Text(), nullable=True),
        sa.Column("vapi_ref", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state <> 'stored' OR object IS NOT NULL", name=op.f("ck_recordings_stored")),
        sa.CheckConstraint("state IN ('pending', 'stored', 'unusable', 'deleted')", name=op.f("ck_recordings_state")),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_recordings_seconds")),
        sa.ForeignKeyConstraint(
            ["business_id", "leg_id"],
            ["nexara.call_legs.business_id", "nexara.call_legs.id"],
            name=op.f("fk_recordings_business_id_leg_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_recordings_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("recordings_pkey")),
        schema="nexara",
    )
    op.create_index(
        op.f("ix_recordings_business_id_created_at"),
        "recordings",
        ["business_id", "created_at"],
        unique=False,
        schema="nexara",
    )
    op.create_index(
        op.f("ix_recordings_business_id_leg_id"), "recordings", ["business_id", "leg_id"], unique=False, schema="nexara"
    )
    op.create_table(
        "transcripts",
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("recording_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("segments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("seconds", sa.Numeric(precision=12, scale=3), nullable=False),
        sa.Column("confidence", sa.Numeric(precision=6, scale=5), nullable=True),
        sa.Column("request_ref", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("language ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$'", name=op.f("ck_transcripts_language")),
        sa.CheckConstraint("confidence BETWEEN 0 AND 1", name=op.f("ck_transcripts_confidence")),
        sa.CheckConstraint(
            'jsonb_typeof(segments) = \'array\' AND NOT jsonb_path_exists(segments, \'$[*] ? (@.type() != "object")\') AND NOT jsonb_path_exists(segments, \'$[*].keyvalue().key ? (@ != "channel" && @ != "speaker" && @ != "start" && @ != "end" && @ != "text")\')',
            name=op.f("ck_transcripts_segments"),
        ),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_transcripts_seconds")),
        sa.ForeignKeyConstraint(
            ["business_id", "recording_id"],
            ["nexara.recordings.business_id", "nexara.recordings.id"],
            name=op.f("fk_transcripts_business_id_recording_id"),
        ),
        sa.ForeignKeyConstraint(["business_id"], ["nexara.businesses.id"], name=op.f("fk_transcripts_business_id")),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("transcripts_pkey")),
        sa.UniqueConstraint("business_id", "recording_id", name=op.f("uq_transcripts_business_id_recording_id")),
        schema="nexara",
    )
