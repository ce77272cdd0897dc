-- One action on many jobs: asked for once, done in batches by the house's job operations.apply, each in one transaction with what
-- the batch did. A job is touched only while its fence is the one it had when the operation was asked for: whatever moved it
-- since, another operation too, has the better claim, and the row is counted as skipped.

-- Whether a job in a state can be retried, or discarded.
CREATE FUNCTION ledger.operable(p_action text, p_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = ledger, pg_temp AS $$
  SELECT CASE p_action
    WHEN 'retry' THEN p_state IN ('dead', 'cancelled', 'discarded', 'parked', 'retryable', 'scheduled')
    WHEN 'discard' THEN p_state IN ('dead', 'cancelled', 'parked', 'retryable', 'scheduled', 'available', 'dispatched')
  END
$$;

-- Ask for an action on these jobs, those left out that it cannot be done to; returns the operation. p_filter is how they were
-- found: words, ids and times. p_spread is over how long retried jobs come due. Returns the row of the audit, too.
CREATE FUNCTION ledger.create_operation_v1(p_who text, p_role text, p_why text, p_action text, p_filter jsonb, p_ids bigint[],
                                           p_spread interval DEFAULT interval '0')
RETURNS TABLE (id uuid, audit_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  batch CONSTANT integer := 500;
  made CONSTANT uuid := gen_random_uuid();
  asked bigint;
  wanted integer;
BEGIN
  IF p_action NOT IN ('retry', 'discard') THEN
    RAISE EXCEPTION 'an operation retries or discards' USING ERRCODE = '22023';
  END IF;
  IF coalesce(trim(p_who), '') = '' OR coalesce(trim(p_why), '') = '' THEN
    RAISE EXCEPTION 'an operation says who asked for it and why' USING ERRCODE = '22023';
  END IF;
  IF p_spread NOT BETWEEN interval '0' AND interval '1 day' OR (p_action = 'discard' AND p_spread > interval '0') THEN
    RAISE EXCEPTION 'retried jobs are spread over a day at most, discarded ones over no time' USING ERRCODE = '22023';
  END IF;
  IF cardinality(p_ids) > 100000 THEN
    RAISE EXCEPTION 'an operation takes 100000 jobs at most: narrow the filter, or ask twice' USING ERRCODE = '22023';
  END IF;
  INSERT INTO operation_batches (operation_id, number, job_ids, fences)
  SELECT made, (found.place - 1) / batch, array_agg(found.id ORDER BY found.place), array_agg(found.fence ORDER BY found.place)
  FROM (
    SELECT j.id, j.fence, row_number() OVER (ORDER BY w.place) AS place
    FROM (SELECT id, min(place) AS place FROM unnest(p_ids) WITH ORDINALITY u(id, place) GROUP BY id) w
    JOIN jobs j ON j.id = w.id AND ledger.operable(p_action, j.state)
  ) found
  GROUP BY 2;
  SELECT sum(cardinality(job_ids)) INTO wanted FROM operation_batches WHERE operation_id = made;
  IF wanted IS NULL THEN
    RAISE EXCEPTION 'none of these jobs can be %', CASE p_action WHEN 'retry' THEN 'retried' ELSE 'discarded' END || ' any more: look again'
      USING ERRCODE = '22023';
  END IF;
  IF p_action = 'retry' THEN
    PERFORM ledger.mended(named.kind, named.business_id) FROM (
      SELECT DISTINCT j.kind, j.business_id FROM pauses p JOIN jobs j ON j.kind = p.kind
      WHERE p.ended_at IS NULL AND p.code IS NOT NULL AND j.id = ANY (p_ids)) named;
  END IF;
  asked := ledger.audit_v1(p_who, p_role, 'operations.' || p_action, p_why,
                           jsonb_build_object('operation', made, 'filter', p_filter, 'jobs', wanted, 'spread', p_spread));
  INSERT INTO operations (id, action, filter, asked_in, total, spread, job_id)
  VALUES (made, p_action, p_filter, asked, wanted, p_spread,
          ledger.enqueue_job_v1('operations.apply', jsonb_build_object('operation_id', made), '00000000-0000-0000-0000-000000000000'));
  RETURN QUERY SELECT made, asked;
END $$;

-- Leave the rest of an operation undone. The batch that is being done ends first; what was done stays done. Returns the row
-- of the audit.
CREATE FUNCTION ledger.cancel_operation_v1(p_who text, p_role text, p_why text, p_id uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  was operations;
  asked bigint;
BEGIN
  SELECT * INTO was FROM operations WHERE id = p_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no such operation' USING ERRCODE = '22023';
  END IF;
  IF was.state <> 'working' THEN
    RAISE EXCEPTION 'this operation is % already', was.state USING ERRCODE = '22023';
  END IF;
  DELETE FROM operation_batches WHERE operation_id = p_id;
  asked := ledger.audit_v1(p_who, p_role, 'operations.cancel', p_why, jsonb_build_object('operation', p_id),
                           p_before => jsonb_build_object('state', was.state, 'done', was.done),
                           p_after => jsonb_build_object('state', 'cancelled', 'done', was.done));
  UPDATE operations SET state = 'cancelled', finished_at = clock_timestamp(), cancelled_in = asked WHERE id = p_id;
  RETURN asked;
END $$;

-- Lock those of these jobs that nobody else has locked; returns the others.
CREATE FUNCTION ledger.hold_what_is_free(p_ids bigint[]) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  held CONSTANT bigint[] := ARRAY(SELECT l.id FROM (
    SELECT id FROM jobs WHERE id = ANY (p_ids) ORDER BY id FOR UPDATE SKIP LOCKED) l);
BEGIN
  RETURN ARRAY(SELECT j.id FROM jobs j WHERE j.id = ANY (p_ids) AND j.id <> ALL (held));
END $$;

-- A tally with so many more of a word.
CREATE FUNCTION ledger.one_more(p_tally jsonb, p_word text, p_by integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = ledger, pg_temp AS $$
  SELECT CASE WHEN p_by = 0 THEN p_tally
    ELSE p_tally || jsonb_build_object(p_word, coalesce((p_tally ->> p_word)::integer, 0) + p_by) END
$$;

-- How many a tally counts in all.
CREATE FUNCTION ledger.all_of(p_tally jsonb) RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = ledger, pg_temp AS $$
  SELECT coalesce(sum(t.value::integer), 0)::integer FROM jsonb_each_text(p_tally) t
$$;

-- Of these jobs, locked by whoever asks: why each is left out, NULL where it is not, in their order.
CREATE FUNCTION ledger.left_out(p_action text, p_ids bigint[], p_fences integer[]) RETURNS TABLE (id bigint, because text)
LANGUAGE plpgsql STABLE SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  none_paused CONSTANT boolean := NOT EXISTS (SELECT FROM pauses WHERE ended_at IS NULL);
BEGIN
  RETURN QUERY
    WITH judged AS MATERIALIZED (
      SELECT w.id, w.place, j.kind, j.unique_key, CASE
        WHEN j.id IS NULL THEN 'gone'
        WHEN j.fence <> w.fence OR NOT ledger.operable(p_action, j.state) THEN 'moved_on'
        WHEN p_action <> 'retry' THEN NULL
        WHEN j.reason = 'erased' THEN 'erased'
        WHEN NOT none_paused AND ledger.is_paused(j.queue, j.kind, j.business_id) THEN 'paused'
        WHEN j.unique_key IS NOT NULL AND ledger.open_twin(j.kind, j.unique_key, j.id) IS NOT NULL THEN 'has_a_twin'
      END AS because
      FROM unnest(p_ids, p_fences) WITH ORDINALITY w(id, fence, place) LEFT JOIN jobs j ON j.id = w.id
    )
    SELECT g.id, CASE
      WHEN g.because IS NULL AND p_action = 'retry' AND g.unique_key IS NOT NULL
        AND row_number() OVER (PARTITION BY g.because IS NULL, g.kind, g.unique_key ORDER BY g.place) > 1 THEN 'has_a_twin'
      ELSE g.because END
    FROM judged g ORDER BY g.place;
END $$;

-- Retry these jobs, locked by whoever asks, as many as can be; returns those that could.
CREATE FUNCTION ledger.retry_all(p_ids bigint[], p_first timestamptz, p_step interval) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = ledger, pg_temp AS $$
DECLARE
  one bigint;
  could bigint[] := '{}';
BEGIN
  BEGIN
    PERFORM ledger.due_again(p_ids, p_first, p_step);
    RETURN p_ids;
  EXCEPTION WHEN unique_violation THEN
    NULL;  -- a key was taken in this very moment: one by one, then, to leave out no other
  END;
  FOREACH one IN ARRAY p_ids LOOP
    BEGIN
      PERFORM ledger.due_again(ARRAY[one], p_first + cardinality(could) * p_step, p_step);
      could := could || one;
    EXCEPTION WHEN unique_violation THEN
      NULL;
    END;
  END LOOP;
  RETURN could;
END $$;

-- Do an operation's next batch, in the transaction of the job that asks. Returns its state, and how much of it is done; no
-- row: there is no such operation. Jobs that somebody has locked are tried once more, at the end.
CREATE FUNCTION ledger.operate_v1(p_id uuid) RETURNS TABLE (state text, percent integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  o operations;
  b operation_batches;
  one record;
  busy bigint[];
  could bigint[] := '{}';
  skips jsonb;
  wanted integer;
  first_at timestamptz;
BEGIN
  IF nexara.scope() IS DISTINCT FROM '00000000-0000-0000-0000-000000000000' THEN
    RAISE EXCEPTION 'only a job of the house applies an operation' USING ERRCODE = '42501';
  END IF;
  SELECT * INTO o FROM operations WHERE id = p_id FOR UPDATE;
  IF NOT FOUND OR o.state <> 'working' THEN
    RETURN QUERY SELECT a.state, 100 FROM operations a WHERE a.id = p_id;
    RETURN;
  END IF;
  DELETE FROM operation_batches WHERE operation_id = p_id
    AND number = (SELECT min(n.number) FROM operation_batches n WHERE n.operation_id = p_id)
  RETURNING * INTO b;
  skips := o.skipped;
  busy := ledger.hold_what_is_free(b.job_ids);
  FOR one IN SELECT l.id, CASE WHEN l.id = ANY (busy) THEN 'being_written' ELSE l.because END AS because
             FROM ledger.left_out(o.action, b.job_ids, b.fences) l LOOP
    IF one.because IS NULL THEN
      could := could || one.id;
    ELSIF one.because <> 'being_written' OR b.once_more THEN
      skips := ledger.one_more(skips, one.because, 1);
    END IF;
  END LOOP;
  IF o.action = 'retry' THEN
    wanted := cardinality(could);
    first_at := greatest(o.next_run_at, clock_timestamp());
    could := ledger.retry_all(could, first_at, o.spread / o.total);
    skips := ledger.one_more(skips, 'has_a_twin', wanted - cardinality(could));
  ELSE
    UPDATE jobs SET state = 'discarded', fence = fence + 1, reason = 'by_hand', finished_at = clock_timestamp() WHERE id = ANY (could);
    DELETE FROM kept_answers WHERE job_id = ANY (could);
  END IF;
  IF NOT b.once_more AND cardinality(busy) > 0 THEN
    INSERT INTO operation_batches (operation_id, number, job_ids, fences, once_more)
    SELECT p_id, (SELECT coalesce(max(n.number), b.number) + 1 FROM operation_batches n WHERE n.operation_id = p_id),
           array_agg(w.id ORDER BY w.place), array_agg(w.fence ORDER BY w.place), true
    FROM unnest(b.job_ids, b.fences) WITH ORDINALITY w(id, fence, place) WHERE w.id = ANY (busy);
  END IF;
  IF cardinality(could) > 0 THEN
    PERFORM ledger.audit_v1(a.who, a.role, 'operations.batch', a.why, jsonb_build_object('operation', p_id, 'action', o.action), could)
    FROM audit a WHERE a.id = o.asked_in;
    PERFORM ledger.knock();
  END IF;
  UPDATE operations
  SET done = done + cardinality(could), skipped = skips, next_run_at = first_at + cardinality(could) * (spread / total),
      state = CASE WHEN more.there_is THEN 'working' ELSE 'done' END,
      finished_at = CASE WHEN NOT more.there_is THEN clock_timestamp() END
  FROM (SELECT EXISTS (SELECT FROM operation_batches WHERE operation_id = p_id) AS there_is) more
  WHERE id = p_id;
  RETURN QUERY SELECT a.state, 100 * (a.done + ledger.all_of(a.skipped)) / a.total FROM operations a WHERE a.id = p_id;
END $$;

DO $$
DECLARE
  f regprocedure;
BEGIN
  FOR f IN
    SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace = 'ledger'::regnamespace AND p.proname IN (
      'operable', 'create_operation_v1', 'cancel_operation_v1', 'hold_what_is_free', 'left_out', 'one_more', 'all_of', 'retry_all',
      'operate_v1')
  LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO nexara_ledger', f);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
  END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION ledger.create_operation_v1(text, text, text, text, jsonb, bigint[], interval),
  ledger.cancel_operation_v1(text, text, text, uuid) TO nexara_dashboard;
GRANT EXECUTE ON FUNCTION ledger.operate_v1(uuid) TO tenant_job;
