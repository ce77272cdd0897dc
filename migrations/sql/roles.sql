-- The roles, and the schemas they own. Roles belong to the whole server, so each is made only where it is missing.
-- No role here may log in as a superuser, own a table and log in, or pass by row-level security.
DO $$
DECLARE
  wanted record;
BEGIN
  FOR wanted IN
    SELECT * FROM (VALUES
      ('nexara_owner', 'NOLOGIN'),              -- owns the tables; nobody logs in as it
      ('nexara_ledger', 'NOLOGIN'),             -- owns the ledger and its functions
      ('nexara_house', 'NOLOGIN'),              -- counts across businesses: ids and times, through named functions alone
      ('nexara_scribe', 'NOLOGIN'),             -- owns the triggers that enqueue facts and note what a row leaves
      ('tenant_job', 'NOLOGIN'),                -- a job's transaction: sees the one business of its ledger row
      ('nexara_worker', 'LOGIN NOINHERIT'),     -- workers, dispatcher, scheduler: may call functions, and become tenant_job
      ('nexara_web', 'LOGIN'),                  -- the web tier
      ('nexara_dashboard', 'LOGIN')             -- on-call: reads the ledger, operates on jobs
    ) AS w(name, attributes)
  LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I %s NOCREATEDB NOCREATEROLE', wanted.name, wanted.attributes);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- another database of this server was migrated at the same moment
      END;
    END IF;
  END LOOP;
END $$;

-- Who migrates must be able to hand its objects over.
DO $$
BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    EXECUTE format('GRANT nexara_owner, nexara_ledger, nexara_house, nexara_scribe TO %I', current_user);
  END IF;
  IF NOT pg_has_role('nexara_worker', 'tenant_job', 'MEMBER') THEN
    GRANT tenant_job TO nexara_worker;
  END IF;
END $$;

-- A host that vanishes in the middle of a save holds its row lock until the server notices.
ALTER ROLE nexara_worker SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE nexara_worker SET lock_timeout = '10s';
ALTER ROLE nexara_worker SET statement_timeout = '60s';
-- The web tier's sessions are its own; but one that is forgotten in a transaction keeps what every pick walks over.
ALTER ROLE nexara_web SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE nexara_dashboard SET statement_timeout = '10s';
ALTER ROLE nexara_dashboard SET idle_in_transaction_session_timeout = '10s';

CREATE SCHEMA IF NOT EXISTS nexara AUTHORIZATION nexara_owner;
CREATE SCHEMA IF NOT EXISTS live AUTHORIZATION nexara_owner;
CREATE SCHEMA IF NOT EXISTS ledger AUTHORIZATION nexara_ledger;
REVOKE ALL ON SCHEMA nexara, live, ledger FROM PUBLIC;
GRANT USAGE ON SCHEMA nexara, live TO tenant_job, nexara_web;
GRANT USAGE ON SCHEMA nexara TO nexara_ledger;
-- Whoever migrates may be no superuser, and then hands a function only to a role that could have made it there.
GRANT USAGE, CREATE ON SCHEMA nexara TO nexara_house, nexara_scribe;
GRANT USAGE ON SCHEMA ledger TO tenant_job, nexara_worker, nexara_web, nexara_dashboard, nexara_owner, nexara_house;
-- Functions are open to PUBLIC by default; here each is opened by name.
ALTER DEFAULT PRIVILEGES FOR ROLE nexara_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE nexara_house REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE nexara_ledger REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
