-- How the end of a job reaches its batches. The transaction that ends it adds one note of its own, for which nobody waits: ten
-- thousand that end together write ten thousand rows and no common one. The dispatcher takes the notes up, and completes
-- what has no open job left. One dispatcher at a time does so, by a lock, and each statement below has a snapshot of its own
-- (READ COMMITTED), so nothing is seen half: whoever looks last sees all. Killed at any moment, it leaves its notes to the next.

-- The one place through which a job of a batch ends, or is opened again, whoever moves it. Of a job without a batch, one flag is
-- looked at.
CREATE FUNCTION ledger.note_batch_end() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  twin bigint;
BEGIN
  IF TG_OP = 'DELETE' THEN  -- it was erased before it ended
    INSERT INTO batch_ends (job_id, state) VALUES (OLD.id, 'discarded');
    RETURN NULL;
  END IF;
  IF NEW.state = 'discarded' AND NEW.reason = 'superseded' THEN
    -- The newer twin does its work: the batch waits for that one instead.
    SELECT id INTO twin FROM jobs
    WHERE kind = NEW.kind AND unique_key = NEW.unique_key
      AND (state IN ('scheduled', 'retryable', 'parked', 'available', 'dispatched') OR (until_done AND state = 'running'))
    FOR NO KEY UPDATE;
    IF FOUND THEN
      UPDATE jobs SET in_batch = true WHERE id = twin AND NOT in_batch;
      WITH left_to_it AS (
        DELETE FROM batch_members WHERE job_id = NEW.id RETURNING batch_id
      )
      INSERT INTO batch_members (job_id, batch_id) SELECT twin, batch_id FROM left_to_it ON CONFLICT DO NOTHING;
      INSERT INTO batch_ends (job_id) VALUES (twin);
      RETURN NULL;
    END IF;
  END IF;
  INSERT INTO batch_ends (job_id, state) VALUES (NEW.id, CASE WHEN NEW.finished_at IS NOT NULL THEN NEW.state END);
  RETURN NULL;
END $$;

CREATE TRIGGER note_batch_end AFTER UPDATE OF state ON ledger.jobs
  FOR EACH ROW WHEN (NEW.in_batch AND (NEW.finished_at IS NOT NULL OR OLD.finished_at IS NOT NULL))
  EXECUTE FUNCTION ledger.note_batch_end();
CREATE TRIGGER note_batch_erased AFTER DELETE ON ledger.jobs
  FOR EACH ROW WHEN (OLD.in_batch AND OLD.finished_at IS NULL)
  EXECUTE FUNCTION ledger.note_batch_end();

-- Enqueue what follows a batch; returns the job, or the open one that is the same by its key.
CREATE FUNCTION ledger.follow_up(b ledger.batches, f ledger.batch_follow_ups) RETURNS bigint
LANGUAGE plpgsql SET search_path = ledger, pg_temp AS $$
DECLARE
  made bigint;
BEGIN
  BEGIN
    made := ledger.enqueue_job_v1(f.kind, f.payload, b.business_id, f.priority, NULL, b.actor);
  EXCEPTION WHEN data_exception THEN
    -- Its kind has changed since the batch was opened. As with a job that was enqueued before the change, its worker
    -- finds out, and it is seen; to refuse it here would lose it.
    INSERT INTO jobs (id, kind, queue, priority, business_id, root_id, payload, until_done, state, max_attempts, give_up_at,
                      actor)
    SELECT new, k.kind, k.queue, coalesce(f.priority, k.priority), b.business_id, new, f.payload, false, 'available',
           k.max_attempts, now() + k.give_up_after, b.actor
    FROM job_kinds k, nextval('ledger.jobs_id_seq') new WHERE k.kind = f.kind
    RETURNING id INTO made;
    PERFORM ledger.knock();
  END;
  UPDATE jobs SET root_id = b.root_id WHERE id = made AND enqueued_at = now() AND root_id <> b.root_id;
  RETURN made;
END $$;

-- Complete a batch that is sealed, has no open job and is not complete: once, since it is the row's own condition. Of one that is
-- complete the counts are brought up to date: a job that was retried by hand since then changes these alone.
CREATE FUNCTION ledger.complete_batch(p_batch uuid) RETURNS boolean
LANGUAGE plpgsql SET search_path = ledger, pg_temp AS $$
DECLARE
  b batches;
  f batch_follow_ups;
  seen record;
  was_complete boolean;
BEGIN
  SELECT completed_at IS NOT NULL INTO was_complete FROM batches WHERE id = p_batch AND sealed_at IS NOT NULL;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  IF NOT was_complete AND EXISTS (SELECT FROM batch_members WHERE batch_id = p_batch AND state IS NULL) THEN
    RETURN false;
  END IF;
  SELECT * INTO seen FROM ledger.see_batch(p_batch);
  UPDATE batches SET completed_at = coalesce(completed_at, clock_timestamp()), succeeded = seen.succeeded,
    dead = seen.dead, cancelled = seen.cancelled, discarded = seen.discarded
  WHERE id = p_batch AND (completed_at IS NOT NULL) = was_complete
  RETURNING * INTO b;
  IF NOT FOUND OR was_complete THEN
    RETURN false;
  END IF;
  FOR f IN SELECT * FROM batch_follow_ups WHERE batch_id = p_batch AND CASE cue
      WHEN 'if_succeeded' THEN seen.succeeded = seen.members WHEN 'if_died' THEN seen.dead > 0 ELSE true END
  LOOP
    UPDATE batch_follow_ups SET job_id = ledger.follow_up(b, f) WHERE batch_id = p_batch AND cue = f.cue;
  END LOOP;
  RETURN true;
END $$;

-- Take up what has ended, p_limit jobs at a time, and complete the batches that are through; returns how many of both. Asked some
-- times a second: where no job of a batch has ended and none was sealed, it reads two empty indexes.
CREATE FUNCTION ledger.settle_batches_v1(p_limit integer DEFAULT 1000) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  taken integer;
  touched uuid[];
  batch uuid;
  completed integer := 0;
BEGIN
  IF NOT EXISTS (SELECT FROM batch_ends) AND NOT EXISTS (SELECT FROM batches WHERE sealed_at IS NOT NULL AND NOT settled)
     OR NOT pg_try_advisory_xact_lock(hashtext('nexara.batches'), 1) THEN
    RETURN 0;
  END IF;
  -- If a crash of the server undoes this, the notes are there again.
  PERFORM set_config('synchronous_commit', 'off', true);
  -- All notes of a job together, and its last one counts: no state is seen that it had left before.
  WITH taken AS (
    DELETE FROM batch_ends WHERE job_id = ANY (ARRAY(
      SELECT job_id FROM batch_ends ORDER BY job_id LIMIT p_limit))
    RETURNING job_id, id, state
  ), last AS (
    SELECT DISTINCT ON (job_id) job_id, state FROM taken ORDER BY job_id, id DESC
  ), applied AS (
    UPDATE batch_members m SET state = last.state FROM last WHERE m.job_id = last.job_id RETURNING m.batch_id
  )
  SELECT (SELECT count(*) FROM last), (SELECT array_agg(DISTINCT batch_id) FROM applied) INTO taken, touched;
  FOR batch IN
    SELECT unnest(touched)
    UNION
    (SELECT id FROM batches WHERE sealed_at IS NOT NULL AND NOT settled ORDER BY sealed_at LIMIT p_limit)
    ORDER BY 1
  LOOP
    -- Looked at once since it was sealed, by a statement that sees the seal: from here on, notes are enough.
    UPDATE batches SET settled = true WHERE id = batch AND sealed_at IS NOT NULL AND NOT settled;
    completed := completed + ledger.complete_batch(batch)::integer;
  END LOOP;
  RETURN taken + completed;
END $$;

DO $$
DECLARE
  f regprocedure;
BEGIN
  FOREACH f IN ARRAY ARRAY[
    'ledger.note_batch_end()', 'ledger.follow_up(ledger.batches, ledger.batch_follow_ups)', 'ledger.complete_batch(uuid)',
    'ledger.settle_batches_v1(integer)']::regprocedure[]
  LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO nexara_ledger', f);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
  END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION ledger.settle_batches_v1(integer) TO nexara_worker;
