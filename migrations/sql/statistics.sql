-- What the planner remembers of rows that are gone: ids and digests, of which it keeps samples until the next ANALYZE. Columns of
-- a person's own have none (models/guards/memory.py).

-- As those of the map's own tables: what vendors said of callers, and what operators sign in with.
ALTER TABLE ledger.kept_answers ALTER answer SET STATISTICS 0;
ALTER TABLE ledger.operators ALTER password SET STATISTICS 0;
ALTER TABLE ledger.sessions ALTER digest SET STATISTICS 0;
ALTER TABLE ledger.sign_in_tries ALTER key SET STATISTICS 0;
-- Ids of rows that may be gone, and what an error of ours said: no query asks for them by value.
ALTER TABLE ledger.jobs ALTER payload SET STATISTICS 0, ALTER cursor SET STATISTICS 0, ALTER actor SET STATISTICS 0;
ALTER TABLE ledger.attempts ALTER message SET STATISTICS 0, ALTER traceback SET STATISTICS 0, ALTER log_tail SET STATISTICS 0;

-- Have it forget: asked by a job that erased rows of these tables, by their names; what texts mentioned went with them.
CREATE FUNCTION nexara.analyze_v1(p_tables text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  known regclass;
BEGIN
  FOR known IN SELECT c.oid::regclass FROM pg_class c
               WHERE c.relnamespace = 'nexara'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname = ANY (p_tables || 'mentions'::text)
               ORDER BY c.relname LOOP
    EXECUTE format('ANALYZE %s', known);
  END LOOP;
END $$;
ALTER FUNCTION nexara.analyze_v1(text[]) OWNER TO nexara_owner;
REVOKE ALL ON FUNCTION nexara.analyze_v1(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexara.analyze_v1(text[]) TO tenant_job;
