-- When a business's access ends, and that from a certain moment on there is no way back.
-- What changes belongs to nexara_scribe, what counts to nexara_house; each sees the columns that it needs.
CREATE POLICY ending ON nexara.businesses FOR UPDATE TO nexara_scribe USING (true);
CREATE POLICY ending ON nexara.subscriptions FOR SELECT TO nexara_scribe USING (true);
CREATE POLICY ending ON nexara.suppressions TO nexara_scribe USING (true);
GRANT SELECT (id, ended_at, erasing_at, erased_at), UPDATE (ended_at, erasing_at, erased_at) ON nexara.businesses
  TO nexara_scribe;
GRANT SELECT (business_id, subscription_ref, status, ends_at) ON nexara.subscriptions TO nexara_scribe;
GRANT SELECT (business_id, released_at), UPDATE (released_at) ON nexara.suppressions TO nexara_scribe;
GRANT SELECT ON nexara.keep_periods TO nexara_house;

-- Has a business's access ended by p_at? It has, once each of its subscriptions is over: expired, or cancelled and paid up
-- to a day that has passed. The clock starts at the last of these days, whenever the seller told us; as long as one
-- subscription goes on it does not run. A business without any is ended by the web tier.
CREATE FUNCTION nexara.end_access(p_business uuid, p_at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  stands record;
  told record;
  ended timestamptz;
BEGIN
  -- Two subscriptions that end at once are judged one after the other, and the second sees the first.
  SELECT b.ended_at, b.erasing_at INTO stands FROM businesses b WHERE b.id = p_business FOR NO KEY UPDATE;
  SELECT count(*) AS found, max(s.ends_at) FILTER (WHERE s.ends_at <= p_at) AS last,
         bool_and(s.status = 'expired' OR (s.status = 'cancelled' AND coalesce(s.ends_at <= p_at, false))) AS all_over
  INTO told FROM subscriptions s WHERE s.business_id = p_business;
  IF told.found = 0 OR stands.erasing_at IS NOT NULL THEN
    RETURN;
  END IF;
  ended := CASE WHEN told.all_over THEN coalesce(told.last, stands.ended_at, p_at) END;
  UPDATE businesses b SET ended_at = ended WHERE b.id = p_business AND b.ended_at IS DISTINCT FROM ended;
END $$;

CREATE FUNCTION nexara.access_ended() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  since CONSTANT timestamptz := (SELECT b.erasing_at FROM businesses b WHERE b.id = NEW.business_id FOR NO KEY UPDATE);
BEGIN
  -- What the seller still tells of one that is being erased is written down: that it ends, that a payment failed. One that
  -- begins, or begins again, is refused.
  IF since IS NOT NULL AND NEW.status NOT IN ('cancelled', 'expired')
     AND (TG_OP = 'INSERT' OR OLD.status IN ('cancelled', 'expired')) THEN
    RAISE EXCEPTION 'this business is being erased since %, and cannot come back', to_char(since, 'YYYY-MM-DD')
      USING ERRCODE = '55000', HINT = 'open a new account: it begins empty';
  END IF;
  PERFORM nexara.end_access(NEW.business_id, now());
  RETURN NULL;
END $$;

-- A day that was paid up to passes without anybody telling us: the sweep looks every night. Returns how many ended.
CREATE FUNCTION nexara.end_access_v1(p_as_of timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  at CONSTANT timestamptz := least(p_as_of, now());
  found uuid[];
BEGIN
  IF nexara.scope() IS DISTINCT FROM '00000000-0000-0000-0000-000000000000' THEN
    RETURN 0;
  END IF;
  SELECT array_agg(b.id ORDER BY b.id) INTO found FROM businesses b
  WHERE b.ended_at IS NULL AND b.erasing_at IS NULL
    AND EXISTS (SELECT FROM subscriptions s WHERE s.business_id = b.id)
    AND NOT EXISTS (
      SELECT FROM subscriptions s WHERE s.business_id = b.id
        AND NOT (s.status = 'expired' OR (s.status = 'cancelled' AND coalesce(s.ends_at <= at, false))));
  PERFORM nexara.end_access(id, at) FROM unnest(found) id;
  RETURN coalesce(cardinality(found), 0);
END $$;

-- An erasure of the whole business is confirmed: from here on it is being erased, whoever asked for it.
CREATE FUNCTION nexara.business_erasing() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
BEGIN
  IF NEW.state = 'confirmed' THEN
    UPDATE businesses b SET erasing_at = now(), ended_at = coalesce(b.ended_at, now())
    WHERE b.id = NEW.business_id AND b.erasing_at IS NULL;
    -- An objection is kept for some years after the account: they begin.
    UPDATE suppressions s SET released_at = now() WHERE s.business_id = NEW.business_id AND s.released_at IS NULL;
    -- A subscription that may still run is cancelled at the seller, by the same jobs that have copies deleted.
    INSERT INTO remains (business_id, store, what, ref, retry_at, erasure_id)
    SELECT s.business_id, 'lemon_squeezy', 'subscription', s.subscription_ref, now(), NEW.id
    FROM subscriptions s WHERE s.business_id = NEW.business_id AND s.status <> 'expired';
    PERFORM ledger.end_api_keys(NEW.business_id);
  ELSE
    UPDATE businesses b SET erased_at = NEW.completed_at WHERE b.id = NEW.business_id AND b.erased_at IS NULL;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION nexara.no_way_back() RETURNS trigger
LANGUAGE plpgsql SET search_path = nexara, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'this business is being erased since %, and cannot come back', to_char(OLD.erasing_at, 'YYYY-MM-DD')
    USING ERRCODE = '55000', HINT = 'open a new account: it begins empty';
END $$;

CREATE TRIGGER access_ended AFTER INSERT OR UPDATE OF status, ends_at ON nexara.subscriptions
  FOR EACH ROW EXECUTE FUNCTION nexara.access_ended();
CREATE TRIGGER business_erasing AFTER INSERT OR UPDATE OF state ON nexara.erasures
  FOR EACH ROW WHEN (NEW.scope = 'business' AND NEW.state IN ('confirmed', 'completed'))
  EXECUTE FUNCTION nexara.business_erasing();
CREATE TRIGGER no_way_back BEFORE UPDATE OF ended_at, erasing_at ON nexara.businesses
  FOR EACH ROW WHEN (OLD.erasing_at IS NOT NULL
    AND (NEW.ended_at IS DISTINCT FROM OLD.ended_at OR NEW.erasing_at IS DISTINCT FROM OLD.erasing_at))
  EXECUTE FUNCTION nexara.no_way_back();

-- How far each business is: ids and times. Asked by the house's sweep and by on-call.
CREATE FUNCTION nexara.ends_v1(p_business uuid DEFAULT NULL)
RETURNS TABLE (business_id uuid, ended_at timestamptz, erasing_at timestamptz, erased_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
  SELECT b.id, b.ended_at, b.erasing_at, b.erased_at FROM businesses b
  WHERE (p_business IS NULL OR b.id = p_business)
    AND (current_setting('role') <> 'tenant_job' OR (SELECT nexara.scope()) = '00000000-0000-0000-0000-000000000000')
  ORDER BY b.id
$$;

-- What somebody has to look at: businesses that should be gone and are not, and countries whose law nobody looked up.
-- plpgsql, since the deadlines are told to the database after this.
CREATE FUNCTION nexara.retention_alarms_v1(p_now timestamptz)
RETURNS TABLE (alarm text, business_id uuid, days integer, country text, businesses bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT CASE WHEN b.ended_at < p_now - make_interval(days => d.last_days) THEN 'past_last' ELSE 'past_vendors' END,
           b.id, extract(day FROM p_now - b.ended_at)::integer, NULL::text, NULL::bigint
    FROM businesses b CROSS JOIN nexara.deadlines_v1() d
    WHERE b.ended_at < p_now - make_interval(days => d.vendors_days)
      AND (b.erased_at IS NULL OR EXISTS (
        SELECT FROM erasures e WHERE e.business_id = b.id AND e.scope = 'business'
          AND e.state NOT IN ('completed', 'withdrawn')))
    ORDER BY b.ended_at, b.id;
  RETURN QUERY
    SELECT 'country_unknown', NULL::uuid, NULL::integer, b.country, count(*) FROM businesses b
    WHERE NOT EXISTS (SELECT FROM keep_periods k WHERE k.reason = 'billing' AND k.country = b.country)
    GROUP BY b.country ORDER BY b.country;
END $$;

ALTER FUNCTION nexara.end_access(uuid, timestamptz) OWNER TO nexara_scribe;
ALTER FUNCTION nexara.access_ended() OWNER TO nexara_scribe;
ALTER FUNCTION nexara.end_access_v1(timestamptz) OWNER TO nexara_scribe;
ALTER FUNCTION nexara.business_erasing() OWNER TO nexara_scribe;
ALTER FUNCTION nexara.no_way_back() OWNER TO nexara_owner;
ALTER FUNCTION nexara.ends_v1(uuid) OWNER TO nexara_house;
ALTER FUNCTION nexara.retention_alarms_v1(timestamptz) OWNER TO nexara_house;
REVOKE ALL ON FUNCTION nexara.end_access(uuid, timestamptz), nexara.access_ended(), nexara.end_access_v1(timestamptz),
  nexara.business_erasing(), nexara.no_way_back(), nexara.ends_v1(uuid), nexara.retention_alarms_v1(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexara.scope() TO nexara_scribe;
GRANT EXECUTE ON FUNCTION nexara.end_access_v1(timestamptz) TO tenant_job;
GRANT EXECUTE ON FUNCTION nexara.ends_v1(uuid) TO tenant_job, nexara_dashboard;
GRANT EXECUTE ON FUNCTION nexara.retention_alarms_v1(timestamptz) TO nexara_dashboard, nexara_worker;
GRANT USAGE ON SCHEMA nexara TO nexara_dashboard, nexara_worker;
