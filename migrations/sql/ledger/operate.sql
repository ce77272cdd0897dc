-- What on-call may do to a job. NOWAIT: a row that is being saved right now is the worker's.

-- The row of a job, locked for whoever changes it by hand.
CREATE FUNCTION ledger.taken_by_hand(p_id bigint) RETURNS ledger.jobs
LANGUAGE plpgsql SET search_path = ledger, pg_temp AS $$
DECLARE
  j jobs;
BEGIN
  SELECT * INTO j FROM jobs WHERE id = p_id FOR UPDATE NOWAIT;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no job %', p_id USING ERRCODE = '22023';
  END IF;
  RETURN j;
END $$;

-- How a job stands, for the audit, locked until the transaction ends: what follows in it is what was changed.
CREATE FUNCTION ledger.take_job_v1(p_id bigint) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  j jobs := ledger.taken_by_hand(p_id);
BEGIN
  RETURN jsonb_build_object('state', j.state, 'reason', j.reason, 'attempt', j.attempt, 'run_at', j.run_at)
    || CASE WHEN j.cancel_requested_at IS NULL THEN '{}' ELSE jsonb_build_object('cancel_requested_at', j.cancel_requested_at) END;
END $$;

-- Retry a job that is dead, cancelled, discarded, parked or waiting: available now, with its attempts before it.
-- Returns its state, or raises what to do instead.
CREATE FUNCTION ledger.retry_job_v1(p_id bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  j jobs := ledger.taken_by_hand(p_id);
  k job_kinds;
BEGIN
  IF j.state NOT IN ('dead', 'cancelled', 'discarded', 'parked', 'retryable', 'scheduled') THEN
    RAISE EXCEPTION 'job % is %: only a job that waits or has failed can be retried', p_id, j.state USING ERRCODE = '22023';
  END IF;
  -- Who retries a job whose kind waits for a setting has mended it: if not, the first job pauses its kind again.
  UPDATE pauses p SET ended_at = clock_timestamp(), ended_by = 'a retry by hand'
  WHERE p.ended_at IS NULL AND p.kind = j.kind AND p.code IS NOT NULL
    AND coalesce(p.business_id = j.business_id, true);
  IF ledger.is_paused(j.queue, j.kind, j.business_id) THEN
    RAISE EXCEPTION 'job % waits for a pause: resume that first', p_id USING ERRCODE = '22023';
  END IF;
  SELECT * INTO k FROM job_kinds WHERE kind = j.kind;
  BEGIN
    UPDATE jobs
    SET state = 'available', fence = fence + 1, attempt = 0, rescues = 0, run_at = now(), finished_at = NULL, reason = NULL,
        cancel_requested_at = NULL, started_at = NULL, worker_id = NULL, give_up_at = now() + coalesce(k.give_up_after, interval '1 day')
    WHERE id = p_id;
  EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'job % has a newer twin that is already open: retry or discard that one', p_id USING ERRCODE = '22023';
  END;
  PERFORM ledger.knock();
  RETURN 'available';
END $$;

-- Put a job aside for good. A running one is left to end by itself.
CREATE FUNCTION ledger.discard_job_v1(p_id bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  was text := (ledger.taken_by_hand(p_id)).state;
BEGIN
  IF was IN ('running', 'succeeded', 'discarded') THEN
    RAISE EXCEPTION 'job % is %: there is nothing to discard', p_id, was USING ERRCODE = '22023';
  END IF;
  UPDATE jobs SET state = 'discarded', fence = fence + 1, reason = 'by_hand', finished_at = clock_timestamp() WHERE id = p_id;
  DELETE FROM kept_answers WHERE job_id = p_id;
  RETURN 'discarded';
END $$;

-- End a job that need not be done any more: at once if nobody runs it; a running one at its next checkpoint, of which it
-- is told with its worker's next heartbeat. What it saves before that is saved. Returns its state.
CREATE FUNCTION ledger.cancel_job_v1(p_id bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  was text := (ledger.taken_by_hand(p_id)).state;
BEGIN
  IF was IN ('succeeded', 'dead', 'cancelled', 'discarded') THEN
    RAISE EXCEPTION 'job % is %: there is nothing to cancel', p_id, was USING ERRCODE = '22023';
  END IF;
  IF was = 'running' THEN
    UPDATE jobs SET cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()) WHERE id = p_id;
    RETURN was;
  END IF;
  UPDATE jobs SET state = 'cancelled', fence = fence + 1, reason = 'by_hand', finished_at = clock_timestamp() WHERE id = p_id;
  DELETE FROM kept_answers WHERE job_id = p_id;
  RETURN 'cancelled';
END $$;

-- Put off a job that waits until a moment, within a year; its attempts stay as they are.
CREATE FUNCTION ledger.snooze_job_v1(p_id bigint, p_until timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  was text := (ledger.taken_by_hand(p_id)).state;
BEGIN
  IF p_until IS NULL OR p_until <= clock_timestamp() OR p_until > now() + interval '366 days' THEN
    RAISE EXCEPTION 'a job is put off until a moment within a year from now' USING ERRCODE = '22023';
  END IF;
  IF was NOT IN ('scheduled', 'retryable', 'available', 'dispatched') THEN
    RAISE EXCEPTION 'job % is %: only a job that waits can be put off', p_id, was USING ERRCODE = '22023';
  END IF;
  UPDATE jobs
  SET state = CASE WHEN was = 'retryable' THEN 'retryable' ELSE 'scheduled' END, fence = fence + 1, run_at = p_until,
      give_up_at = greatest(give_up_at, p_until + (give_up_at - enqueued_at)), reason = 'snoozed'
  WHERE id = p_id
  RETURNING state INTO was;
  RETURN was;
END $$;

ALTER FUNCTION ledger.taken_by_hand(bigint) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.take_job_v1(bigint) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.cancel_job_v1(bigint) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.snooze_job_v1(bigint, timestamptz) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.retry_job_v1(bigint) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.discard_job_v1(bigint) OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.taken_by_hand(bigint), ledger.retry_job_v1(bigint), ledger.discard_job_v1(bigint), ledger.cancel_job_v1(bigint),
  ledger.snooze_job_v1(bigint, timestamptz), ledger.take_job_v1(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.retry_job_v1(bigint), ledger.discard_job_v1(bigint), ledger.cancel_job_v1(bigint),
  ledger.snooze_job_v1(bigint, timestamptz), ledger.take_job_v1(bigint) TO nexara_dashboard;
