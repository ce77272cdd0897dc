-- The ledger's own rows end too: at most p_limit of each table a call, oldest first; returns the most that went of one.
CREATE FUNCTION ledger.prune_v1(p_as_of timestamptz, p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  gone integer;
  most integer := 0;
  due uuid[];
BEGIN
  IF nexara.scope() IS DISTINCT FROM '00000000-0000-0000-0000-000000000000' THEN
    RAISE EXCEPTION 'only a job of the house prunes the ledger' USING ERRCODE = '42501';
  END IF;
  DELETE FROM jobs WHERE id = ANY (ARRAY(
    SELECT id FROM jobs WHERE state = ANY ('{succeeded,dead,cancelled,discarded}') AND finished_at < p_as_of - interval '30 days'
    LIMIT p_limit FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS most = ROW_COUNT;
  -- Attempts are numbered as they end: the lowest numbers alone are looked at, for no index has their times.
  DELETE FROM attempts WHERE id = ANY (ARRAY(
    SELECT id FROM (SELECT id, ended_at FROM attempts ORDER BY id LIMIT p_limit) oldest
    WHERE ended_at < p_as_of - interval '30 days'));
  GET DIAGNOSTICS gone = ROW_COUNT;
  most := greatest(most, gone);
  DELETE FROM kept_answers WHERE (job_id, input_hash) IN (
    SELECT job_id, input_hash FROM kept_answers WHERE kept_at < p_as_of - interval '7 days'
    ORDER BY kept_at LIMIT p_limit);
  GET DIAGNOSTICS gone = ROW_COUNT;
  most := greatest(most, gone);
  DELETE FROM idempotency_keys WHERE (business_id, digest) IN (
    SELECT business_id, digest FROM idempotency_keys WHERE created_at < p_as_of - interval '24 hours'
    ORDER BY created_at LIMIT p_limit);
  GET DIAGNOSTICS gone = ROW_COUNT;
  most := greatest(most, gone);
  -- A batch goes with its last member, and not while what follows it is still to be done.
  due := ARRAY(
    SELECT b.id FROM batches b WHERE b.completed_at < p_as_of - interval '30 days' AND NOT EXISTS (
      SELECT FROM batch_follow_ups f JOIN jobs j ON j.id = f.job_id WHERE f.batch_id = b.id AND j.finished_at IS NULL)
    ORDER BY b.completed_at LIMIT p_limit);
  DELETE FROM batch_members WHERE (job_id, batch_id) IN (
    SELECT job_id, batch_id FROM batch_members WHERE batch_id = ANY (due) LIMIT p_limit);
  GET DIAGNOSTICS gone = ROW_COUNT;
  most := greatest(most, gone);
  due := ARRAY(SELECT b FROM unnest(due) b WHERE NOT EXISTS (SELECT FROM batch_members m WHERE m.batch_id = b));
  DELETE FROM batch_follow_ups WHERE batch_id = ANY (due);
  DELETE FROM batches WHERE id = ANY (due);
  GET DIAGNOSTICS gone = ROW_COUNT;
  most := greatest(most, gone);
  DELETE FROM operations WHERE finished_at < p_as_of - interval '90 days';
  DELETE FROM audit WHERE id IN (
    SELECT id FROM audit WHERE at < p_as_of - interval '731 days' ORDER BY at LIMIT p_limit);
  GET DIAGNOSTICS gone = ROW_COUNT;
  most := greatest(most, gone);
  DELETE FROM pace WHERE minute < p_as_of - interval '8 days';
  DELETE FROM durations WHERE hour < p_as_of - interval '8 days';
  DELETE FROM sessions WHERE made_at < p_as_of - interval '12 hours';
  DELETE FROM operators o WHERE o.disabled_at < p_as_of - interval '731 days'
    AND NOT EXISTS (SELECT FROM sessions s WHERE s.operator_id = o.id);
  DELETE FROM sign_in_tries WHERE since < p_as_of - interval '15 minutes';
  DELETE FROM pauses WHERE ended_at < p_as_of - interval '90 days' AND settled;
  DELETE FROM ticks WHERE due_at < p_as_of - interval '90 days';
  DELETE FROM workers w WHERE w.heartbeat_at < p_as_of - interval '1 hour'
    AND NOT EXISTS (SELECT FROM jobs j WHERE j.worker_id = w.id AND j.state = 'running');
  RETURN most;
END $$;

ALTER FUNCTION ledger.prune_v1(timestamptz, integer) OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.prune_v1(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.prune_v1(timestamptz, integer) TO tenant_job;
