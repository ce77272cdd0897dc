-- What ended when, counted a minute after it happened: charts of a day read some rows, however many jobs there are, and
-- no arrow of a job pays for it.

-- Count what ended since the last call, up to p_settled ago, a minute a call; returns whether there is more to count.
-- A job's end is stamped before its commit: one whose last transaction stayed open for longer than p_settled is left out.
CREATE FUNCTION ledger.count_pace_v1(p_settled interval DEFAULT '1 minute') RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  settled CONSTANT timestamptz := clock_timestamp() - p_settled;
  since timestamptz;
  next_end timestamptz;
  upto timestamptz;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);  -- counts and cursor are lost together, and counted again
  SELECT p.until INTO since FROM pace_until p WHERE p.id = 1 FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN  -- another dispatcher counts; or nobody ever did, and the next call begins a day ago
    INSERT INTO pace_until (id, until) VALUES (1, settled - interval '1 day') ON CONFLICT DO NOTHING;
    RETURN false;
  END IF;
  SELECT min(at) INTO next_end FROM (
    SELECT (SELECT min(finished_at) FROM jobs WHERE state = s AND finished_at >= since) AS at
    FROM unnest('{succeeded,dead,cancelled,discarded}'::text[]) s
    UNION ALL SELECT min(ended_at) FROM attempts WHERE ended_at >= since
  ) ends;
  IF since >= settled OR next_end IS NULL OR next_end >= settled THEN
    UPDATE pace_until SET until = greatest(since, settled) WHERE id = 1;
    RETURN false;
  END IF;
  since := next_end;
  upto := least(settled, date_trunc('minute', since) + interval '1 minute');
  WITH ended AS MATERIALIZED (
    SELECT j.kind, j.state, count(*)::integer AS count,
           CASE WHEN j.state = 'succeeded' AND j.started_at IS NOT NULL THEN floor(4 * ln(greatest(
             extract(epoch FROM j.finished_at - j.started_at)::double precision * 1000, 1)) / ln(2.0::double precision)) END AS bucket
    FROM jobs j
    WHERE j.state = ANY ('{succeeded,dead,cancelled,discarded}') AND j.finished_at >= since AND j.finished_at < upto
    GROUP BY 1, 2, 4
  ), counted AS (
    INSERT INTO pace AS p (minute, kind, outcome, count)
    SELECT date_trunc('minute', since), e.kind, e.state, sum(e.count) FROM ended e GROUP BY e.kind, e.state
    UNION ALL
    SELECT date_trunc('minute', since), a.kind, 'failed', count(*) FROM attempts a
    WHERE a.ended_at >= since AND a.ended_at < upto AND a.outcome <> 'cancelled' GROUP BY a.kind
    ON CONFLICT (minute, kind, outcome) DO UPDATE SET count = p.count + EXCLUDED.count
  )
  INSERT INTO durations AS d (hour, kind, bucket, count)
  SELECT date_trunc('hour', since), e.kind, e.bucket, e.count FROM ended e WHERE e.bucket IS NOT NULL
  ON CONFLICT (hour, kind, bucket) DO UPDATE SET count = d.count + EXCLUDED.count;
  UPDATE pace_until SET until = upto WHERE id = 1;
  RETURN upto < settled;
END $$;

ALTER FUNCTION ledger.count_pace_v1(interval) OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.count_pace_v1(interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.count_pace_v1(interval) TO nexara_worker;

CREATE POLICY on_call ON ledger.pace FOR SELECT TO nexara_dashboard USING (true);
CREATE POLICY on_call ON ledger.durations FOR SELECT TO nexara_dashboard USING (true);
CREATE POLICY on_call ON ledger.pace_until FOR SELECT TO nexara_dashboard USING (true);
GRANT SELECT ON ledger.pace, ledger.durations, ledger.pace_until TO nexara_dashboard;
