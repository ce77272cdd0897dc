-- Firing a schedule's tick exactly once, however many schedulers run: the tick's row and its job are one transaction.

-- Returns the job's id; NULL if the tick is not due by the database's clock, or was fired already.
-- p_tick is the local date of a daily schedule, else the UTC instant: a clock set back an hour fires nothing twice.
-- p_fire false records the tick as skipped.
CREATE FUNCTION ledger.tick_v1(p_schedule text, p_tick text, p_due_at timestamptz, p_kind text, p_payload jsonb, p_fire boolean)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  house CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
  job bigint;
BEGIN
  INSERT INTO ticks (schedule, tick, due_at, outcome)
  SELECT p_schedule, p_tick, p_due_at, CASE WHEN p_fire THEN 'fired' ELSE 'skipped' END
  WHERE p_due_at <= clock_timestamp()
  ON CONFLICT DO NOTHING;
  IF NOT FOUND OR NOT p_fire THEN
    RETURN NULL;
  END IF;
  job := ledger.enqueue_job_v1(p_kind, p_payload, house);
  UPDATE ticks SET job_id = job WHERE schedule = p_schedule AND tick = p_tick;
  RETURN job;
END $$;

-- The last tick of a schedule that was fired or skipped on purpose: what was missed comes after it. NULL: never ran.
CREATE FUNCTION ledger.last_tick_v1(p_schedule text) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
  SELECT max(due_at) FROM ticks WHERE schedule = p_schedule
$$;

ALTER FUNCTION ledger.tick_v1(text, text, timestamptz, text, jsonb, boolean) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.last_tick_v1(text) OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.tick_v1(text, text, timestamptz, text, jsonb, boolean), ledger.last_tick_v1(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.tick_v1(text, text, timestamptz, text, jsonb, boolean), ledger.last_tick_v1(text) TO nexara_worker;
