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

ALTER TABLE ledger.api_keys ALTER name SET STATISTICS 0, ALTER digest SET STATISTICS 0;
ALTER TABLE ledger.idempotency_keys ALTER digest SET STATISTICS 0, ALTER request SET STATISTICS 0;
ALTER TABLE ledger.pauses ALTER who SET STATISTICS 0, ALTER why SET STATISTICS 0, ALTER ended_by SET STATISTICS 0;

-- Have it forget: asked by a job that erased rows of these tables, by their names; what texts mentioned went with them. Of a
-- whole business some rows went before, of old age, and others were emptied: every table is looked at anew.
CREATE FUNCTION nexara.analyze_v1(p_tables text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  known regclass;
  whole CONSTANT boolean := EXISTS (
    SELECT FROM erasures e WHERE e.business_id = nexara.scope() AND e.scope = 'business'
      AND e.id = nullif(current_setting('nexara.erasure', true), '')::uuid);
BEGIN
  FOR known IN SELECT c.oid::regclass FROM pg_class c
               WHERE c.relnamespace = 'nexara'::regnamespace AND c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE')
                 AND (whole OR c.relname = ANY (p_tables || 'mentions'::text))
               ORDER BY c.relname LOOP
    -- ANALYZE of a table without rows changes nothing, and what it knew would stay; before 18 there is no other way.
    IF current_setting('server_version_num')::integer >= 180000 THEN
      EXECUTE 'SELECT count(pg_clear_attribute_stats(''nexara'', c.relname::text, a.attname::text, false))
               FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
               WHERE c.oid = $1' USING known;
    END IF;
    EXECUTE format('ANALYZE %s', known);
  END LOOP;
END $$;
ALTER FUNCTION nexara.analyze_v1(text[]) OWNER TO nexara_owner;
REVOKE ALL ON FUNCTION nexara.analyze_v1(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexara.analyze_v1(text[]) TO tenant_job;
