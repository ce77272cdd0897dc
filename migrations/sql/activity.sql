-- What remains of people's rows once they are gone: counts, by closed month in UTC, industry, channel and outcome.
--
-- The outcome of a conversation is the intent of its lead, or 'none'; what members and visitors did in the product is counted
-- beside it under the channel 'product', by the event's name. A cell is told if it counts 10 people of 5 businesses at least
-- and no business has over four fifths of its people, conversations or seconds. What falls short is told nowhere: there are
-- no totals, and no cell for the rest. Since the meter, which is kept for billing, gives the total of a month and channel
-- away, the smallest cell falls too where what is missing would itself be too few. A business that named no industry is not
-- counted.
CREATE POLICY house ON nexara.activity TO nexara_house USING (true);
CREATE POLICY house ON nexara.activity_months TO nexara_house USING (true);
GRANT SELECT, INSERT ON nexara.activity, nexara.activity_months TO nexara_house;
GRANT SELECT (industry) ON nexara.businesses TO nexara_house;
GRANT SELECT (business_id, id, person_id, channel, started_at, ended_at) ON nexara.conversations TO nexara_house;
GRANT SELECT (business_id, conversation_id, seconds) ON nexara.calls TO nexara_house;
GRANT SELECT (business_id, conversation_id, intent) ON nexara.leads TO nexara_house;
GRANT SELECT (business_id, member_id, visitor_id, name, at) ON nexara.product_events TO nexara_house;
GRANT SELECT (business_id, id, person_id) ON nexara.visitors TO nexara_house;

-- The oldest month that is to be counted, by its first day. It is over, every conversation that began in it has ended and was
-- given a week to be summed up; one that has not ended a month later never will, and is left out.
CREATE FUNCTION nexara.month_due_v1(p_as_of timestamptz) RETURNS date
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp SET enable_seqscan = off AS $$
  WITH oldest AS (
    SELECT min(least(
      (SELECT min(c.started_at) FROM conversations c WHERE c.business_id = b.id),
      (SELECT min(e.at) FROM product_events e WHERE e.business_id = b.id))) AS at
    FROM businesses b
  )
  -- OFFSET 0: in their order, so that the months behind the one that is told are not looked into.
  SELECT d.m::date
  FROM (
    SELECT m
    FROM oldest, generate_series(date_trunc('month', oldest.at AT TIME ZONE 'UTC'),
                                 (p_as_of AT TIME ZONE 'UTC') - interval '1 month 7 days', interval '1 month') m
    WHERE (SELECT nexara.scope()) = '00000000-0000-0000-0000-000000000000'
      AND NOT EXISTS (SELECT FROM activity_months a WHERE a.month = m::date)
    ORDER BY m OFFSET 0) d
  WHERE p_as_of AT TIME ZONE 'UTC' >= d.m + interval '2 months' OR NOT EXISTS (
    SELECT FROM businesses b CROSS JOIN LATERAL (
      SELECT FROM conversations c
      WHERE c.business_id = b.id
        AND c.started_at >= d.m AT TIME ZONE 'UTC' AND c.started_at < (d.m + interval '1 month') AT TIME ZONE 'UTC'
        AND coalesce(c.ended_at, 'infinity') > p_as_of - interval '7 days'
      LIMIT 1) open)
  LIMIT 1
$$;

-- Count the oldest month that is due, once and for all; returns it, or nothing if none is.
CREATE FUNCTION nexara.count_month_v1(p_as_of timestamptz) RETURNS date
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  counted CONSTANT date := nexara.month_due_v1(least(p_as_of, now()));
  begins CONSTANT timestamptz := counted::timestamp AT TIME ZONE 'UTC';
  ends CONSTANT timestamptz := (counted + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
  IF counted IS NULL THEN
    RETURN NULL;
  END IF;
  -- Also where no cell is told: a month that is counted again after an erasure would show what is missing.
  INSERT INTO activity_months (month) VALUES (counted) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN counted;  -- somebody else counted it this very moment
  END IF;
  -- OFFSET 0: a month's calls and leads are looked up one by one, or each month would read those of all years.
  WITH facts AS MATERIALIZED (
    SELECT b.id AS business, b.industry, c.person_id AS person, c.channel, coalesce(l.intent, 'none') AS outcome,
           coalesce(k.seconds, 0) AS seconds
    FROM businesses b
    CROSS JOIN LATERAL (
      SELECT c.id, c.person_id, c.channel FROM conversations c
      WHERE c.business_id = b.id AND c.started_at >= begins AND c.started_at < ends AND c.ended_at IS NOT NULL
      OFFSET 0) c
    LEFT JOIN LATERAL (
      SELECT k.seconds FROM calls k WHERE k.business_id = b.id AND k.conversation_id = c.id OFFSET 0) k ON true
    LEFT JOIN LATERAL (
      SELECT l.intent FROM leads l WHERE l.business_id = b.id AND l.conversation_id = c.id OFFSET 0) l ON true
    WHERE b.industry IS NOT NULL AND b.erasing_at IS NULL
    UNION ALL
    SELECT b.id, b.industry, coalesce(e.member_id, v.person_id), 'product', e.name, 0
    FROM businesses b
    CROSS JOIN LATERAL (
      SELECT e.member_id, e.visitor_id, e.name FROM product_events e
      WHERE e.business_id = b.id AND e.at >= begins AND e.at < ends
      OFFSET 0) e
    LEFT JOIN visitors v ON v.business_id = b.id AND v.id = e.visitor_id
    WHERE b.industry IS NOT NULL AND b.erasing_at IS NULL AND coalesce(e.member_id, v.person_id) IS NOT NULL
  ), of_businesses AS (
    SELECT f.industry, f.channel, f.outcome, f.business, count(DISTINCT f.person) AS people,
           count(*) AS conversations, sum(f.seconds) AS seconds
    FROM facts f GROUP BY f.industry, f.channel, f.outcome, f.business
  ), cells AS (
    SELECT o.industry, o.channel, o.outcome, sum(o.people) AS people, count(*) AS businesses,
           sum(o.conversations) AS conversations, sum(o.seconds) AS seconds,
           sum(o.people) >= 10 AND count(*) >= 5 AND max(o.people) <= 0.8 * sum(o.people)
             AND max(o.conversations) <= 0.8 * sum(o.conversations)
             AND (sum(o.seconds) = 0 OR max(o.seconds) <= 0.8 * sum(o.seconds)) AS enough
    FROM of_businesses o GROUP BY o.industry, o.channel, o.outcome
  ), missing AS (
    SELECT f.industry, f.channel, count(DISTINCT f.person) < 10 OR count(DISTINCT f.business) < 5 AS too_few
    FROM facts f JOIN cells c ON (c.industry, c.channel, c.outcome) = (f.industry, f.channel, f.outcome)
    WHERE NOT c.enough GROUP BY f.industry, f.channel
  ), told AS (
    SELECT c.*, coalesce(m.too_few, false) AS too_few,
           row_number() OVER (PARTITION BY c.industry, c.channel ORDER BY c.people, c.outcome) AS place
    FROM cells c LEFT JOIN missing m ON (m.industry, m.channel) = (c.industry, c.channel)
    WHERE c.enough
  )
  INSERT INTO activity (month, industry, channel, outcome, people, businesses, conversations, seconds)
  SELECT counted, t.industry, t.channel, t.outcome, t.people, t.businesses, t.conversations, t.seconds
  FROM told t WHERE NOT (t.too_few AND t.place = 1);
  RETURN counted;
END $$;

-- Has a business conversations in a month that was not counted yet? Asked by the job that ends it, of its own business.
CREATE FUNCTION nexara.uncounted_v1() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM (SELECT nexara.scope() AS id OFFSET 0) mine
    CROSS JOIN LATERAL (
      SELECT min(c.started_at) AS first, max(c.started_at) AS last FROM conversations c WHERE c.business_id = mine.id) span
    CROSS JOIN LATERAL generate_series(date_trunc('month', span.first AT TIME ZONE 'UTC'),
                                       span.last AT TIME ZONE 'UTC', interval '1 month') m
    WHERE NOT EXISTS (SELECT FROM activity_months a WHERE a.month = m::date))
$$;

ALTER FUNCTION nexara.month_due_v1(timestamptz) OWNER TO nexara_house;
ALTER FUNCTION nexara.count_month_v1(timestamptz) OWNER TO nexara_house;
ALTER FUNCTION nexara.uncounted_v1() OWNER TO nexara_house;
REVOKE ALL ON FUNCTION nexara.month_due_v1(timestamptz), nexara.count_month_v1(timestamptz), nexara.uncounted_v1() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexara.month_due_v1(timestamptz), nexara.count_month_v1(timestamptz), nexara.uncounted_v1()
  TO tenant_job;
