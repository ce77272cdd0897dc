-- The ledger's tables are read across businesses, by name: its own functions, on-call, and the house's counts.
-- Nobody else passes, the tables' owner by force included.
DO $$
DECLARE
  t regclass;
BEGIN
  FOR t IN SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind = 'r' LOOP
    EXECUTE format('ALTER TABLE %s OWNER TO nexara_ledger', t);
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY functions ON %s TO nexara_ledger USING (true) WITH CHECK (true)', t);
  END LOOP;
END $$;

-- Kept answers hold what vendors said of callers: no login reads them.
CREATE POLICY on_call ON ledger.jobs FOR SELECT TO nexara_dashboard USING (true);
CREATE POLICY on_call ON ledger.attempts FOR SELECT TO nexara_dashboard USING (true);
CREATE POLICY on_call ON ledger.workers FOR SELECT TO nexara_dashboard USING (true);
CREATE POLICY on_call ON ledger.ticks FOR SELECT TO nexara_dashboard USING (true);
CREATE POLICY on_call ON ledger.job_kinds FOR SELECT TO nexara_dashboard, nexara_worker USING (true);
CREATE POLICY on_call ON ledger.pauses FOR SELECT TO nexara_dashboard USING (true);
CREATE POLICY on_call ON ledger.limits FOR SELECT TO nexara_dashboard USING (true);
CREATE POLICY on_call ON ledger.batches FOR SELECT TO nexara_dashboard USING (true);
CREATE POLICY on_call ON ledger.batch_members FOR SELECT TO nexara_dashboard USING (true);
CREATE POLICY on_call ON ledger.batch_follow_ups FOR SELECT TO nexara_dashboard USING (true);
CREATE POLICY on_call ON ledger.audit FOR SELECT TO nexara_dashboard USING (true);
CREATE POLICY on_call ON ledger.operations FOR SELECT TO nexara_dashboard USING (true);
CREATE POLICY house ON ledger.jobs FOR SELECT TO nexara_house USING (true);
GRANT SELECT ON ledger.jobs, ledger.attempts, ledger.workers, ledger.ticks, ledger.job_kinds, ledger.pauses, ledger.limits,
  ledger.batches, ledger.batch_members, ledger.batch_follow_ups, ledger.audit, ledger.operations
  TO nexara_dashboard;
GRANT SELECT ON ledger.job_kinds TO nexara_worker;
GRANT SELECT (id, kind, business_id, state, payload, finished_at) ON ledger.jobs TO nexara_house;
