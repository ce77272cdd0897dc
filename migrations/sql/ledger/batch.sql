-- Batches: many jobs, and what is enqueued once when all of them have ended. A batch is open until it is sealed; what is sealed
-- and has no open job completes. How the end of a job reaches its batch is said in settle.sql.

-- The batch that a caller names; of another business's there is none.
CREATE FUNCTION ledger.batch_named(p_batch uuid) RETURNS ledger.batches
LANGUAGE plpgsql STABLE SET search_path = ledger, pg_temp AS $$
DECLARE
  house CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
  mine CONSTANT uuid := nexara.scope();
  b batches;
BEGIN
  IF mine IS NULL AND current_setting('role') = 'tenant_job' THEN
    RAISE EXCEPTION 'this job no longer holds its fence' USING ERRCODE = 'NX001';
  END IF;
  SELECT * INTO b FROM batches WHERE id = p_batch;
  IF NOT FOUND OR (mine <> house AND mine <> b.business_id) THEN
    RAISE EXCEPTION 'there is no such batch' USING ERRCODE = '22023',
      HINT = 'a batch is of one business, and is forgotten 30 days after it completed';
  END IF;
  RETURN b;
END $$;

-- Open a batch; returns its id, which is p_id if that is given. What follows is {"kind", "payload", "priority"?}: p_then however
-- the jobs end, p_if_succeeded if each of them succeeded, p_if_died if at least one is dead. Each is checked now, and enqueued
-- for the batch's business when the batch completes. 22023: DETAIL says which of the three is refused.
CREATE FUNCTION ledger.open_batch_v1(
  p_then jsonb DEFAULT NULL,
  p_if_succeeded jsonb DEFAULT NULL,
  p_if_died jsonb DEFAULT NULL,
  p_business_id uuid DEFAULT NULL,
  p_id uuid DEFAULT NULL,
  p_actor uuid DEFAULT NULL
) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  business CONSTANT uuid := ledger.business_for(p_business_id);
  batch CONSTANT uuid := coalesce(p_id, gen_random_uuid());
  root bigint;
  follows record;
  at text;
  said text;
  advice text;
BEGIN
  IF num_nonnulls(p_then, p_if_succeeded, p_if_died) = 0 THEN
    RAISE EXCEPTION 'a batch says what follows it: then, if_succeeded or if_died' USING ERRCODE = '22023';
  END IF;
  IF current_setting('role') = 'tenant_job' THEN
    SELECT root_id INTO root FROM jobs WHERE id = nullif(current_setting('nexara.job', true), '')::bigint;
  END IF;
  INSERT INTO batches (id, business_id, root_id, actor)
  VALUES (batch, business, coalesce(root, nextval('ledger.jobs_id_seq')), p_actor)
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a batch of this id is there already' USING ERRCODE = '22023', HINT = 'give each batch a new UUID';
  END IF;
  BEGIN
    FOR follows IN
      SELECT * FROM (VALUES ('then', p_then), ('if_succeeded', p_if_succeeded), ('if_died', p_if_died)) f (cue, job)
      WHERE job IS NOT NULL
    LOOP
      at := follows.cue;
      IF follows.job ->> 'priority' !~ '^[0-3]$' THEN
        RAISE EXCEPTION 'a priority is 0 (first) to 3 (last)' USING ERRCODE = '22023';
      END IF;
      INSERT INTO batch_follow_ups (batch_id, cue, kind, payload, priority)
      SELECT batch, follows.cue, k.kind, ledger.canonical_payload(k.kind, k.fields, follows.job -> 'payload'),
             (follows.job ->> 'priority')::integer
      FROM ledger.asked_kind(follows.job ->> 'kind', (follows.job ->> 'priority')::integer, NULL) k;
    END LOOP;
  EXCEPTION WHEN invalid_parameter_value THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, advice = PG_EXCEPTION_HINT;
    RAISE EXCEPTION '%', said USING ERRCODE = '22023', HINT = advice, DETAIL = at;
  END;
  RETURN batch;
END $$;

-- Put jobs into a batch: new ones, in the transaction that enqueues them, and open ones that are there already, for which the
-- batch then waits too; one that has ended counts as it ended. A sealed batch takes jobs from its own jobs alone, while they are
-- saved. What this transaction enqueued joins the batch's chain. Returns how many joined.
CREATE FUNCTION ledger.add_to_batch_v1(p_batch uuid, p_jobs bigint[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  house CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
  b batches := ledger.batch_named(p_batch);
  joined integer;
BEGIN
  IF b.sealed_at IS NULL THEN
    -- Sealing waits until this transaction ends: it must not complete what is still being filled.
    SELECT * INTO b FROM batches WHERE id = p_batch FOR SHARE;
  END IF;
  IF b.sealed_at IS NOT NULL AND NOT (current_setting('role') = 'tenant_job' AND EXISTS (
      SELECT FROM batch_members
      WHERE job_id = nullif(current_setting('nexara.job', true), '')::bigint AND batch_id = p_batch)) THEN
    RAISE EXCEPTION 'this batch is sealed: only its own jobs may still add to it' USING ERRCODE = '22023',
      HINT = 'add all jobs before seal_batch_v1, or open another batch';
  END IF;
  -- Locked in one order, so that none of them ends in between, and nobody waits for one that waits for him.
  PERFORM FROM jobs WHERE id = ANY (p_jobs) ORDER BY id FOR NO KEY UPDATE;
  IF EXISTS (
    SELECT FROM unnest(p_jobs) given (id) LEFT JOIN LATERAL (
      SELECT j.business_id FROM jobs j WHERE j.id = given.id OFFSET 0) found ON true
    WHERE found.business_id IS NULL OR (b.business_id <> house AND found.business_id <> b.business_id)
  ) THEN
    RAISE EXCEPTION 'a batch holds jobs of its own business, and one that was named is none' USING ERRCODE = '22023';
  END IF;
  UPDATE jobs SET in_batch = true, root_id = CASE WHEN enqueued_at = now() THEN b.root_id ELSE root_id END
  WHERE id = ANY (p_jobs) AND (NOT in_batch OR enqueued_at = now());
  INSERT INTO batch_members (job_id, batch_id, state)
  SELECT id, p_batch, CASE WHEN finished_at IS NOT NULL THEN state END FROM jobs WHERE id = ANY (p_jobs) ORDER BY id
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS joined = ROW_COUNT;
  RETURN joined;
END $$;

-- Nothing is added any more but by the batch's own jobs. Completes it at once if none is open; twice is as good as once.
CREATE FUNCTION ledger.seal_batch_v1(p_batch uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
BEGIN
  PERFORM ledger.batch_named(p_batch);
  UPDATE batches SET sealed_at = clock_timestamp() WHERE id = p_batch AND sealed_at IS NULL;
  IF FOUND THEN
    PERFORM ledger.complete_batch(p_batch);
  END IF;
END $$;

-- How a batch stands. Ends are counted within a second.
CREATE FUNCTION ledger.see_batch(p_batch uuid)
RETURNS TABLE (id uuid, business_id uuid, state text, members integer, open integer, succeeded integer, dead integer,
               cancelled integer, discarded integer, opened_at timestamptz, sealed_at timestamptz, completed_at timestamptz)
LANGUAGE sql STABLE SET search_path = ledger, pg_temp AS $$
  SELECT b.id, b.business_id,
         CASE WHEN b.completed_at IS NOT NULL THEN 'complete' WHEN b.sealed_at IS NOT NULL THEN 'sealed' ELSE 'open' END,
         n.members::integer, n.open::integer, n.succeeded::integer, n.dead::integer, n.cancelled::integer,
         n.discarded::integer, b.opened_at, b.sealed_at, b.completed_at
  FROM batches b, LATERAL (
    SELECT count(*) AS members, count(*) FILTER (WHERE m.state IS NULL) AS open,
           count(*) FILTER (WHERE m.state = 'succeeded') AS succeeded, count(*) FILTER (WHERE m.state = 'dead') AS dead,
           count(*) FILTER (WHERE m.state = 'cancelled') AS cancelled,
           count(*) FILTER (WHERE m.state = 'discarded') AS discarded
    FROM batch_members m WHERE m.batch_id = b.id) n
  WHERE b.id = p_batch
$$;

-- How a batch of the caller's own business stands.
CREATE FUNCTION ledger.batch_v1(p_batch uuid)
RETURNS TABLE (id uuid, business_id uuid, state text, members integer, open integer, succeeded integer, dead integer,
               cancelled integer, discarded integer, opened_at timestamptz, sealed_at timestamptz, completed_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
BEGIN
  PERFORM ledger.batch_named(p_batch);
  RETURN QUERY SELECT * FROM ledger.see_batch(p_batch);
END $$;

-- The batches of the job that asks.
CREATE FUNCTION ledger.my_batches_v1() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
  SELECT batch_id FROM batch_members
  WHERE job_id = nullif(current_setting('nexara.job', true), '')::bigint AND nexara.scope() IS NOT NULL
  ORDER BY batch_id
$$;

DO $$
DECLARE
  f regprocedure;
BEGIN
  FOREACH f IN ARRAY ARRAY[
    'ledger.batch_named(uuid)', 'ledger.open_batch_v1(jsonb, jsonb, jsonb, uuid, uuid, uuid)',
    'ledger.add_to_batch_v1(uuid, bigint[])', 'ledger.seal_batch_v1(uuid)', 'ledger.see_batch(uuid)',
    'ledger.batch_v1(uuid)', 'ledger.my_batches_v1()']::regprocedure[]
  LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO nexara_ledger', f);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
    IF f::text ~ '(open_batch_v1|add_to_batch_v1|seal_batch_v1|batch_v1)\(' AND f::text !~ 'my_batches' THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO tenant_job, nexara_web, nexara_worker, nexara_dashboard, nexara_owner', f);
    END IF;
  END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION ledger.my_batches_v1() TO tenant_job;
