-- What on-call may do to a job. NOWAIT: a row that is being saved right now is the worker's.

-- Retry a job that is dead, cancelled, discarded, parked or waiting: available now, with its attempts before it.
-- Returns its state, or raises what to do instead.
CREATE FUNCTION ledger.retry_job_v1(p_id bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  j jobs;
  k job_kinds;
BEGIN
  SELECT * INTO j FROM jobs WHERE id = p_id FOR UPDATE NOWAIT;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no job %', p_id USING ERRCODE = '22023';
  END IF;
  IF j.state NOT IN ('dead', 'cancelled', 'discarded', 'parked', 'retryable', 'scheduled') THEN
    RAISE EXCEPTION 'job % is %: only a job that waits or has failed can be retried', p_id, j.state USING ERRCODE = '22023';
  END IF;
  SELECT * INTO k FROM job_kinds WHERE kind = j.kind;
  BEGIN
    UPDATE jobs
    SET state = 'available', fence = fence + 1, attempt = 0, rescues = 0, run_at = now(), finished_at = NULL, reason = NULL,
        started_at = NULL, worker_id = NULL, give_up_at = now() + coalesce(k.give_up_after, interval '1 day')
    WHERE id = p_id;
  EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'job % has a newer twin that is already open: retry or discard that one', p_id USING ERRCODE = '22023';
  END;
  IF EXISTS (SELECT FROM bell WHERE asleep) THEN
    PERFORM pg_notify('nexara_bell', '');
  END IF;
  RETURN 'available';
END $$;

-- Put a job aside for good. A running one is left to end by itself.
CREATE FUNCTION ledger.discard_job_v1(p_id bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  was text;
BEGIN
  SELECT state INTO was FROM jobs WHERE id = p_id FOR UPDATE NOWAIT;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no job %', p_id USING ERRCODE = '22023';
  END IF;
  IF was IN ('running', 'succeeded', 'discarded') THEN
    RAISE EXCEPTION 'job % is %: there is nothing to discard', p_id, was USING ERRCODE = '22023';
  END IF;
  UPDATE jobs SET state = 'discarded', fence = fence + 1, reason = 'by_hand', finished_at = clock_timestamp() WHERE id = p_id;
  DELETE FROM kept_answers WHERE job_id = p_id;
  RETURN 'discarded';
END $$;

ALTER FUNCTION ledger.retry_job_v1(bigint) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.discard_job_v1(bigint) OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.retry_job_v1(bigint), ledger.discard_job_v1(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.retry_job_v1(bigint), ledger.discard_job_v1(bigint) TO nexara_dashboard;
