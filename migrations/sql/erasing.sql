-- What erasing needs of the database beyond the rows that a job sees. The functions belong to nexara_scribe.
GRANT EXECUTE ON FUNCTION nexara.scope() TO nexara_scribe;
GRANT EXECUTE ON FUNCTION ledger.job_scope() TO nexara_scribe;
CREATE POLICY scribe ON nexara.erasures FOR SELECT TO nexara_scribe USING (true);
CREATE POLICY scribe ON nexara.provider_events TO nexara_scribe USING (true);
CREATE POLICY scribe ON nexara.waitlist TO nexara_scribe USING (true);
CREATE POLICY scribe ON nexara.contact_forms TO nexara_scribe USING (true);
GRANT SELECT (business_id, id, scope, origin, state) ON nexara.erasures TO nexara_scribe;
GRANT SELECT (id, business_id, payload), DELETE ON nexara.provider_events TO nexara_scribe;
GRANT SELECT (id, email), DELETE ON nexara.waitlist, nexara.contact_forms TO nexara_scribe;

-- Whom an erasure means is decided until it is confirmed, by whoever may write here; from then on nobody changes it. When it
-- is completed, or was withdrawn, its scope goes.
CREATE FUNCTION nexara.keep_frozen() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  stands text;
BEGIN
  FOR stands IN
    SELECT e.state FROM erasures e
    WHERE (TG_OP <> 'DELETE' AND e.business_id = NEW.business_id AND e.id = NEW.erasure_id)
       OR (TG_OP <> 'INSERT' AND e.business_id = OLD.business_id AND e.id = OLD.erasure_id)
  LOOP
    IF stands <> 'resolving' AND NOT (TG_OP = 'DELETE' AND stands IN ('completed', 'withdrawn')) THEN
      RAISE EXCEPTION 'whom an erasure means is frozen: it is %', stands USING ERRCODE = '55000',
        HINT = 'ask for another erasure of what this one leaves out';
    END IF;
  END LOOP;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER keep_frozen BEFORE INSERT OR UPDATE OR DELETE ON nexara.erasure_scope
  FOR EACH ROW EXECUTE FUNCTION nexara.keep_frozen();

-- What names whom an erasure means in tables of no tenant, which no job sees: deleted, or with p_look counted. Vendors'
-- messages as they came, of this business or of nobody yet; forms that people sent to us, by their address and only when
-- they asked themselves: a business that deletes a customer must not take away what that customer wrote to us.
CREATE FUNCTION nexara.forget_raw_v1(p_erasure uuid, p_pattern text, p_addresses text[], p_most integer, p_look boolean)
RETURNS TABLE (source text, gone bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  mine CONSTANT uuid := nexara.scope();
  about record;
  whole boolean;
  asked boolean;
  most CONSTANT integer := CASE WHEN NOT p_look THEN p_most END;
  raw uuid[];
  waiting uuid[];
  forms uuid[];
BEGIN
  SELECT e.scope, e.origin, e.state INTO about FROM erasures e WHERE e.business_id = mine AND e.id = p_erasure;
  IF about.state IS NULL THEN
    RAISE EXCEPTION 'this business has no such erasure' USING ERRCODE = '22023';
  ELSIF NOT p_look AND about.state <> 'erasing' THEN
    RAISE EXCEPTION 'nothing is deleted for an erasure that is %', about.state USING ERRCODE = '55000';
  END IF;
  whole := about.scope = 'business';
  asked := about.origin = 'request' AND about.scope IN ('person', 'member', 'visitor');
  raw := ARRAY(
    SELECT e.id FROM provider_events e WHERE whole AND e.business_id = mine
    UNION ALL
    SELECT e.id FROM provider_events e
    WHERE NOT whole AND p_pattern <> '' AND (e.business_id = mine OR e.business_id IS NULL)
      AND e.payload IS NOT NULL AND e.payload::text ~* p_pattern
    LIMIT most);
  waiting := ARRAY(SELECT w.id FROM waitlist w WHERE asked AND w.email = ANY (p_addresses) LIMIT most);
  forms := ARRAY(SELECT f.id FROM contact_forms f WHERE asked AND f.email = ANY (p_addresses) LIMIT most);
  IF NOT p_look THEN
    DELETE FROM provider_events e WHERE e.id = ANY (raw);
    DELETE FROM waitlist w WHERE w.id = ANY (waiting);
    DELETE FROM contact_forms f WHERE f.id = ANY (forms);
  END IF;
  RETURN QUERY VALUES ('provider_events', cardinality(raw)::bigint), ('waitlist', cardinality(waiting)),
    ('contact_forms', cardinality(forms));
END $$;

ALTER FUNCTION nexara.keep_frozen() OWNER TO nexara_scribe;
ALTER FUNCTION nexara.forget_raw_v1(uuid, text, text[], integer, boolean) OWNER TO nexara_scribe;
REVOKE ALL ON FUNCTION nexara.keep_frozen(), nexara.forget_raw_v1(uuid, text, text[], integer, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexara.forget_raw_v1(uuid, text, text[], integer, boolean) TO tenant_job;
