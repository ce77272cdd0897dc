-- The oldest transaction that keeps dead rows from being removed: every pick walks over what it keeps.

-- Only a role that may see all sessions sees when another's transaction began. Who migrates may be one that cannot pass
-- that on: then each of our functions sees its own sessions alone, as doctor says.
DO $$
BEGIN
  GRANT pg_read_all_stats TO nexara_ledger;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE 'nexara_ledger may not see all sessions: have a superuser GRANT pg_read_all_stats TO nexara_ledger';
END $$;

-- Its age in seconds, whose it is and what it does, but none of its words; no row: there is none. A prepared transaction
-- has no session.
CREATE FUNCTION ledger.oldest_transaction_v1()
RETURNS TABLE (seconds integer, pid integer, role text, state text, prepared text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
BEGIN
  RETURN QUERY
    SELECT extract(epoch FROM clock_timestamp() - held.since)::integer, held.pid, held.role, held.state, held.prepared
    FROM (
      SELECT a.xact_start, a.pid, a.usename::text, a.state, NULL
      FROM pg_stat_activity a
      WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend'
        AND a.xact_start IS NOT NULL AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL)
      UNION ALL
      SELECT p.prepared, NULL, p.owner::text, 'prepared', p.gid FROM pg_prepared_xacts p WHERE p.database = current_database()
    ) AS held(since, pid, role, state, prepared)
    ORDER BY held.since LIMIT 1;
END $$;

ALTER FUNCTION ledger.oldest_transaction_v1() OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.oldest_transaction_v1() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.oldest_transaction_v1() TO nexara_worker, nexara_dashboard;
