-- Who is alive, and what becomes of the jobs of those who are not.

-- A worker says that it lives, and is told which of its jobs are to be cancelled. The first beat tells its threads and kinds.
CREATE FUNCTION ledger.heartbeat_v1(p_worker uuid, p_threads integer, p_kinds text[]) RETURNS SETOF bigint
LANGUAGE sql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
  INSERT INTO workers (id, threads, kinds, heartbeat_at) VALUES (p_worker, p_threads, p_kinds, clock_timestamp())
  ON CONFLICT (id) DO UPDATE SET heartbeat_at = clock_timestamp(), threads = EXCLUDED.threads;
  SELECT id FROM jobs WHERE state = 'running' AND worker_id = p_worker AND cancel_requested_at IS NOT NULL
$$;

-- A worker that stopped in order leaves the list.
CREATE FUNCTION ledger.sign_off_v1(p_worker uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
  DELETE FROM workers WHERE id = p_worker
$$;

-- Take back the running jobs whose worker has been silent for p_stale or whose deadline is over, and those that a living
-- one reserved and did not start for half a minute: it may not know that it holds them, if the answer to its claim was
-- lost. Unstarted: available, unspent. Started: a 'lost' attempt, then available; or dead, after p_most rescues or its
-- last attempt: as poison if its worker died, else as past its deadline.
-- The server itself must have been up for p_stale: after its restart every heartbeat is old and every worker alive.
-- So it is after a hang, which may come between the caller's last look at the clock, p_looked_at, and this statement.
-- Returns the jobs rescued, the state each took, and why it is dead.
CREATE FUNCTION ledger.rescue_v1(p_stale interval, p_most integer DEFAULT 3, p_limit integer DEFAULT 500,
                                 p_looked_at timestamptz DEFAULT NULL)
RETURNS TABLE (id bigint, kind text, attempt integer, state text, reason text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  lost record;
  became text;
  ended_as text;
  error jsonb;
  present CONSTANT timestamptz := clock_timestamp();
BEGIN
  IF pg_postmaster_start_time() > present - p_stale OR p_looked_at < present - interval '1 s' THEN
    RETURN;
  END IF;
  FOR lost IN
    SELECT j.id, j.fence, j.kind, j.attempt::integer AS attempt, j.max_attempts, j.started_at, j.rescues,
           coalesce(j.deadline_at < present, false)
             AND w.heartbeat_at >= present - p_stale AS overdue
    FROM jobs j LEFT JOIN workers w ON w.id = j.worker_id
    WHERE j.state = 'running'
      AND (coalesce(w.heartbeat_at, j.claimed_at) < present - p_stale
           OR j.deadline_at < present
           OR (j.started_at IS NULL AND j.claimed_at < present - interval '30 s'))
    ORDER BY j.worker_id LIMIT p_limit  -- the order of the index of what runs: no other may look cheaper
    FOR UPDATE OF j SKIP LOCKED
  LOOP
    ended_as := NULL;
    IF lost.started_at IS NULL THEN
      became := ledger.reopen(lost.id, lost.fence, 'available', NULL, NULL, true);
    ELSE
      error := jsonb_build_object(
        'outcome', 'lost', 'class', 'Lost', 'code', CASE WHEN lost.overdue THEN 'past_deadline' ELSE 'worker_died' END,
        'message', CASE WHEN lost.overdue THEN 'The job was still running at its deadline.'
                        ELSE 'The worker stopped without a word while it ran this job.' END,
        'fingerprint', lost.kind || CASE WHEN lost.overdue THEN '.past_deadline' ELSE '.worker_died' END);
      PERFORM ledger.record_attempt(lost.id, lost.fence, error);
      IF lost.rescues + 1 >= p_most OR lost.attempt >= lost.max_attempts THEN
        ended_as := CASE WHEN lost.overdue THEN 'past_deadline' ELSE 'poison' END;
        UPDATE jobs
        SET state = 'dead', fence = jobs.fence + 1, reason = ended_as, rescues = jobs.rescues + 1, finished_at = clock_timestamp(),
            worker_id = NULL, fingerprint = error ->> 'fingerprint', failed_at = clock_timestamp()
        WHERE jobs.id = lost.id AND jobs.fence = lost.fence;
        became := 'dead';
      ELSE
        UPDATE jobs SET rescues = rescues + 1 WHERE jobs.id = lost.id AND jobs.fence = lost.fence;
        became := ledger.reopen(lost.id, lost.fence, 'available', NULL, NULL, true, error);
      END IF;
    END IF;
    RETURN QUERY SELECT lost.id, lost.kind, lost.attempt, became, ended_as;
  END LOOP;
  DELETE FROM workers w WHERE w.heartbeat_at < clock_timestamp() - interval '1 hour'
    AND NOT EXISTS (SELECT FROM jobs j WHERE j.worker_id = w.id AND j.state = 'running');
END $$;

ALTER FUNCTION ledger.heartbeat_v1(uuid, integer, text[]) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.sign_off_v1(uuid) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.rescue_v1(interval, integer, integer, timestamptz) OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.heartbeat_v1(uuid, integer, text[]), ledger.sign_off_v1(uuid),
  ledger.rescue_v1(interval, integer, integer, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.heartbeat_v1(uuid, integer, text[]), ledger.sign_off_v1(uuid),
  ledger.rescue_v1(interval, integer, integer, timestamptz) TO nexara_worker;
