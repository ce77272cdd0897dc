-- What vendors send late: whoever wants to write what came from outside asks arrival_v1 first, and behind it triggers refuse what
-- was erased, whoever writes (models/guards/refuse.sql). A tombstone stands on a vendor's id, and then for good; or on a number
-- or address, and then against what happened before the erasure, so that a new call of the same number is kept.

-- The key of a vendor's event: what makes it the same event however often, and by whichever way, it comes.
CREATE FUNCTION nexara.event_key_v1(p_provider text, p_id text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT encode(sha256(convert_to(p_provider || ':' || p_id, 'UTF8')), 'hex')
$$;

-- HMAC-SHA-256 (RFC 2104) by two sha256(): no extension is needed for it. The key has 64 bytes at most.
CREATE FUNCTION nexara.hmac_sha256(p_key bytea, p_said bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT sha256(pads.outside || sha256(pads.inside || p_said))
  FROM (
    SELECT string_agg(set_byte('\x00', 0, byte # 54), '' ORDER BY at) AS inside,
           string_agg(set_byte('\x00', 0, byte # 92), '' ORDER BY at) AS outside
    FROM (SELECT at, CASE WHEN at < length(p_key) THEN get_byte(p_key, at) ELSE 0 END AS byte FROM generate_series(0, 63) at) bytes
  ) pads
$$;

-- The one spelling in which an identifier is digested: a WhatsApp id is a number without its plus.
CREATE FUNCTION nexara.spelled(p_value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN told ~ '^[1-9][0-9]{6,19}$' THEN '+' || told ELSE told END FROM (SELECT lower(btrim(p_value)) AS told) t
$$;

-- The digest of an identifier under a business's salt; NULL where it has none, and so no tombstone that could match.
CREATE FUNCTION nexara.digest_of(p_business uuid, p_value text) RETURNS text
LANGUAGE sql STABLE STRICT SET search_path = nexara, pg_temp AS $$
  SELECT encode(nexara.hmac_sha256(decode(s.secret, 'hex'), convert_to(nexara.spelled(p_value), 'UTF8')), 'hex')
  FROM salts s WHERE s.business_id = p_business
$$;

-- Make a business's salt, if it has none: 244 random bits of the server's own generator of UUIDs.
CREATE FUNCTION nexara.salt(p_business uuid) RETURNS void
LANGUAGE sql SET search_path = nexara, pg_temp AS $$
  INSERT INTO salts (business_id, secret)
  VALUES (p_business, replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''))
  ON CONFLICT (business_id) DO NOTHING
$$;

-- A business has its salt from its first moment on: every backup that knows the business knows it too, so that digests which
-- the journal kept outside say the same after a restore.
CREATE FUNCTION nexara.salted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  before CONSTANT text := current_setting('nexara.business', true);
BEGIN
  PERFORM nexara.act_for(NEW.id);
  PERFORM nexara.salt(NEW.id);
  PERFORM set_config('nexara.business', coalesce(before, ''), true);
  RETURN NULL;
END $$;
CREATE TRIGGER salted AFTER INSERT ON nexara.businesses FOR EACH ROW EXECUTE FUNCTION nexara.salted();

-- The digests of identifiers under the salt of the job's business: what the journal keeps of tombstones.
CREATE FUNCTION nexara.digests_v1(p_identifiers text[]) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
BEGIN
  IF nexara.scope() IS NULL THEN
    RAISE EXCEPTION 'only a job that holds its fence asks for digests' USING ERRCODE = 'NX001';
  END IF;
  RETURN QUERY SELECT DISTINCT nexara.digest_of(nexara.scope(), value) FROM unnest(p_identifiers) value WHERE value IS NOT NULL;
END $$;

-- Put tombstones on identifiers, for the business of the job that asks: nothing of them that happened until p_before comes back.
-- As often as one likes; a later erasure moves the moment on. Returns how many.
CREATE FUNCTION nexara.bury_v1(p_identifiers text[], p_before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  mine CONSTANT uuid := nexara.scope();
  buried integer;
BEGIN
  IF mine IS NULL THEN
    RAISE EXCEPTION 'only a job that holds its fence puts tombstones' USING ERRCODE = 'NX001';
  END IF;
  IF p_before IS NULL OR NOT isfinite(p_before) THEN
    RAISE EXCEPTION 'an identifier is buried with the moment of its erasure' USING ERRCODE = '22023';
  END IF;
  IF coalesce(cardinality(p_identifiers), 0) = 0 THEN
    RETURN 0;
  END IF;
  PERFORM nexara.salt(mine);
  INSERT INTO tombstones (business_id, digest, sort, event_before)
  SELECT DISTINCT mine, nexara.digest_of(mine, value), 'identifier', p_before FROM unnest(p_identifiers) value WHERE value IS NOT NULL
  ON CONFLICT (business_id, digest) DO UPDATE
    SET event_before = greatest(tombstones.event_before, excluded.event_before), made_at = now();
  GET DIAGNOSTICS buried = ROW_COUNT;
  RETURN buried;
END $$;

-- Is a whole business erased, or about to be? Then nothing comes for it any more, whenever it happened.
CREATE FUNCTION nexara.is_erased(p_business uuid) RETURNS boolean
LANGUAGE sql STABLE STRICT SET search_path = nexara, pg_temp AS $$
  SELECT EXISTS (SELECT FROM businesses b WHERE b.id = p_business AND coalesce(b.erasing_at, b.erased_at) IS NOT NULL)
    OR EXISTS (SELECT FROM erasures e
               WHERE e.business_id = p_business AND e.scope = 'business' AND e.state NOT IN ('resolving', 'withdrawn'))
$$;

-- What a person is reached by, as the web tier tells it: a list of {"kind", "value"}, each as the table of identifiers takes
-- it. Nothing of it is quoted back.
CREATE FUNCTION nexara.told_identifiers(p_identifiers jsonb) RETURNS TABLE (kind text, value text, place bigint)
LANGUAGE plpgsql IMMUTABLE SET search_path = nexara, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF (CASE WHEN jsonb_typeof(p_identifiers) = 'array' THEN jsonb_array_length(p_identifiers) > 20 ELSE true END) THEN
    RAISE EXCEPTION 'p_identifiers is a list of at most 20' USING ERRCODE = '22023',
      HINT = '[{"kind": "phone", "value": "+…"}]; [] for a withheld number; null for what belongs to something that came before';
  END IF;
  RETURN QUERY
    SELECT given.told ->> 'kind', given.told ->> 'value', min(given.place)
    FROM jsonb_array_elements(p_identifiers) WITH ORDINALITY given (told, place) GROUP BY 1, 2;
  IF EXISTS (
    SELECT FROM jsonb_array_elements(p_identifiers) told
    WHERE CASE WHEN jsonb_typeof(told) <> 'object' THEN true ELSE told - ARRAY['kind', 'value'] <> '{}' END
       OR NOT coalesce(CASE told ->> 'kind'
      WHEN 'phone' THEN told ->> 'value' ~ '^\+[1-9][0-9]{6,14}$'
      WHEN 'email' THEN told ->> 'value' = lower(told ->> 'value') AND told ->> 'value' ~ '^[^\s@]+@[^\s@]+$'
      WHEN 'wa_id' THEN told ->> 'value' ~ '^[1-9][0-9]{6,19}$'
      WHEN 'chat_session' THEN told ->> 'value' ~ '^[0-9a-f-]{32,64}$' END, false)
  ) THEN
    RAISE EXCEPTION 'an identifier is not as it should be' USING ERRCODE = '22023',
      HINT = 'phone: E.164, such as +12125550100; email: lower case; wa_id: digits alone; chat_session: hexadecimal, 32 to 64';
  END IF;
END $$;

-- Who it is: whom one of these identifiers belongs to and nobody else, the first given one first; or somebody new. Not somebody
-- who is being erased right now: what they say after that is kept, and theirs goes.
CREATE FUNCTION nexara.person_of(p_business uuid, p_identifiers jsonb, p_at timestamptz) RETURNS uuid
LANGUAGE plpgsql SET search_path = nexara, pg_temp AS $$
DECLARE
  person uuid;
  is_new boolean := false;
BEGIN
  -- Two arrivals of one number at once are of one person. In one order, so that nobody waits for one who waits for him.
  PERFORM pg_advisory_xact_lock(hashtextextended(p_business::text || g.kind || g.value, 0))
  FROM (SELECT t.kind, t.value FROM nexara.told_identifiers(p_identifiers) t ORDER BY t.kind, t.value) g;
  SELECT held.who INTO person
  FROM nexara.told_identifiers(p_identifiers) g
  CROSS JOIN LATERAL (
    SELECT min(i.person_id::text)::uuid AS who FROM identifiers i
    WHERE i.business_id = p_business AND i.kind = g.kind AND i.value = g.value AND NOT nexara.is_going(p_business, i.person_id)
    HAVING count(DISTINCT i.person_id) = 1
  ) held
  ORDER BY g.place LIMIT 1;
  IF person IS NULL THEN
    INSERT INTO people (business_id) VALUES (p_business) RETURNING id INTO person;
    is_new := true;
  END IF;
  -- Somebody who is known keeps out of what others hold: it would become shared, and say no more who it is.
  INSERT INTO identifiers (business_id, person_id, kind, value, first_seen, last_seen)
  SELECT p_business, person, g.kind, g.value, least(p_at, now()), least(p_at, now())
  FROM nexara.told_identifiers(p_identifiers) g
  WHERE is_new OR NOT EXISTS (
    SELECT FROM identifiers i
    WHERE i.business_id = p_business AND i.kind = g.kind AND i.value = g.value AND i.person_id <> person)
  ORDER BY g.kind, g.value
  ON CONFLICT (business_id, kind, value, person_id) DO UPDATE SET last_seen = greatest(identifiers.last_seen, excluded.last_seen);
  RETURN person;
END $$;

-- Is this row meant by an erasure that was confirmed, and is not done with the rows yet?
CREATE FUNCTION nexara.is_going(p_business uuid, p_row uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = nexara, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM erasure_scope s JOIN erasures e ON e.business_id = s.business_id AND e.id = s.erasure_id
    WHERE s.business_id = p_business AND s.row_id = p_row AND s.decision = 'include' AND e.state IN ('confirmed', 'erasing'))
$$;

-- May this be written? Asked by the web tier for the business that it acts for, in the transaction that then writes, of whatever
-- a vendor sends: by the vendor and its id of the call, message or recording, with the time at which it happened, and what the
-- caller is reached by.
--   erased     it was erased: drop it, and answer the vendor as if all were well
--   duplicate  it is known: add to what is there; where nothing is there any more, drop it
--   accepted   write it, with event_key as its key, for person_id. Identifiers [] is a withheld number: somebody new, who is
--              reached by nothing. NULL: it belongs to a call or thread that is there, and nobody is looked for.
CREATE FUNCTION nexara.arrival_v1(p_provider text, p_provider_id text, p_event_time timestamptz, p_identifiers jsonb)
RETURNS TABLE (answer text, person_id uuid, event_key text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
#variable_conflict use_column
DECLARE
  mine CONSTANT uuid := nexara.scope();
  key CONSTANT text := nexara.event_key_v1(p_provider, p_provider_id);
  listed CONSTANT jsonb := nullif(p_identifiers, 'null');
  stone text;
BEGIN
  IF mine IS NULL THEN
    RAISE EXCEPTION 'nobody is acted for: call nexara.act_for first' USING ERRCODE = '22023';
  END IF;
  IF coalesce(p_provider, '') !~ '^[a-z0-9][a-z0-9_]{0,62}$' OR coalesce(p_provider_id, '') !~ '^\S+$'
     OR length(p_provider_id) > 400 OR p_event_time IS NULL OR NOT isfinite(p_event_time) THEN
    RAISE EXCEPTION 'an arrival has its vendor, the vendor''s id of it, and the time at which it happened' USING ERRCODE = '22023';
  END IF;
  PERFORM FROM nexara.told_identifiers(coalesce(listed, '[]'));
  -- It says when it comes: what was erased before anything else, then what is known, since that has been let in already.
  IF nexara.is_erased(mine) OR EXISTS (SELECT FROM tombstones t WHERE t.business_id = mine AND t.digest = key) THEN
    RETURN QUERY SELECT 'erased', NULL::uuid, key;
  ELSIF EXISTS (SELECT FROM conversations c WHERE c.business_id = mine AND c.event_key = key)
     OR EXISTS (SELECT FROM calls c WHERE c.business_id = mine AND c.event_key = key)
     OR EXISTS (SELECT FROM messages m WHERE m.business_id = mine AND m.event_key = key)
     -- Billed, and its row has ended: it must not be billed, or told of, once more.
     OR EXISTS (SELECT FROM meter m WHERE m.business_id = mine AND m.event_key = key AND m.correction_of IS NULL) THEN
    RETURN QUERY SELECT 'duplicate', NULL::uuid, key;
  ELSIF EXISTS (
      SELECT FROM nexara.told_identifiers(coalesce(listed, '[]')) g
      JOIN tombstones t ON t.business_id = mine AND t.digest = nexara.digest_of(mine, g.value)
      WHERE t.sort = 'identifier' AND p_event_time <= t.event_before) THEN
    RETURN QUERY SELECT 'erased', NULL::uuid, key;
  ELSE
    RETURN QUERY SELECT 'accepted', CASE WHEN listed IS NOT NULL THEN nexara.person_of(mine, listed, p_event_time) END, key;
  END IF;
END $$;

DO $$
DECLARE
  f regprocedure;
BEGIN
  FOR f IN SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'nexara'::regnamespace
    AND p.proname IN ('event_key_v1', 'hmac_sha256', 'spelled', 'digest_of', 'salt', 'salted', 'digests_v1', 'bury_v1', 'is_erased', 'is_going',
                      'told_identifiers', 'person_of', 'arrival_v1') LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO nexara_owner', f);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
  END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION nexara.event_key_v1(text, text) TO nexara_web, tenant_job, nexara_scribe;
GRANT EXECUTE ON FUNCTION nexara.arrival_v1(text, text, timestamptz, jsonb) TO nexara_web;
GRANT EXECUTE ON FUNCTION nexara.bury_v1(text[], timestamptz), nexara.digests_v1(text[]) TO tenant_job;
