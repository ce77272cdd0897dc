-- What is left to do when a set could not be completed because somebody else holds a row of it, an operator's session say.

-- Complete those of a set that nobody else holds; returns the others that are still this worker's, for another try.
CREATE FUNCTION ledger.complete_free_v1(p_ids bigint[], p_fences integer[]) RETURNS TABLE (id bigint, fence integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  free_ids bigint[];
  free_fences integer[];
BEGIN
  SELECT array_agg(w.id), array_agg(w.fence) INTO free_ids, free_fences FROM (
    SELECT j.id, j.fence FROM jobs j
    WHERE j.id = ANY (p_ids) AND j.fence = p_fences[array_position(p_ids, j.id)]
    FOR NO KEY UPDATE SKIP LOCKED
  ) w;
  PERFORM ledger.complete_many_v1(free_ids, free_fences);
  RETURN QUERY
    SELECT j.id, j.fence FROM jobs j WHERE j.id = ANY (p_ids) AND j.fence = p_fences[array_position(p_ids, j.id)];
END $$;

ALTER FUNCTION ledger.complete_free_v1(bigint[], integer[]) OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.complete_free_v1(bigint[], integer[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.complete_free_v1(bigint[], integer[]) TO nexara_worker;
