-- Limits: how many jobs of a queue, a vendor or a business may be in flight, how many calls a vendor or a queue takes in a
-- span of time, and the pause that a vendor asked for. All kinds of a queue wait for the same vendors (the registry
-- refuses others), so a limit is a matter of how much of a queue is picked, and no row is looked at for it. Only dispatch_v1
-- adds to what is in flight, under these locks: it may count first and pick then.

-- The vendors that the kinds of a queue wait for.
CREATE FUNCTION ledger.vendors_of(p_queue text) RETURNS text[]
LANGUAGE sql STABLE SET search_path = ledger, pg_temp AS $$
  SELECT coalesce(array_agg(DISTINCT vendor ORDER BY vendor), '{}')
  FROM job_kinds k, unnest(k.vendors) vendor WHERE k.queue = p_queue
$$;

-- The queues whose room a limit counts: its own, or all that wait for its vendor.
CREATE FUNCTION ledger.queues_of(p_subject text, p_name text) RETURNS text[]
LANGUAGE sql STABLE SET search_path = ledger, pg_temp AS $$
  SELECT CASE WHEN p_subject = 'queue' THEN ARRAY[p_name] ELSE (
    SELECT coalesce(array_agg(DISTINCT k.queue), '{}') FROM job_kinds k
    WHERE p_subject = 'business' OR p_name = ANY (k.vendors)) END
$$;

-- How many jobs of these queues (of one business, if it is named) are in Redis or with a worker; p_most if there are as
-- many or more. p_waiting: only those that no worker has claimed.
CREATE FUNCTION ledger.flying(p_queues text[], p_most integer, p_business_id uuid DEFAULT NULL, p_waiting boolean DEFAULT false)
RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
BEGIN
  IF p_business_id IS NOT NULL THEN
    RETURN (SELECT count(*) FROM (
      SELECT FROM jobs WHERE queue = ANY (p_queues) AND business_id = p_business_id AND state IN ('dispatched', 'running')
      LIMIT p_most) flying);
  END IF;
  RETURN (SELECT count(*) FROM (
    SELECT FROM jobs
    WHERE queue = ANY (p_queues) AND state IN ('dispatched', 'running') AND (state = 'dispatched' OR NOT p_waiting)
    LIMIT p_most) flying);
END $$;

-- What a limit of p_calls in p_per lets through at once: one second's worth, and never less than one.
CREATE FUNCTION ledger.burst(p_calls integer, p_per interval) RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = ledger, pg_temp AS $$
  SELECT greatest(1, ceil(p_calls / extract(epoch FROM p_per)))::integer
$$;

-- Lock the limits of a queue for this transaction, in one order; returns whether there is any. Two dispatchers at two
-- queues of one vendor come here one after the other.
CREATE FUNCTION ledger.lock_limits(p_queue text) RETURNS boolean
LANGUAGE plpgsql SET search_path = ledger, pg_temp AS $$
DECLARE
  vendors CONSTANT text[] := ledger.vendors_of(p_queue);
  found_any boolean := false;
  one record;
BEGIN
  FOR one IN
    SELECT l.subject, l.name FROM limits l
    WHERE (l.subject = 'queue' AND l.name = p_queue) OR (l.subject = 'vendor' AND l.name = ANY (vendors))
    ORDER BY l.subject, l.name
  LOOP
    found_any := true;
    IF one.subject = 'vendor' THEN
      PERFORM pg_advisory_xact_lock(hashtext('nexara.vendor'), hashtext(one.name));
    END IF;
  END LOOP;
  RETURN found_any;
END $$;

-- How many of p_room jobs a queue's limits let through now; its limits are locked.
-- A pace is kept by one moment, up to which its calls are given away; what still waits for a worker has not been called
-- yet, and what it holds of the burst nobody else gets.
CREATE FUNCTION ledger.room_in(p_queue text, p_room integer) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = ledger, pg_temp AS $$
DECLARE
  vendors CONSTANT text[] := ledger.vendors_of(p_queue);
  room integer := p_room;
  present CONSTANT timestamptz := clock_timestamp();
  l limits;
  queues text[];
  most integer;
BEGIN
  FOR l IN
    SELECT * FROM limits
    WHERE (subject = 'queue' AND name = p_queue) OR (subject = 'vendor' AND name = ANY (vendors))
  LOOP
    IF l.blocked_until > present THEN
      RETURN 0;
    END IF;
    queues := ledger.queues_of(l.subject, l.name);
    IF l.most IS NOT NULL THEN
      room := least(room, l.most - ledger.flying(queues, l.most));
    END IF;
    IF l.calls IS NOT NULL AND room > 0 THEN
      most := ledger.burst(l.calls, l.per);
      room := least(room, most - ledger.flying(queues, most, NULL, true),
                    floor(most - greatest(extract(epoch FROM l.paced_until - present), 0) * l.calls / extract(epoch FROM l.per)
                          + 0.000001)::integer);
      room := coalesce(room, 0);
    END IF;
    EXIT WHEN room <= 0;
  END LOOP;
  RETURN greatest(room, 0);
END $$;

-- Note that p_picked calls were given away by the queue's paces.
CREATE FUNCTION ledger.keep_pace(p_queue text, p_picked integer) RETURNS void
LANGUAGE sql SET search_path = ledger, pg_temp AS $$
  UPDATE limits SET paced_until = greatest(paced_until, clock_timestamp()) + p_picked * per / calls
  WHERE calls IS NOT NULL
    AND ((subject = 'queue' AND name = p_queue) OR (subject = 'vendor' AND name = ANY (ledger.vendors_of(p_queue))))
$$;

-- How many more jobs a business may have in flight, in all queues together; NULL: as many as there are.
CREATE FUNCTION ledger.room_of(p_business_id uuid) RETURNS integer
LANGUAGE sql STABLE SET search_path = ledger, pg_temp AS $$
  SELECT l.most - ledger.flying(ledger.queues_of('business', l.name), l.most, p_business_id)
  FROM limits l
  WHERE l.subject = 'business' AND l.most IS NOT NULL AND l.name IN (p_business_id::text, 'each')
    AND p_business_id <> '00000000-0000-0000-0000-000000000000'
  ORDER BY l.name = 'each' LIMIT 1
$$;

-- Set a limit, or another one in its place; returns nothing, and refuses what names nothing.
CREATE FUNCTION ledger.set_limit_v1(p_who text, p_why text, p_subject text, p_name text, p_most integer, p_calls integer,
                                    p_per interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
BEGIN
  IF coalesce(trim(p_who), '') = '' OR coalesce(trim(p_why), '') = '' THEN
    RAISE EXCEPTION 'a limit says who set it and why' USING ERRCODE = '22023';
  END IF;
  IF p_subject IS NULL OR p_subject NOT IN ('queue', 'vendor', 'business') THEN
    RAISE EXCEPTION 'a limit is about a queue, a vendor or a business' USING ERRCODE = '22023';
  END IF;
  IF p_subject = 'queue' AND NOT EXISTS (SELECT FROM job_kinds WHERE queue = p_name) THEN
    RAISE EXCEPTION 'there is no such queue' USING ERRCODE = '22023', HINT = 'the queues are listed in the README';
  END IF;
  IF p_subject = 'vendor' AND NOT EXISTS (SELECT FROM job_kinds WHERE p_name = ANY (vendors)) THEN
    RAISE EXCEPTION 'no kind of job waits for such a vendor' USING ERRCODE = '22023', HINT = 'the README lists what each kind needs';
  END IF;
  IF p_subject = 'business' AND coalesce(p_name !~ '^(each|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$', true) THEN
    RAISE EXCEPTION 'a business is named by its id, or "each" for those without a limit of their own' USING ERRCODE = '22023';
  END IF;
  IF p_most IS NULL AND p_calls IS NULL THEN
    RAISE EXCEPTION 'a limit says how many at once, or how many calls in which time' USING ERRCODE = '22023';
  END IF;
  IF p_most < 0 OR p_calls < 1 OR p_per <= interval '0' OR (p_calls IS NULL) <> (p_per IS NULL) THEN
    RAISE EXCEPTION 'at once is 0 or more; calls are 1 or more in a span of time' USING ERRCODE = '22023';
  END IF;
  IF p_subject = 'business' AND p_calls IS NOT NULL THEN
    RAISE EXCEPTION 'a business is limited in how many of its jobs run at once, not in calls' USING ERRCODE = '22023';
  END IF;
  INSERT INTO limits AS l (subject, name, most, calls, per, who, why)
  VALUES (p_subject, p_name, p_most, p_calls, p_per, left(p_who, 100), left(p_why, 500))
  ON CONFLICT (subject, name) DO UPDATE
  SET most = EXCLUDED.most, calls = EXCLUDED.calls, per = EXCLUDED.per, paced_until = NULL, who = EXCLUDED.who, why = EXCLUDED.why,
      since = EXCLUDED.since;
END $$;

-- Take a limit away, and the pause that its vendor asked for with it; refuses where there is none.
CREATE FUNCTION ledger.drop_limit_v1(p_subject text, p_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
BEGIN
  DELETE FROM limits WHERE subject = p_subject AND name = p_name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no such limit' USING ERRCODE = '22023', HINT = '`nexara limits list` shows those there are';
  END IF;
END $$;

-- A vendor asked for a pause: nobody asks it again before it is over. Returns until when.
CREATE FUNCTION ledger.block_vendor_v1(p_vendor text, p_for interval) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  until timestamptz := clock_timestamp() + least(p_for, interval '1 hour');
BEGIN
  INSERT INTO limits AS l (subject, name, blocked_until, who, why)
  VALUES ('vendor', p_vendor, until, 'the engine', 'The vendor asked for a pause.')
  ON CONFLICT (subject, name) DO UPDATE SET blocked_until = greatest(l.blocked_until, EXCLUDED.blocked_until)
  RETURNING l.blocked_until INTO until;
  RETURN until;
END $$;

-- Ask a vendor again before its pause is over; false if there is none.
CREATE FUNCTION ledger.unblock_vendor_v1(p_vendor text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
BEGIN
  UPDATE limits SET blocked_until = NULL
  WHERE subject = 'vendor' AND name = p_vendor AND blocked_until > clock_timestamp();
  RETURN FOUND;
END $$;

-- Until when none of these vendors is to be asked; NULL: they may be.
CREATE FUNCTION ledger.blocked_until(p_vendors text[]) RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = ledger, pg_temp AS $$
  SELECT max(l.blocked_until) FROM limits l
  WHERE l.subject = 'vendor' AND l.name = ANY (p_vendors) AND l.blocked_until > clock_timestamp()
$$;

DO $$
DECLARE
  f regprocedure;
BEGIN
  FOR f IN
    SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace = 'ledger'::regnamespace AND p.proname IN (
      'vendors_of', 'queues_of', 'flying', 'burst', 'lock_limits', 'room_in', 'keep_pace', 'room_of', 'set_limit_v1',
      'drop_limit_v1', 'block_vendor_v1', 'unblock_vendor_v1', 'blocked_until')
  LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO nexara_ledger', f);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
  END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION ledger.block_vendor_v1(text, interval) TO nexara_worker;
GRANT EXECUTE ON FUNCTION ledger.set_limit_v1(text, text, text, text, integer, integer, interval),
  ledger.drop_limit_v1(text, text), ledger.unblock_vendor_v1(text) TO nexara_dashboard;
