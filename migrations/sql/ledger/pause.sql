-- Pauses: of a queue, a kind, a business, or of what is all that a pause names. Durable, and never silent: what waits for one
-- is parked, where it is seen. No arrow asks for pauses but the pick and the claim; the others cost nothing more.

-- Whether a job waits for a pause.
CREATE FUNCTION ledger.is_paused(p_queue text, p_kind text, p_business_id uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = ledger, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM pauses p
    WHERE p.ended_at IS NULL AND coalesce(p.queue = p_queue, true) AND coalesce(p.kind = p_kind, true)
      AND coalesce(p.business_id = p_business_id, true))
$$;

-- Nothing that this names is picked or claimed from here on; returns the pause, or the one that is there already.
CREATE FUNCTION ledger.pause_v1(p_who text, p_why text, p_queue text DEFAULT NULL, p_kind text DEFAULT NULL,
                                p_business_id uuid DEFAULT NULL, p_code text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  found_id bigint;
BEGIN
  IF num_nonnulls(p_queue, p_kind, p_business_id) = 0 THEN
    RAISE EXCEPTION 'a pause names a queue, a kind or a business' USING ERRCODE = '22023';
  END IF;
  IF p_queue IS NOT NULL AND NOT EXISTS (SELECT FROM job_kinds WHERE queue = p_queue) THEN
    RAISE EXCEPTION 'there is no such queue' USING ERRCODE = '22023', HINT = 'the queues are listed in the README';
  END IF;
  IF p_kind IS NOT NULL AND NOT EXISTS (SELECT FROM job_kinds WHERE kind = p_kind) THEN
    RAISE EXCEPTION 'unknown kind of job' USING ERRCODE = '22023', HINT = 'the kinds are listed in the README';
  END IF;
  IF coalesce(trim(p_who), '') = '' OR coalesce(trim(p_why), '') = '' THEN
    RAISE EXCEPTION 'a pause says who asked for it and why' USING ERRCODE = '22023';
  END IF;
  INSERT INTO pauses (queue, kind, business_id, code, who, why)
  VALUES (p_queue, p_kind, p_business_id, p_code, left(p_who, 100), left(p_why, 500))
  ON CONFLICT DO NOTHING
  RETURNING id INTO found_id;
  IF found_id IS NULL THEN
    SELECT id INTO found_id FROM pauses
    WHERE ended_at IS NULL AND queue IS NOT DISTINCT FROM p_queue AND kind IS NOT DISTINCT FROM p_kind
      AND business_id IS NOT DISTINCT FROM p_business_id;
  END IF;
  RETURN found_id;
END $$;

-- A worker found out that no job of this kind, or none of it for this business, can succeed until a setting is mended.
CREATE FUNCTION ledger.misconfigured_v1(p_kind text, p_code text, p_business_id uuid DEFAULT NULL) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
  SELECT ledger.pause_v1('the engine', 'Its setting is wrong: see the error of the job that found out.', p_kind => p_kind,
                         p_business_id => p_business_id, p_code => p_code)
$$;

-- End a pause. What waited for it, and the jobs that found out why it was needed, are due again within a second.
CREATE FUNCTION ledger.resume_v1(p_id bigint, p_who text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  ended pauses;
BEGIN
  UPDATE pauses SET ended_at = clock_timestamp(), ended_by = left(p_who, 100)
  WHERE id = p_id AND ended_at IS NULL
  RETURNING * INTO ended;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'pause % is not there, or was ended before', p_id USING ERRCODE = '22023';
  END IF;
  UPDATE jobs SET state = 'available', fence = fence + 1, reason = NULL
  WHERE id = ANY (ARRAY(
    SELECT id FROM jobs
    WHERE state = 'parked' AND kind = ended.kind AND reason = ended.code
      AND coalesce(business_id = ended.business_id, true)
    FOR UPDATE SKIP LOCKED));
  PERFORM ledger.knock();
END $$;

-- Park what waits for a pause, and make available what no longer does, p_limit rows at a time; returns how many.
-- Asked once a second: without a pause, and with nothing that waited for one, it reads nothing.
CREATE FUNCTION ledger.settle_pauses_v1(p_limit integer DEFAULT 5000) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  parked integer := 0;
  freed integer;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  IF EXISTS (SELECT FROM pauses WHERE ended_at IS NULL) THEN
    UPDATE jobs SET state = 'parked', fence = fence + 1, reason = 'paused'
    WHERE id = ANY (ARRAY(
      SELECT j.id FROM jobs j
      WHERE j.state = 'available' AND ledger.is_paused(j.queue, j.kind, j.business_id)
      LIMIT p_limit FOR UPDATE SKIP LOCKED))
      OR id = ANY (ARRAY(
      SELECT j.id FROM jobs j
      WHERE j.state IN ('dispatched', 'running') AND j.state = 'dispatched'
        AND ledger.is_paused(j.queue, j.kind, j.business_id)
      LIMIT p_limit FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS parked = ROW_COUNT;
  END IF;
  UPDATE jobs SET state = 'available', fence = fence + 1, reason = NULL
  WHERE id = ANY (ARRAY(
    SELECT j.id FROM jobs j
    WHERE j.state = 'parked' AND j.reason = 'paused' AND NOT ledger.is_paused(j.queue, j.kind, j.business_id)
    LIMIT p_limit FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS freed = ROW_COUNT;
  RETURN parked + freed;
END $$;

ALTER FUNCTION ledger.is_paused(text, text, uuid) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.pause_v1(text, text, text, text, uuid, text) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.misconfigured_v1(text, text, uuid) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.resume_v1(bigint, text) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.settle_pauses_v1(integer) OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.is_paused(text, text, uuid), ledger.pause_v1(text, text, text, text, uuid, text),
  ledger.misconfigured_v1(text, text, uuid), ledger.resume_v1(bigint, text), ledger.settle_pauses_v1(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.pause_v1(text, text, text, text, uuid, text), ledger.resume_v1(bigint, text)
  TO nexara_dashboard;
GRANT EXECUTE ON FUNCTION ledger.misconfigured_v1(text, text, uuid), ledger.settle_pauses_v1(integer) TO nexara_worker;
