-- What the HTTP API asks of batches: all of one in one transaction, for the key's own business.

-- Enqueue all of p_jobs or none as one sealed batch; p_follow is {"then"?, "if_succeeded"?, "if_died"?}. A repetition with p_once
-- is answered as by api_enqueue_v1. 22023: what is refused; DETAIL is a job's place in the list, or which of the follow-ups.
CREATE FUNCTION ledger.api_enqueue_batch_v1(p_id uuid, p_digest bytea, p_jobs jsonb, p_follow jsonb, p_once bytea,
                                            p_request bytea)
RETURNS TABLE (batch_id uuid, job_ids bigint[], replayed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
#variable_conflict use_column
DECLARE
  business CONSTANT uuid := ledger.api_business(p_id, p_digest, 'jobs:write');
  batch uuid;
  ids bigint[];
  known boolean;
  upkeep text;
BEGIN
  SELECT e.job_ids, e.replayed INTO ids, known FROM ledger.api_enqueue_v1(p_id, p_digest, p_jobs, p_once, p_request) e;
  IF known THEN
    RETURN QUERY SELECT i.batch_id, ids, true FROM idempotency_keys i WHERE i.business_id = business AND i.digest = p_once;
    RETURN;
  END IF;
  SELECT f.key INTO upkeep FROM jsonb_each(p_follow) f JOIN job_kinds k ON k.kind = f.value ->> 'kind' WHERE k.queue = 'upkeep';
  IF FOUND THEN
    RAISE EXCEPTION 'jobs of kind % are enqueued by the timetable alone', p_follow -> upkeep ->> 'kind'
      USING ERRCODE = '22023', DETAIL = upkeep;
  END IF;
  batch := ledger.open_batch_v1(p_follow -> 'then', p_follow -> 'if_succeeded', p_follow -> 'if_died', business,
                                p_actor => p_id);
  PERFORM ledger.add_to_batch_v1(batch, ids);
  PERFORM ledger.seal_batch_v1(batch);
  UPDATE idempotency_keys i SET batch_id = batch WHERE i.business_id = business AND i.digest = p_once;
  RETURN QUERY SELECT batch, ids, false;
END $$;

-- How one batch of the key's own business stands; no row for another's.
CREATE FUNCTION ledger.api_batch_v1(p_id uuid, p_digest bytea, p_batch uuid)
RETURNS TABLE (id uuid, state text, members integer, open integer, succeeded integer, dead integer, cancelled integer,
               discarded integer, opened_at timestamptz, sealed_at timestamptz, completed_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  business CONSTANT uuid := ledger.api_business(p_id, p_digest, 'jobs:read');
BEGIN
  RETURN QUERY
    SELECT b.id, b.state, b.members, b.open, b.succeeded, b.dead, b.cancelled, b.discarded, b.opened_at, b.sealed_at,
           b.completed_at
    FROM ledger.see_batch(p_batch) b WHERE b.business_id = business;
END $$;

DO $$
DECLARE
  f regprocedure;
BEGIN
  FOREACH f IN ARRAY ARRAY[
    'ledger.api_enqueue_batch_v1(uuid, bytea, jsonb, jsonb, bytea, bytea)',
    'ledger.api_batch_v1(uuid, bytea, uuid)']::regprocedure[]
  LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO nexara_ledger', f);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO nexara_dashboard', f);
  END LOOP;
END $$;
