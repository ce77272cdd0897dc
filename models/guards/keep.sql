-- Until when a kept row stays. The functions belong to nexara_scribe, who sees of a business its country and zone.
GRANT SELECT ON nexara.keep_periods TO nexara_scribe;
GRANT SELECT (id, country, zone) ON nexara.businesses TO nexara_scribe;
DROP POLICY IF EXISTS keep ON nexara.businesses;
CREATE POLICY keep ON nexara.businesses FOR SELECT TO nexara_scribe USING (true);

-- The first day on which a record need not be kept any more: the period is counted from the end of the calendar year in
-- which its time began, by the business's own clock. A country that nobody looked up gets the longest period we know.
CREATE OR REPLACE FUNCTION nexara.keep_until_v1(p_reason text, p_country text, p_zone text, p_since timestamptz) RETURNS date
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  begun integer;
  period bigint;
BEGIN
  IF p_since IS NULL THEN
    RETURN NULL;
  END IF;
  BEGIN
    begun := extract(year FROM p_since AT TIME ZONE p_zone);
  EXCEPTION WHEN invalid_parameter_value THEN
    -- No such zone: by the clock that is ahead of all others, so that nothing goes too early.
    begun := extract(year FROM (p_since AT TIME ZONE 'UTC') + interval '14 hours');
  END;
  SELECT years INTO period FROM keep_periods WHERE reason = p_reason AND country = p_country;
  IF period IS NULL THEN
    SELECT max(years) INTO period FROM keep_periods;
  END IF;
  -- Without any period nothing is ever over.
  RETURN coalesce(make_date((begun + 1 + period)::integer, 1, 1), '9999-12-31');
END $$;

-- Its arguments: the column in which the row's time begins, and the reason for which it is kept.
CREATE OR REPLACE FUNCTION nexara.keep_until() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  told CONSTANT jsonb := to_jsonb(NEW);
  since CONSTANT timestamptz := (told ->> TG_ARGV[0])::timestamptz;
BEGIN
  IF since IS NULL THEN
    -- Its time has not begun: no day, but for one that an erasure gives it. A business that came back has none either.
    IF TG_OP = 'UPDATE' AND to_jsonb(OLD) ->> TG_ARGV[0] IS NOT NULL THEN
      NEW.keep_until := NULL;
    END IF;
  ELSIF told ? 'business_id' THEN
    SELECT nexara.keep_until_v1(TG_ARGV[1], b.country, b.zone, since) INTO NEW.keep_until
    FROM businesses b WHERE b.id = (told ->> 'business_id')::uuid;
  ELSE
    NEW.keep_until := nexara.keep_until_v1(TG_ARGV[1], told ->> 'country', told ->> 'zone', since);
  END IF;
  RETURN NEW;
END $$;

ALTER FUNCTION nexara.keep_until_v1(text, text, text, timestamptz) OWNER TO nexara_scribe;
ALTER FUNCTION nexara.keep_until() OWNER TO nexara_scribe;
REVOKE ALL ON FUNCTION nexara.keep_until_v1(text, text, text, timestamptz), nexara.keep_until() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexara.keep_until_v1(text, text, text, timestamptz) TO tenant_job;
