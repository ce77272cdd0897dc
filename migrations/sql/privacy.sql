-- Erasures as they are asked for: by a member through the web tier, and by the privacy officer. Each function acts for one
-- business, under the policies that bind its owner too; what a person typed goes no further than the scope's rows.
GRANT EXECUTE ON FUNCTION ledger.enqueue_job_v1(text, jsonb, uuid, integer, timestamptz, uuid) TO nexara_owner;

-- Ask for an erasure; returns its id. Rows are named by p_root, people also by what they are reached by: it is resolved by a
-- job, and waits to be confirmed. p_confirm lets what is beyond doubt confirm itself.
CREATE FUNCTION nexara.ask_erasure(
  p_business uuid, p_scope text, p_root uuid, p_identifiers text[], p_origin text, p_reason text, p_actor uuid, p_confirm boolean
) RETURNS uuid
LANGUAGE plpgsql SET search_path = nexara, pg_temp AS $$
DECLARE
  before CONSTANT text := current_setting('nexara.business', true);
  made uuid;
BEGIN
  PERFORM nexara.act_for(p_business);
  IF p_root IS NULL AND p_scope <> 'business' AND coalesce(cardinality(p_identifiers), 0) = 0 THEN
    RAISE EXCEPTION 'an erasure of a % needs an id, or what they are reached by', p_scope USING ERRCODE = '22023';
  END IF;
  IF cardinality(p_identifiers) > 0 AND p_scope NOT IN ('person', 'communications') THEN
    RAISE EXCEPTION 'only a person is found by what they are reached by' USING ERRCODE = '22023',
      HINT = 'give the id of the ' || p_scope;
  END IF;
  IF NOT EXISTS (SELECT FROM businesses WHERE id = p_business) THEN
    RAISE EXCEPTION 'there is no such business' USING ERRCODE = '22023';
  END IF;
  INSERT INTO erasures (business_id, scope, root_id, origin, reason, asked_by)
  VALUES (p_business, p_scope, CASE WHEN p_scope = 'business' THEN p_business ELSE p_root END, p_origin, p_reason, p_actor)
  RETURNING id INTO made;
  INSERT INTO erasure_scope (business_id, erasure_id, source, row_id, value, evidence, decision)
  SELECT p_business, made, 'asked', gen_random_uuid(), left(typed, 320), 'asked', 'include'
  FROM (SELECT DISTINCT trim(t) AS typed FROM unnest(p_identifiers) t WHERE trim(t) <> '') given;
  PERFORM ledger.enqueue_job_v1(
    'privacy.resolve', jsonb_build_object('erasure_id', made, 'confirm', coalesce(p_confirm, false)), p_business);
  PERFORM set_config('nexara.business', coalesce(before, ''), true);
  RETURN made;
END $$;

-- The privacy officer's way: whatever is asked for waits to be confirmed.
CREATE FUNCTION nexara.ask_erasure_v1(
  p_business uuid, p_scope text, p_root uuid DEFAULT NULL, p_identifiers text[] DEFAULT '{}', p_reason text DEFAULT NULL,
  p_actor uuid DEFAULT NULL
) RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
  SELECT nexara.ask_erasure(p_business, p_scope, p_root, p_identifiers, 'request', p_reason, p_actor, false)
$$;

-- The web tier's way, for the business that it acts for: "delete" in a business's dashboard. What it names by id is meant.
CREATE FUNCTION nexara.erase_v1(p_scope text, p_root uuid, p_actor uuid DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
BEGIN
  IF nexara.scope() IS NULL THEN
    RAISE EXCEPTION 'nobody is acted for: call nexara.act_for first' USING ERRCODE = '22023';
  END IF;
  IF p_scope = 'business' THEN
    RAISE EXCEPTION 'a whole business is erased after its access ended, or by the privacy officer' USING ERRCODE = '22023';
  END IF;
  RETURN nexara.ask_erasure(nexara.scope(), p_scope, p_root, '{}', 'dashboard', NULL, p_actor, true);
END $$;

-- Decide whether a row that two people share, or may share, is meant.
CREATE FUNCTION nexara.decide_erasure_v1(p_business uuid, p_erasure uuid, p_row uuid, p_decision text, p_actor uuid DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
BEGIN
  PERFORM nexara.act_for(p_business);
  UPDATE erasure_scope s SET decision = p_decision, decided_by = p_actor
  FROM erasures e
  WHERE e.business_id = p_business AND e.id = p_erasure AND e.state = 'resolving'
    AND s.business_id = p_business AND s.erasure_id = p_erasure AND s.row_id = p_row;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is nothing to decide: no such row, or the erasure is confirmed already' USING ERRCODE = '22023';
  END IF;
END $$;

-- Confirm and freeze what was found: from here on it goes, and nothing calls it back.
CREATE FUNCTION nexara.confirm_erasure_v1(p_business uuid, p_erasure uuid, p_actor uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  found erasures;
BEGIN
  PERFORM nexara.act_for(p_business);
  SELECT * INTO found FROM erasures WHERE business_id = p_business AND id = p_erasure FOR UPDATE;
  IF found.id IS NULL THEN
    RAISE EXCEPTION 'there is no such erasure' USING ERRCODE = '22023';
  ELSIF found.state <> 'resolving' THEN
    RAISE EXCEPTION 'the erasure is %', found.state USING ERRCODE = '22023';
  ELSIF EXISTS (SELECT FROM erasure_scope WHERE business_id = p_business AND erasure_id = p_erasure AND source = 'asked') THEN
    RAISE EXCEPTION 'whom it means is still being found out' USING ERRCODE = '22023', HINT = 'ask again in a moment';
  ELSIF EXISTS (SELECT FROM erasure_scope WHERE business_id = p_business AND erasure_id = p_erasure AND decision = 'review') THEN
    RAISE EXCEPTION 'somebody has to decide first whether what is shared is meant' USING ERRCODE = '22023';
  ELSIF found.scope <> 'business' AND NOT EXISTS (
      SELECT FROM erasure_scope WHERE business_id = p_business AND erasure_id = p_erasure AND decision = 'include') THEN
    RAISE EXCEPTION 'it means nobody: nothing was found' USING ERRCODE = '22023';
  END IF;
  UPDATE erasures SET state = 'confirmed', confirmed_at = now(), asked_by = coalesce(asked_by, p_actor)
  WHERE business_id = p_business AND id = p_erasure;
  PERFORM ledger.enqueue_job_v1('privacy.record', jsonb_build_object('erasure_id', p_erasure), p_business);
END $$;

-- Take back what was not confirmed yet; what was found, and what was typed, goes at once.
CREATE FUNCTION nexara.withdraw_erasure_v1(p_business uuid, p_erasure uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
BEGIN
  PERFORM nexara.act_for(p_business);
  UPDATE erasures SET state = 'withdrawn', completed_at = now()
  WHERE business_id = p_business AND id = p_erasure AND state = 'resolving';
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no such erasure, or it is confirmed already' USING ERRCODE = '22023';
  END IF;
  DELETE FROM erasure_scope WHERE business_id = p_business AND erasure_id = p_erasure;
END $$;

-- What the officer may see without opening anybody's data: ids, codes, counts and times.
CREATE POLICY house ON nexara.erasures FOR SELECT TO nexara_house USING (true);
CREATE POLICY house ON nexara.erasure_scope FOR SELECT TO nexara_house USING (true);
CREATE POLICY house ON nexara.reviews FOR SELECT TO nexara_house USING (true);
CREATE POLICY house ON nexara.receipts FOR SELECT TO nexara_house USING (true);
GRANT SELECT ON nexara.erasures, nexara.reviews, nexara.receipts TO nexara_house;
GRANT SELECT (business_id, id, erasure_id, source, row_id, evidence, decision, shared, decided_by) ON nexara.erasure_scope
  TO nexara_house;
-- The policy that lets the house see remains is in copies.sql.
GRANT SELECT (business_id, erasure_id, store, what, state, reason, tries, retry_at, lapses_at, confirmed_at) ON nexara.remains
  TO nexara_house;

CREATE FUNCTION nexara.erasures_v1(p_business uuid DEFAULT NULL, p_erasure uuid DEFAULT NULL, p_open boolean DEFAULT false)
RETURNS TABLE (
  business_id uuid, id uuid, scope text, root_id uuid, origin text, replayed boolean, state text, reason text, plan jsonb,
  counts jsonb, asked_at timestamptz,
  confirmed_at timestamptz, erased_at timestamptz, completed_at timestamptz, to_decide bigint, included bigint,
  copies jsonb, open_reviews bigint
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
  SELECT e.business_id, e.id, e.scope, e.root_id, e.origin, e.replayed, e.state, e.reason, e.plan, e.counts, e.asked_at, e.confirmed_at, e.erased_at,
         e.completed_at, scoped.to_decide, scoped.included, coalesce(left_over.copies, '[]'), reviewed.open_reviews
  FROM erasures e
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE s.decision = 'review') AS to_decide, count(*) FILTER (WHERE s.decision = 'include') AS included
    FROM erasure_scope s WHERE s.business_id = e.business_id AND s.erasure_id = e.id) scoped
  CROSS JOIN LATERAL (
    SELECT count(*) AS open_reviews FROM reviews v
    WHERE v.business_id = e.business_id AND v.erasure_id = e.id AND v.state = 'open') reviewed
  CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('store', c.store, 'what', c.what, 'state', c.state, 'reason', c.reason, 'copies', c.copies,
                                        'retry_at', c.retry_at, 'lapses_at', c.lapses_at)
                     ORDER BY c.store, c.what, c.state) AS copies
    FROM (SELECT r.store, r.what, r.state, r.reason, count(*) AS copies, min(r.retry_at) AS retry_at, max(r.lapses_at) AS lapses_at
          FROM remains r WHERE r.business_id = e.business_id AND r.erasure_id = e.id
          GROUP BY r.store, r.what, r.state, r.reason) c) left_over
  WHERE (p_business IS NULL OR e.business_id = p_business) AND (p_erasure IS NULL OR e.id = p_erasure)
    AND (NOT p_open OR e.state NOT IN ('completed', 'withdrawn'))
  ORDER BY e.asked_at DESC, e.id
  LIMIT 500
$$;

CREATE FUNCTION nexara.erasure_scope_v1(p_business uuid, p_erasure uuid)
RETURNS TABLE (source text, row_id uuid, evidence text, decision text, shared boolean, decided_by uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
  SELECT s.source, s.row_id, s.evidence, s.decision, s.shared, s.decided_by FROM erasure_scope s
  WHERE s.business_id = p_business AND s.erasure_id = p_erasure ORDER BY s.source, s.row_id
$$;

CREATE FUNCTION nexara.reviews_v1(p_business uuid, p_erasure uuid)
RETURNS TABLE (id uuid, source text, row_id uuid, field text, state text, decided_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
  SELECT v.id, v.source, v.row_id, v.field, v.state, v.decided_at FROM reviews v
  WHERE v.business_id = p_business AND v.erasure_id = p_erasure ORDER BY v.made_at, v.id
$$;

CREATE FUNCTION nexara.receipts_v1(p_business uuid)
RETURNS TABLE (erasure_id uuid, body jsonb, map text, catalog text, previous text, hash text, made_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
  SELECT r.erasure_id, r.body, r.map, r.catalog, r.previous, r.hash, r.made_at FROM receipts r
  WHERE r.business_id = p_business ORDER BY r.made_at, r.id
$$;

-- Somebody has seen to copies by hand: each is asked about again, and is gone when it is read back as gone.
CREATE FUNCTION nexara.ask_again_v1(p_business uuid, p_erasure uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  many integer;
BEGIN
  PERFORM nexara.act_for(p_business);
  UPDATE remains SET state = 'planned', reason = NULL, retry_at = now()
  WHERE business_id = p_business AND erasure_id = p_erasure AND state = 'manual';
  GET DIAGNOSTICS many = ROW_COUNT;
  IF many = 0 THEN
    RAISE EXCEPTION 'no copy of this erasure waits for somebody' USING ERRCODE = '22023';
  END IF;
  RETURN many;
END $$;

DO $$
DECLARE
  f regprocedure;
BEGIN
  FOR f IN SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'nexara'::regnamespace
    AND p.proname IN ('ask_erasure', 'ask_erasure_v1', 'erase_v1', 'decide_erasure_v1', 'confirm_erasure_v1',
                      'withdraw_erasure_v1', 'ask_again_v1') LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO nexara_owner', f);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
  END LOOP;
  FOR f IN SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'nexara'::regnamespace
    AND p.proname IN ('erasures_v1', 'erasure_scope_v1', 'reviews_v1', 'receipts_v1') LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO nexara_house', f);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO nexara_dashboard', f);
  END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION nexara.ask_erasure_v1(uuid, text, uuid, text[], text, uuid),
  nexara.decide_erasure_v1(uuid, uuid, uuid, text, uuid), nexara.confirm_erasure_v1(uuid, uuid, uuid),
  nexara.withdraw_erasure_v1(uuid, uuid), nexara.ask_again_v1(uuid, uuid) TO nexara_dashboard;
GRANT EXECUTE ON FUNCTION nexara.erase_v1(text, uuid, uuid) TO nexara_web;
