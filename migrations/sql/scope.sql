-- Whose rows this transaction may see: the one question every tenancy policy asks.
--
-- A job's transaction runs as tenant_job and names its job in the setting nexara.job. Anybody can set a setting, so the
-- name alone proves nothing: the job must have been started, and its row written by this very transaction, which only
-- begin_load_v1, begin_save_v1 and begin_end_v1 bring about, for the holder of its fence. No savepoint may stand around
-- that write: its xmin would be the savepoint's. This is a wall against a wrong query and a wrong id. Against SQL of a
-- stranger inside a handler it is none: that could become the login role again and claim another's job.
-- Both are plpgsql for its cached plans: before PostgreSQL 18 a function in SQL is planned anew by each query that asks it.
CREATE FUNCTION ledger.job_scope() RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN (SELECT business_id FROM jobs
          WHERE id = nullif(current_setting('nexara.job', true), '')::bigint
            AND xmin = pg_current_xact_id_if_assigned()::xid AND started_at IS NOT NULL);
END $$;

CREATE FUNCTION nexara.scope() RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF current_setting('role') = 'tenant_job' THEN
    RETURN ledger.job_scope();
  END IF;
  RETURN nullif(nullif(current_setting('nexara.business', true), '')::uuid, '00000000-0000-0000-0000-000000000000');
END $$;

-- The web tier acts for one business at a time, to the end of the transaction.
CREATE FUNCTION nexara.act_for(p_business_id uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF p_business_id IS NULL OR p_business_id = '00000000-0000-0000-0000-000000000000' THEN
    RAISE EXCEPTION 'act_for needs the id of a business' USING ERRCODE = '22023';
  END IF;
  PERFORM set_config('nexara.business', p_business_id::text, true);
END $$;

ALTER FUNCTION ledger.job_scope() OWNER TO nexara_ledger;
ALTER FUNCTION nexara.scope() OWNER TO nexara_owner;
ALTER FUNCTION nexara.act_for(uuid) OWNER TO nexara_owner;
REVOKE ALL ON FUNCTION ledger.job_scope(), nexara.scope(), nexara.act_for(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.job_scope() TO nexara_owner, nexara_house, tenant_job, nexara_web;
GRANT EXECUTE ON FUNCTION nexara.scope() TO nexara_owner, nexara_ledger, nexara_house, tenant_job, nexara_web;
GRANT EXECUTE ON FUNCTION nexara.act_for(uuid) TO nexara_web;
