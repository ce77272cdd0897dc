-- Erasures that wait for somebody, and those that take too long: ids, codes, counts and days, for on-call.
GRANT SELECT (made_at) ON nexara.remains TO nexara_house;

-- by_hand     copies that somebody has to delete, of an erasure or of rows that ended by age
-- undecided   texts that somebody has to look at
-- unresolved  nobody has decided whom it means, or confirmed it, for p_unresolved
-- slow        it is confirmed, and not completed, for p_slow
-- Days are counted from when the first copy or text began to wait, or from when the erasure was asked for.
CREATE FUNCTION nexara.erasure_alarms_v1(p_now timestamptz, p_unresolved interval, p_slow interval)
RETURNS TABLE (alarm text, business_id uuid, erasure_id uuid, days integer, amount bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
  SELECT told.alarm, told.business_id, told.erasure_id, extract(day FROM p_now - told.since)::integer, told.amount
  FROM (
    SELECT 'by_hand' AS alarm, r.business_id, r.erasure_id, min(r.made_at) AS since, count(*) AS amount
    FROM remains r WHERE r.state = 'manual' GROUP BY r.business_id, r.erasure_id
    UNION ALL
    SELECT 'undecided', v.business_id, v.erasure_id, min(v.made_at), count(*)
    FROM reviews v WHERE v.state = 'open' GROUP BY v.business_id, v.erasure_id
    UNION ALL
    SELECT 'unresolved', e.business_id, e.id, e.asked_at, 1
    FROM erasures e WHERE e.state = 'resolving' AND e.asked_at < p_now - p_unresolved
    UNION ALL
    SELECT 'slow', e.business_id, e.id, e.asked_at, 1
    FROM erasures e WHERE e.state IN ('confirmed', 'erasing', 'pending') AND e.confirmed_at < p_now - p_slow
  ) told
  ORDER BY told.since, told.business_id, told.erasure_id, told.alarm
  LIMIT 100
$$;

ALTER FUNCTION nexara.erasure_alarms_v1(timestamptz, interval, interval) OWNER TO nexara_house;
REVOKE ALL ON FUNCTION nexara.erasure_alarms_v1(timestamptz, interval, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexara.erasure_alarms_v1(timestamptz, interval, interval) TO nexara_dashboard, nexara_worker;
