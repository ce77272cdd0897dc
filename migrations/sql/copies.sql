-- Copies elsewhere that are still to go: whose are due, and where; nothing of what they are called there.
GRANT SELECT (business_id, store, state, retry_at) ON nexara.remains TO nexara_house;

CREATE FUNCTION nexara.copies_due_v1(p_as_of timestamptz) RETURNS TABLE (business_id uuid, store text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
  SELECT DISTINCT r.business_id, r.store
  FROM remains r
  WHERE (SELECT nexara.scope()) = '00000000-0000-0000-0000-000000000000'  -- a job of the house, not of a tenant
    AND r.state IN ('planned', 'sent', 'accepted', 'blocked') AND (r.retry_at IS NULL OR r.retry_at <= p_as_of)
$$;

-- Who signs in may be a member of several businesses, and no job sees more than one. These two are asked about a copy of the
-- job's own business, so that nobody learns from them of anybody else. They belong to nexara_scribe, since they write down
-- what a row leaves.
CREATE POLICY scribe ON nexara.members FOR SELECT TO nexara_scribe USING (true);
CREATE POLICY scribe ON nexara.users TO nexara_scribe USING (true);
GRANT SELECT (user_id) ON nexara.members TO nexara_scribe;
GRANT SELECT (id, email), DELETE ON nexara.users TO nexara_scribe;
GRANT SELECT (business_id, id, store, ref, erasure_id) ON nexara.remains TO nexara_scribe;
GRANT EXECUTE ON FUNCTION nexara.scope() TO nexara_scribe;
GRANT EXECUTE ON FUNCTION ledger.job_scope() TO nexara_scribe;

-- Whom the id that a copy has at Supabase stands for; NULL for what is no id.
CREATE FUNCTION nexara.user_of(p_ref text) RETURNS uuid
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN p_ref ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN p_ref::uuid END
$$;

-- Of whom is this copy: a member of some business, somebody whom we only know, or nobody of ours any more?
CREATE FUNCTION nexara.sign_in_v1(p_copy uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
  SELECT CASE
    WHEN EXISTS (SELECT FROM members m WHERE m.user_id = nexara.user_of(r.ref)) THEN 'member'
    WHEN EXISTS (SELECT FROM users u WHERE u.id = nexara.user_of(r.ref)) THEN 'known'
    ELSE 'gone'
  END
  FROM remains r
  WHERE r.business_id = (SELECT nexara.scope()) AND r.id = p_copy AND r.store = 'supabase'
$$;

-- Forget whom this copy is of, if they are a member of no business any more: the user's row goes, and the address in it is
-- left to be taken off Resend's list. A foreign key keeps anybody from making them a member at the same moment.
CREATE FUNCTION nexara.forget_user_v1(p_copy uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  whose CONSTANT uuid := nexara.scope();
  named text;
  erasure uuid;
  address text;
BEGIN
  SELECT r.ref, r.erasure_id INTO named, erasure
  FROM remains r WHERE r.business_id = whose AND r.id = p_copy AND r.store = 'supabase';
  DELETE FROM users u
  WHERE u.id = nexara.user_of(named) AND NOT EXISTS (SELECT FROM members m WHERE m.user_id = u.id)
  RETURNING u.email INTO address;
  IF address IS NULL THEN
    RETURN false;
  END IF;
  INSERT INTO remains (business_id, store, what, ref, retry_at, erasure_id)
  VALUES (whose, 'resend', 'contact', address, now(), erasure);
  RETURN true;
END $$;

ALTER FUNCTION nexara.user_of(text) OWNER TO nexara_scribe;
REVOKE ALL ON FUNCTION nexara.user_of(text) FROM PUBLIC;
ALTER FUNCTION nexara.copies_due_v1(timestamptz) OWNER TO nexara_house;
ALTER FUNCTION nexara.sign_in_v1(uuid) OWNER TO nexara_scribe;
ALTER FUNCTION nexara.forget_user_v1(uuid) OWNER TO nexara_scribe;
REVOKE ALL ON FUNCTION nexara.copies_due_v1(timestamptz), nexara.sign_in_v1(uuid), nexara.forget_user_v1(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexara.copies_due_v1(timestamptz), nexara.sign_in_v1(uuid), nexara.forget_user_v1(uuid) TO tenant_job;
