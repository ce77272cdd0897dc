-- From available to dispatched: what is due, a fair pick under the queue's lock, and ringing again for what Redis lost.
-- These commit without waiting for the disk. A crash of the server may undo them, and then they are done once more: a token
-- that was pushed meanwhile has the fence of the one pushed again, and only one of the two can be claimed.

-- Move what is due to available, p_limit rows at a time; returns how many.
CREATE FUNCTION ledger.promote_v1(p_limit integer DEFAULT 5000) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  moved integer;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  UPDATE jobs SET state = 'available', fence = fence + 1, reason = NULL WHERE id = ANY (ARRAY(
    SELECT id FROM jobs
    WHERE state IN ('scheduled', 'retryable') AND run_at <= now()
    ORDER BY run_at LIMIT p_limit FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS moved = ROW_COUNT;
  RETURN moved;
END $$;

-- The queues and priorities that have a job to pick: the one cheap question of a dispatcher that polls.
CREATE FUNCTION ledger.waiting_v1() RETURNS TABLE (queue text, priority smallint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
BEGIN
  queue := '';
  priority := 0;
  LOOP
    SELECT j.queue, j.priority INTO queue, priority FROM jobs j
    WHERE j.state = 'available' AND (j.queue, j.priority) > (waiting_v1.queue, waiting_v1.priority)
    ORDER BY j.queue, j.priority LIMIT 1;
    EXIT WHEN NOT FOUND;
    RETURN NEXT;
  END LOOP;
END $$;

-- How many of a business's jobs in a queue are in Redis or with a worker, those that are less urgent left out: p_most if
-- there are as many or more.
CREATE FUNCTION ledger.in_flight(p_queue text, p_business_id uuid, p_priority integer, p_most integer) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN (SELECT count(*) FROM (
    SELECT FROM jobs
    WHERE queue = p_queue AND business_id = p_business_id AND state IN ('dispatched', 'running') AND priority <= p_priority
    LIMIT p_most) flying);
END $$;

-- The kinds of a queue that no living worker knows: enqueued for a release whose workers are not up yet. None if nobody
-- lives, or says what he knows: then all wait in Redis for whoever comes.
CREATE FUNCTION ledger.strange_kinds(p_queue text) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = ledger, pg_temp AS $$
DECLARE
  known text[];
BEGIN
  SELECT array_agg(DISTINCT kind) INTO known FROM workers w, unnest(w.kinds) kind
  WHERE w.heartbeat_at > clock_timestamp() - interval '6 s';
  RETURN coalesce((SELECT array_agg(k.kind) FROM job_kinds k WHERE k.queue = p_queue AND k.kind <> ALL (known)), '{}');
END $$;

-- Pick up to p_room[priority + 1] jobs of each priority, business by business in turn, and mark them dispatched; push the
-- answer to Redis after the commit. One dispatcher a queue at a time: another one gets nothing. READ COMMITTED only: then
-- each statement in here has a snapshot of its own, and those of the picks are younger than the lock. What is paused is
-- passed over until settle_pauses_v1 parks it: a queue and a business as a whole, with none of their rows read. So is what no living worker knows. No business has more than p_share in flight, so that slow jobs of one leave
-- threads for the others, and what limits there are hold (limit.sql); only this function adds to what is in flight, under
-- the locks of its queue and its limits, so it may count and then pick.
CREATE FUNCTION ledger.dispatch_v1(p_queue text, p_room integer[], p_share integer DEFAULT NULL)
RETURNS TABLE (id bigint, fence integer, priority smallint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
  none_paused CONSTANT boolean := NOT EXISTS (SELECT FROM pauses WHERE ended_at IS NULL);
  resting uuid[] := '{}';
  strange CONSTANT text[] := ledger.strange_kinds(p_queue);
  limited boolean;
  businesses_limited boolean;
  room integer;
  picked integer;
  turn uuid;
  due uuid[];
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  IF NOT pg_try_advisory_xact_lock(hashtext('nexara.queue'), hashtext(p_queue)) THEN
    RETURN;
  END IF;
  IF NOT none_paused THEN
    IF EXISTS (SELECT FROM pauses WHERE ended_at IS NULL AND queue = p_queue AND kind IS NULL AND business_id IS NULL) THEN
      RETURN;
    END IF;
    resting := ARRAY(SELECT business_id FROM pauses WHERE ended_at IS NULL AND kind IS NULL AND business_id IS NOT NULL
                     AND coalesce(queue = p_queue, true));
  END IF;
  limited := ledger.lock_limits(p_queue);
  businesses_limited := EXISTS (SELECT FROM limits WHERE subject = 'business');
  IF businesses_limited THEN  -- a business is counted over all queues
    PERFORM pg_advisory_xact_lock(hashtext('nexara.businesses'), 0);
  END IF;
  FOR p IN 0..3 LOOP
    room := p_room[p + 1];
    CONTINUE WHEN coalesce(room, 0) <= 0;
    turn := coalesce((SELECT t.business_id FROM turns t WHERE t.queue = p_queue AND t.priority = p), nobody);
    -- The businesses with work, from the one after the last served: a loose index scan, so that a backfill of a
    -- hundred thousand rows costs one step.
    WITH RECURSIVE after_turn AS (
      (SELECT j.business_id FROM jobs j
       WHERE j.queue = p_queue AND j.priority = p AND j.state = 'available' AND j.business_id > turn
       ORDER BY j.business_id LIMIT 1)
      UNION ALL
      SELECT (SELECT j.business_id FROM jobs j
              WHERE j.queue = p_queue AND j.priority = p AND j.state = 'available' AND j.business_id > a.business_id
              ORDER BY j.business_id LIMIT 1)
      FROM after_turn a WHERE a.business_id IS NOT NULL
    ), up_to_turn AS (
      (SELECT j.business_id FROM jobs j
       WHERE j.queue = p_queue AND j.priority = p AND j.state = 'available' AND j.business_id <= turn
       ORDER BY j.business_id LIMIT 1)
      UNION ALL
      SELECT (SELECT j.business_id FROM jobs j
              WHERE j.queue = p_queue AND j.priority = p AND j.state = 'available'
                AND j.business_id > u.business_id AND j.business_id <= turn
              ORDER BY j.business_id LIMIT 1)
      FROM up_to_turn u WHERE u.business_id IS NOT NULL
    ), first_after AS (
      SELECT business_id FROM after_turn WHERE business_id IS NOT NULL AND business_id <> ALL (resting) LIMIT least(64, room)
    ), then_up_to AS (
      SELECT business_id FROM up_to_turn WHERE business_id IS NOT NULL AND business_id <> ALL (resting) LIMIT least(64, room)
    )
    SELECT array_agg(business_id) INTO due FROM (
      SELECT business_id, 0 AS lap FROM first_after UNION ALL SELECT business_id, 1 FROM then_up_to
      ORDER BY lap, business_id LIMIT least(64, room)
    ) both_laps;
    CONTINUE WHEN due IS NULL;
    IF limited THEN  -- asked only where somebody waits
      room := ledger.room_in(p_queue, room);
      CONTINUE WHEN room <= 0;
      due := due[1:room];
    END IF;
    RETURN QUERY
      UPDATE jobs SET state = 'dispatched', fence = jobs.fence + 1, dispatched_at = clock_timestamp()
      WHERE jobs.id = ANY (ARRAY(
        SELECT one.id FROM unnest(due) WITH ORDINALITY AS b(business_id, place),
          LATERAL (SELECT CASE WHEN none_paused THEN strange
                          ELSE strange || ledger.resting_kinds(p_queue, b.business_id) END AS resting) k,
          LATERAL (
            SELECT j.id, row_number() OVER () AS nth FROM (
              SELECT j.id FROM jobs j
              WHERE j.queue = p_queue AND j.priority = p AND j.state = 'available' AND j.business_id = b.business_id
                AND j.kind <> ALL (k.resting)
              ORDER BY j.run_at, j.id
              LIMIT least(greatest(1, room / cardinality(due)),
                          CASE WHEN p_share IS NOT NULL
                          THEN p_share - ledger.in_flight(p_queue, b.business_id, p, p_share) END,
                          CASE WHEN businesses_limited THEN greatest(ledger.room_of(b.business_id), 0) END)
              FOR UPDATE SKIP LOCKED
            ) j
          ) one
        ORDER BY one.nth, b.place
        LIMIT room))
      RETURNING jobs.id, jobs.fence, jobs.priority;
    GET DIAGNOSTICS picked = ROW_COUNT;
    IF limited AND picked > 0 THEN
      PERFORM ledger.keep_pace(p_queue, picked);
    END IF;
    INSERT INTO turns AS t (queue, priority, business_id) VALUES (p_queue, p, due[cardinality(due)])
    ON CONFLICT (queue, priority) DO UPDATE SET business_id = EXCLUDED.business_id
      WHERE t.business_id <> EXCLUDED.business_id;
  END LOOP;
END $$;

-- Dispatched rows that Redis no longer holds: their list is empty (p_head NULL), or they were dispatched before the
-- row at its head. They are stamped anew and returned, to be pushed once more under the same fence.
CREATE FUNCTION ledger.ring_again_v1(p_queue text, p_priority integer, p_head bigint, p_limit integer DEFAULT 5000)
RETURNS TABLE (id bigint, fence integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  head_at timestamptz;
BEGIN
  SELECT dispatched_at INTO head_at FROM jobs WHERE id = p_head;
  RETURN QUERY
    UPDATE jobs SET dispatched_at = clock_timestamp() WHERE id = ANY (ARRAY(
      SELECT j.id FROM jobs j
      WHERE j.queue = p_queue AND j.priority = p_priority AND j.state = 'dispatched'
        AND j.dispatched_at < clock_timestamp() - interval '2 s'
        AND (p_head IS NULL OR j.dispatched_at < head_at)
      ORDER BY j.dispatched_at LIMIT p_limit FOR UPDATE SKIP LOCKED))
    RETURNING jobs.id, jobs.fence;
END $$;

-- The threads of all workers that were heard within p_stale.
CREATE FUNCTION ledger.threads_v1(p_stale interval) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
  SELECT coalesce(sum(threads), 0)::integer FROM workers WHERE heartbeat_at > clock_timestamp() - p_stale
$$;

-- Whether a dispatcher sleeps, so that an enqueuer knows to knock.
CREATE FUNCTION ledger.sleep_v1(p_asleep boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
  SELECT set_config('synchronous_commit', 'off', true);
  INSERT INTO bell (id, asleep) VALUES (1, p_asleep)
  ON CONFLICT (id) DO UPDATE SET asleep = EXCLUDED.asleep WHERE bell.asleep <> EXCLUDED.asleep
$$;

ALTER FUNCTION ledger.promote_v1(integer) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.in_flight(text, uuid, integer, integer) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.strange_kinds(text) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.waiting_v1() OWNER TO nexara_ledger;
ALTER FUNCTION ledger.dispatch_v1(text, integer[], integer) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.ring_again_v1(text, integer, bigint, integer) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.threads_v1(interval) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.sleep_v1(boolean) OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.strange_kinds(text), ledger.in_flight(text, uuid, integer, integer), ledger.promote_v1(integer), ledger.waiting_v1(), ledger.dispatch_v1(text, integer[], integer),
  ledger.ring_again_v1(text, integer, bigint, integer), ledger.sleep_v1(boolean), ledger.threads_v1(interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.promote_v1(integer), ledger.waiting_v1(), ledger.dispatch_v1(text, integer[], integer),
  ledger.ring_again_v1(text, integer, bigint, integer), ledger.sleep_v1(boolean), ledger.threads_v1(interval)
  TO nexara_worker;
