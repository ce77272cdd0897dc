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

-- The kinds that wait for a pause in a queue and a business, asked once a pick for each business.
CREATE FUNCTION ledger.resting_kinds(p_queue text, p_business_id uuid) RETURNS text[]
LANGUAGE sql STABLE SET search_path = ledger, pg_temp AS $$
  SELECT coalesce(array_agg(p.kind), '{}') FROM pauses p
  WHERE p.ended_at IS NULL AND p.kind IS NOT NULL AND coalesce(p.queue = p_queue, true)
    AND coalesce(p.business_id = p_business_id, true)
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

-- Park what waits for one pause, p_limit rows at most: what is available by the index of the pick, what is dispatched by that
-- of what is in flight. Returns how many.
CREATE FUNCTION ledger.park(p ledger.pauses, p_limit integer) RETURNS integer
LANGUAGE plpgsql SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  first_business CONSTANT uuid := coalesce(p.business_id, '00000000-0000-0000-0000-000000000000');
  last_business CONSTANT uuid := coalesce(p.business_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
  parked integer := 0;
  more integer;
  w record;
BEGIN
  FOR w IN SELECT queue, priority FROM ledger.waiting_v1() WHERE coalesce(queue = p.queue, true) LOOP
    UPDATE jobs SET state = 'parked', fence = fence + 1, reason = 'paused' WHERE id = ANY (ARRAY(
      SELECT j.id FROM jobs j
      WHERE j.state = 'available' AND j.queue = w.queue AND j.priority = w.priority
        AND j.business_id BETWEEN first_business AND last_business AND (p.kind IS NULL OR j.kind = p.kind)
      ORDER BY j.business_id, j.run_at, j.id LIMIT p_limit - parked FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS more = ROW_COUNT;
    parked := parked + more;
    EXIT WHEN parked >= p_limit;
  END LOOP;
  UPDATE jobs SET state = 'parked', fence = fence + 1, reason = 'paused' WHERE id = ANY (ARRAY(
    SELECT j.id FROM jobs j
    WHERE j.state IN ('dispatched', 'running') AND j.state = 'dispatched' AND (p.queue IS NULL OR j.queue = p.queue)
      AND j.business_id BETWEEN first_business AND last_business AND (p.kind IS NULL OR j.kind = p.kind)
    LIMIT p_limit - parked FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS more = ROW_COUNT;
  RETURN parked + more;
END $$;

-- Make available what waited for a pause that has ended, p_limit rows at most, but for what waits for another one as well. When
-- nothing is left the pause is settled: no row is looked at for it any more. Returns how many.
CREATE FUNCTION ledger.free(p ledger.pauses, p_limit integer) RETURNS integer
LANGUAGE plpgsql SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  none_paused CONSTANT boolean := NOT EXISTS (SELECT FROM pauses WHERE ended_at IS NULL);
  freed integer;
BEGIN
  UPDATE jobs SET state = 'available', fence = fence + 1, reason = NULL WHERE id = ANY (ARRAY(
    SELECT j.id FROM jobs j
    WHERE j.state = 'parked' AND j.reason = 'paused' AND (p.queue IS NULL OR j.queue = p.queue)
      AND (p.kind IS NULL OR j.kind = p.kind) AND (p.business_id IS NULL OR j.business_id = p.business_id)
      AND (none_paused OR NOT ledger.is_paused(j.queue, j.kind, j.business_id))
    LIMIT p_limit FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS freed = ROW_COUNT;
  IF freed = 0 THEN  -- but one that somebody has locked at this moment may be
    UPDATE pauses SET settled = true WHERE id = p.id AND NOT EXISTS (
      SELECT FROM jobs j
      WHERE j.state = 'parked' AND j.reason = 'paused' AND (p.queue IS NULL OR j.queue = p.queue)
        AND (p.kind IS NULL OR j.kind = p.kind) AND (p.business_id IS NULL OR j.business_id = p.business_id)
        AND (none_paused OR NOT ledger.is_paused(j.queue, j.kind, j.business_id)));
  END IF;
  RETURN freed;
END $$;

-- Park what waits for a pause, and make available what no longer does, p_limit rows of each pause at a time; returns how many.
-- Asked once a second: without a pause that is in force or has just ended, it reads nothing. One caller at a time: what one
-- parks, another must see before it says that a pause is settled.
CREATE FUNCTION ledger.settle_pauses_v1(p_limit integer DEFAULT 5000) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  moved integer := 0;
  p pauses;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  IF NOT pg_try_advisory_xact_lock(hashtext('nexara.pauses'), 0) THEN
    RETURN 0;
  END IF;
  FOR p IN SELECT * FROM pauses WHERE NOT settled ORDER BY id LOOP
    moved := moved + CASE WHEN p.ended_at IS NULL THEN ledger.park(p, p_limit) ELSE ledger.free(p, p_limit) END;
  END LOOP;
  RETURN moved;
END $$;

ALTER FUNCTION ledger.is_paused(text, text, uuid) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.pause_v1(text, text, text, text, uuid, text) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.misconfigured_v1(text, text, uuid) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.resume_v1(bigint, text) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.settle_pauses_v1(integer) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.park(ledger.pauses, integer) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.free(ledger.pauses, integer) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.resting_kinds(text, uuid) OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.park(ledger.pauses, integer), ledger.free(ledger.pauses, integer),
  ledger.resting_kinds(text, uuid), ledger.is_paused(text, text, uuid), ledger.pause_v1(text, text, text, text, uuid, text),
  ledger.misconfigured_v1(text, text, uuid), ledger.resume_v1(bigint, text), ledger.settle_pauses_v1(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.pause_v1(text, text, text, text, uuid, text), ledger.resume_v1(bigint, text)
  TO nexara_dashboard;
GRANT EXECUTE ON FUNCTION ledger.misconfigured_v1(text, text, uuid), ledger.settle_pauses_v1(integer) TO nexara_worker;
