-- Whose entry of the journal outside the database is needed still: erasures that are under way, and those completed since p_before.
-- The policy that lets the house see erasures is in privacy.sql.
CREATE FUNCTION nexara.journal_stays_v1(p_before timestamptz) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
  SELECT e.id FROM erasures e
  WHERE (SELECT nexara.scope()) = '00000000-0000-0000-0000-000000000000'  -- a job of the house, not of a tenant
    AND (e.state NOT IN ('completed', 'withdrawn') OR e.completed_at >= p_before)
$$;
ALTER FUNCTION nexara.journal_stays_v1(timestamptz) OWNER TO nexara_house;
REVOKE ALL ON FUNCTION nexara.journal_stays_v1(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexara.journal_stays_v1(timestamptz) TO tenant_job;
