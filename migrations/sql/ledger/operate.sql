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

-- The open job that holds a key; NULL: nobody does. p_but is the job that wants to have it.
CREATE FUNCTION ledger.open_twin(p_kind text, p_key bytea, p_but bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN (SELECT j.id FROM jobs j
          WHERE j.kind = p_kind AND j.unique_key = p_key AND j.id <> p_but
            AND (j.state IN ('scheduled', 'retryable', 'parked', 'available', 'dispatched') OR (j.until_done AND j.state = 'running'))
          LIMIT 1);
END $$;

-- Make jobs that wait or have failed due again, with all their attempts before them: the first at p_first, each other one
-- p_step after the one before it. Whoever asks has locked them. Raises unique_violation if one's key is taken.
CREATE FUNCTION ledger.due_again(p_ids bigint[], p_first timestamptz, p_step interval) RETURNS integer
LANGUAGE plpgsql SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  present CONSTANT timestamptz := clock_timestamp();
  opened integer;
BEGIN
  UPDATE jobs j
  SET state = CASE WHEN turn.due > present THEN 'scheduled' ELSE 'available' END, fence = j.fence + 1, attempt = 0, rescues = 0,
      run_at = turn.due, finished_at = NULL, started_at = NULL, worker_id = NULL, cancel_requested_at = NULL,
      reason = CASE WHEN turn.due > present THEN 'spread' END, fingerprint = NULL, failed_at = NULL,
      give_up_at = turn.due + coalesce((SELECT k.give_up_after FROM job_kinds k WHERE k.kind = j.kind), interval '1 day')
  FROM (SELECT w.id, p_first + (w.place - 1) * p_step AS due FROM unnest(p_ids) WITH ORDINALITY w(id, place)) turn
  WHERE j.id = turn.id AND j.id = ANY (p_ids);
  GET DIAGNOSTICS opened = ROW_COUNT;
  RETURN opened;
END $$;

-- Who retries a job whose kind waits for a setting has mended it: if not, the first job pauses its kind again.
CREATE FUNCTION ledger.mended(p_kind text, p_business_id uuid) RETURNS void
LANGUAGE sql SET search_path = ledger, pg_temp AS $$
  UPDATE pauses p SET ended_at = clock_timestamp(), ended_by = 'a retry by hand'
  WHERE p.ended_at IS NULL AND p.kind = p_kind AND p.code IS NOT NULL AND coalesce(p.business_id = p_business_id, true)
$$;

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
  twin bigint;
BEGIN
  IF j.state NOT IN ('dead', 'cancelled', 'discarded', 'parked', 'retryable', 'scheduled') THEN
    RAISE EXCEPTION 'job % is %: only a job that waits or has failed can be retried', p_id, j.state USING ERRCODE = '22023';
  END IF;
  IF j.reason = 'erased' THEN
    RAISE EXCEPTION 'what job % was about has been erased: there is nothing to retry', p_id USING ERRCODE = '22023';
  END IF;
  PERFORM ledger.mended(j.kind, j.business_id);
  IF ledger.is_paused(j.queue, j.kind, j.business_id) THEN
    RAISE EXCEPTION 'job % waits for a pause: resume that first', p_id USING ERRCODE = '22023';
  END IF;
  twin := ledger.open_twin(j.kind, j.unique_key, p_id);
  IF twin IS NOT NULL THEN
    RAISE EXCEPTION 'job % has a newer twin that is already open, job %: retry or discard that one', p_id, twin
      USING ERRCODE = '22023';
  END IF;
  PERFORM ledger.due_again(ARRAY[p_id], now(), interval '0');
  PERFORM ledger.knock();
  RETURN 'available';
END $$;

-- Run a job that waits at once: it is due now, and its attempts stay as they are. Returns its state.
CREATE FUNCTION ledger.run_now_v1(p_id bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  j jobs := ledger.taken_by_hand(p_id);
BEGIN
  IF j.state NOT IN ('scheduled', 'retryable', 'parked') THEN
    RAISE EXCEPTION 'job % is %: only a job that waits for a time or a setting can be run now', p_id, j.state USING ERRCODE = '22023',
      HINT = 'retry a job that has ended';
  END IF;
  PERFORM ledger.mended(j.kind, j.business_id);
  IF ledger.is_paused(j.queue, j.kind, j.business_id) THEN
    RAISE EXCEPTION 'job % waits for a pause: resume that first', p_id USING ERRCODE = '22023';
  END IF;
  UPDATE jobs SET state = 'available', fence = fence + 1, run_at = now(), reason = NULL WHERE id = p_id;
  PERFORM ledger.knock();
  RETURN 'available';
END $$;

-- Give a job that waits or has failed another payload, checked as if it were enqueued, and retry it. Returns the payload as
-- it is stored now; raises what is wrong with it, or which open job does the same already.
CREATE FUNCTION ledger.edit_job_v1(p_id bigint, p_payload jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  j jobs := ledger.taken_by_hand(p_id);
  k job_kinds := ledger.asked_kind(j.kind, NULL, NULL);
  canonical jsonb := ledger.canonical_payload(j.kind, k.fields, p_payload);
  digest bytea := ledger.key_of(j.business_id, canonical, k.unique_by);
  twin bigint;
BEGIN
  IF canonical = j.payload THEN
    RAISE EXCEPTION 'nothing of the payload was changed: retry the job as it is' USING ERRCODE = '22023';
  END IF;
  IF j.state NOT IN ('dead', 'cancelled', 'discarded', 'parked', 'retryable', 'scheduled') THEN
    RAISE EXCEPTION 'job % is %: only a job that waits or has failed can be changed', p_id, j.state USING ERRCODE = '22023';
  END IF;
  twin := ledger.open_twin(j.kind, digest, p_id);
  IF twin IS NOT NULL THEN
    RAISE EXCEPTION 'with this payload job % would do what job % is about to do already: change it otherwise, or leave it to that one',
      p_id, twin USING ERRCODE = '22023';
  END IF;
  -- What was kept of a vendor's answer stays: it is found only by who asks the same.
  UPDATE jobs SET payload = canonical, unique_key = digest, until_done = k.until_done, cursor = NULL WHERE id = p_id;
  PERFORM ledger.retry_job_v1(p_id);
  RETURN canonical;
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

DO $$
DECLARE
  f regprocedure;
BEGIN
  FOR f IN
    SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace = 'ledger'::regnamespace AND p.proname IN (
      'taken_by_hand', 'take_job_v1', 'open_twin', 'due_again', 'mended', 'retry_job_v1', 'run_now_v1', 'edit_job_v1',
      'discard_job_v1', 'cancel_job_v1', 'snooze_job_v1')
  LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO nexara_ledger', f);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
    IF f::text ~ '_v1\(' THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO nexara_dashboard', f);
    END IF;
  END LOOP;
END $$;
