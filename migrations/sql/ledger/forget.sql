-- What jobs know of rows that are about to be erased: the jobs of one business that name one of them end, and what had ended goes.
-- Ids are unique in the world, so one set is compared with whatever a payload or a cursor says, whichever field says it.

-- The jobs of a business, but one, whose payload or cursor names one of these ids; the sum of their fences, by which it shows
-- whether one of them has moved since; and the jobs that one of these enqueued. One reading of the whole table, and never a
-- walk over it by an index: there is none by business, since each would be written at every arrow of every job, and erasures
-- are rare.
CREATE FUNCTION ledger.jobs_naming(p_business uuid, p_but bigint, p_ids uuid[], OUT named bigint[], OUT fences bigint, OUT acted bigint[])
LANGUAGE plpgsql STABLE SET search_path = ledger, pg_temp
SET enable_seqscan = on SET enable_indexscan = off SET enable_bitmapscan = off AS $$
BEGIN
  WITH doomed AS MATERIALIZED (
    SELECT DISTINCT given::text AS id FROM unnest(p_ids) given
  ), found AS (
    SELECT j.id, j.fence, bool_or(said.named) AS named
    FROM jobs j
    CROSS JOIN LATERAL (
      SELECT p.value, true AS named FROM jsonb_each_text(j.payload) p
      UNION ALL
      SELECT c.value, true FROM jsonb_each_text(j.cursor) c
      UNION ALL
      SELECT j.actor::text, false WHERE j.actor IS NOT NULL
    ) said
    JOIN doomed d ON d.id = said.value
    WHERE j.business_id = p_business AND j.id <> p_but
    GROUP BY j.id, j.fence
  )
  SELECT coalesce(array_agg(f.id) FILTER (WHERE f.named), '{}'), coalesce(sum(f.fence) FILTER (WHERE f.named), 0),
         coalesce(array_agg(f.id) FILTER (WHERE NOT f.named), '{}')
  INTO named, fences, acted FROM found f;
END $$;

-- Called by a job, for its own business: end and forget the other jobs that name one of these ids. One that is open is cancelled
-- as `erased`, with nothing left in it that it named; one that runs finds, when it saves, that it has moved on. One that had
-- ended is deleted. Attempts and kept answers of both go. Returns how many jobs there were.
CREATE FUNCTION ledger.forget_jobs_v1(p_ids uuid[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  mine CONSTANT uuid := ledger.job_scope();
  me CONSTANT bigint := nullif(current_setting('nexara.job', true), '')::bigint;
  seen record;
  held record;
  gone integer;
  forgotten integer := 0;
BEGIN
  IF mine IS NULL THEN
    RAISE EXCEPTION 'only a job that holds its fence forgets others' USING ERRCODE = 'NX001';
  END IF;
  IF p_ids IS NULL OR array_position(p_ids, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'p_ids are ids, and none of them is null' USING ERRCODE = '22023';
  END IF;
  LOOP
    SELECT * INTO seen FROM ledger.jobs_naming(mine, me, p_ids);
    UPDATE jobs SET actor = NULL WHERE id = ANY (seen.acted);
    EXIT WHEN seen.named = '{}';
    -- In the order in which everybody locks. Who saves one of them right now ends first; what he enqueued is looked for below.
    PERFORM FROM jobs WHERE id = ANY (seen.named) ORDER BY id FOR UPDATE;
    SELECT count(*) AS jobs, coalesce(sum(fence), 0) AS fences INTO held FROM jobs WHERE id = ANY (seen.named);
    DELETE FROM kept_answers WHERE job_id = ANY (seen.named);
    DELETE FROM attempts WHERE job_id = ANY (seen.named);
    DELETE FROM jobs WHERE id = ANY (seen.named) AND finished_at IS NOT NULL;
    GET DIAGNOSTICS gone = ROW_COUNT;
    forgotten := forgotten + gone;
    UPDATE jobs
    SET state = 'cancelled', fence = fence + 1, reason = 'erased', finished_at = clock_timestamp(), worker_id = NULL,
        again = false, payload = '{}', unique_key = NULL, cursor = NULL, actor = NULL
    WHERE id = ANY (seen.named);
    GET DIAGNOSTICS gone = ROW_COUNT;
    forgotten := forgotten + gone;
    EXIT WHEN held.jobs = cardinality(seen.named) AND held.fences = seen.fences;
  END LOOP;
  UPDATE batches SET actor = NULL WHERE business_id = mine AND actor = ANY (p_ids);
  -- What would follow a batch, and is about what is gone, does not follow it.
  DELETE FROM batch_follow_ups f USING batches b
  WHERE b.id = f.batch_id AND b.business_id = mine
    AND EXISTS (SELECT FROM jsonb_each_text(f.payload) p WHERE p.value = ANY (p_ids::text[]));
  RETURN forgotten;
END $$;

-- Called by a job, for its own business: what vendors answered to open jobs that name one of these ids goes, since a part of
-- what it was made of goes. The jobs stay, and ask again if they have to. Returns how many answers there were.
CREATE FUNCTION ledger.forget_answers_v1(p_ids uuid[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  mine CONSTANT uuid := ledger.job_scope();
  gone integer;
BEGIN
  IF mine IS NULL THEN
    RAISE EXCEPTION 'only a job that holds its fence forgets others' USING ERRCODE = 'NX001';
  END IF;
  DELETE FROM kept_answers a USING jobs j
  WHERE j.id = a.job_id AND j.business_id = mine
    AND EXISTS (SELECT FROM jsonb_each_text(j.payload) p WHERE p.value = ANY (p_ids::text[]));
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;

-- A whole business is to be erased: its keys to the HTTP API open nothing from now on; they go with its other rows. Called by
-- the trigger that notes how far such an erasure is.
CREATE FUNCTION ledger.end_api_keys(p_business uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
BEGIN
  UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE business_id = p_business;
END $$;

ALTER FUNCTION ledger.end_api_keys(uuid) OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.end_api_keys(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.end_api_keys(uuid) TO nexara_scribe;
ALTER FUNCTION ledger.jobs_naming(uuid, bigint, uuid[]) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.forget_jobs_v1(uuid[]) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.forget_answers_v1(uuid[]) OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.jobs_naming(uuid, bigint, uuid[]), ledger.forget_jobs_v1(uuid[]),
  ledger.forget_answers_v1(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.forget_jobs_v1(uuid[]), ledger.forget_answers_v1(uuid[]) TO tenant_job;
