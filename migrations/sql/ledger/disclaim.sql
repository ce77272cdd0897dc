-- What a worker gives back of what it popped: jobs that it may hold without knowing it, since the answer to its claim was
-- lost with its connection, and jobs of a kind that its release does not know.

-- Give back, unspent, what the claim of these tokens took for this worker, if it was done; returns how many. The
-- worker's id and the very next fence say that they are that claim's: no other one claims in its name.
CREATE FUNCTION ledger.disclaim_v1(p_worker uuid, p_ids bigint[], p_fences integer[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  held record;
  given integer := 0;
BEGIN
  FOR held IN
    SELECT j.id, j.fence FROM jobs j
    WHERE j.id = ANY (p_ids) AND j.fence = p_fences[array_position(p_ids, j.id)] + 1 AND j.worker_id = p_worker
      AND starts_with(j.state, 'running')
    ORDER BY j.id FOR UPDATE
  LOOP
    PERFORM ledger.reopen(held.id, held.fence, 'available', NULL, NULL, false);
    given := given + 1;
  END LOOP;
  RETURN given;
END $$;

-- Make available again what was popped and is of none of the kinds that this worker knows; returns how many. It has the
-- dispatcher give them to a worker that does, or keep them until one is there.
CREATE FUNCTION ledger.refuse_v1(p_kinds text[], p_ids bigint[], p_fences integer[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  refused integer;
BEGIN
  UPDATE jobs SET state = 'available', fence = fence + 1 WHERE id = ANY (ARRAY(
    SELECT j.id FROM jobs j
    WHERE j.id = ANY (p_ids) AND j.fence = p_fences[array_position(p_ids, j.id)] AND starts_with(j.state, 'dispatched')
      AND j.kind <> ALL (p_kinds)
    ORDER BY j.id FOR NO KEY UPDATE SKIP LOCKED));
  GET DIAGNOSTICS refused = ROW_COUNT;
  RETURN refused;
END $$;

ALTER FUNCTION ledger.refuse_v1(text[], bigint[], integer[]) OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.refuse_v1(text[], bigint[], integer[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.refuse_v1(text[], bigint[], integer[]) TO nexara_worker;
ALTER FUNCTION ledger.disclaim_v1(uuid, bigint[], integer[]) OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.disclaim_v1(uuid, bigint[], integer[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.disclaim_v1(uuid, bigint[], integer[]) TO nexara_worker;
