-- Signing in, and who is signed in. A session is proved by a secret of 256 random bits, of which the row has the digest; it
-- ends when nobody has used it for p_idle, and 12 hours after it was made.

-- Count a try to sign in from an address and as a name, both as keyed digests: seconds to wait, 0 if it may be made. Counted
-- before the password is looked at, so that tries made at once are counted too. An address that has used up its tries counts
-- nothing against the name: from one address nobody locks another out.
CREATE FUNCTION ledger.sign_in_try_v1(p_address text, p_name text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  counts_for CONSTANT interval := interval '15 minutes';
  tried record;
  each record;
BEGIN
  FOR each IN SELECT * FROM (VALUES (p_address, 10), (p_name, 20)) AS e(key, most) LOOP
    INSERT INTO sign_in_tries AS t (key) VALUES (each.key)
    ON CONFLICT (key) DO UPDATE
    SET count = CASE WHEN t.since > now() - counts_for THEN least(t.count, each.most) + 1 ELSE 1 END,
        since = CASE WHEN t.since > now() - counts_for THEN t.since ELSE now() END
    RETURNING t.count, t.since INTO tried;
    IF tried.count > each.most THEN
      RETURN greatest(1, ceil(extract(epoch FROM tried.since + counts_for - now())))::integer;
    END IF;
  END LOOP;
  RETURN 0;
END $$;

-- What a password is compared with; no row where nobody may sign in with one under this name.
CREATE FUNCTION ledger.password_of_v1(p_name text) RETURNS TABLE (id uuid, password text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
  SELECT o.id, o.password FROM operators o
  WHERE o.name = lower(trim(p_name)) AND o.disabled_at IS NULL AND o.subject IS NULL AND o.password IS NOT NULL
$$;

-- A better hash of the same password.
CREATE FUNCTION ledger.rehash_v1(p_operator uuid, p_was text, p_password text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
  UPDATE operators SET password = p_password WHERE id = p_operator AND password = p_was
$$;

-- Begin a session of somebody who has proved who they are, in place of p_instead_of: the browser's secret is always a new
-- one. What was counted against the name is forgotten, and this try is given back to the address.
CREATE FUNCTION ledger.begin_session_v1(p_operator uuid, p_digest bytea, p_instead_of bytea, p_address text, p_name text)
RETURNS TABLE (name text, role text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
#variable_conflict use_column
BEGIN
  DELETE FROM sessions WHERE digest = p_instead_of;
  UPDATE sign_in_tries SET count = greatest(count - 1, 0) WHERE key = p_address;
  DELETE FROM sign_in_tries WHERE key = p_name;
  UPDATE operators SET signed_in_at = now() WHERE id = p_operator AND disabled_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'this operator is disabled: ask an admin' USING ERRCODE = '22023';
  END IF;
  INSERT INTO sessions (digest, operator_id) VALUES (p_digest, p_operator);
  RETURN QUERY SELECT o.name, o.role FROM operators o WHERE o.id = p_operator;
END $$;

-- Whose a session is, if it lives. Their use of it is noted to the minute, unless nobody asked: a page that looks by itself.
CREATE FUNCTION ledger.session_v1(p_digest bytea, p_idle interval, p_asked boolean)
RETURNS TABLE (name text, role text, made_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
BEGIN
  IF p_asked THEN
    UPDATE sessions SET seen_at = now() WHERE digest = (
      SELECT s.digest FROM sessions s
      WHERE s.digest = p_digest AND s.seen_at < now() - interval '1 minute' AND s.seen_at > now() - p_idle
      FOR NO KEY UPDATE SKIP LOCKED);
  END IF;
  RETURN QUERY
    SELECT o.name, o.role, s.made_at FROM sessions s JOIN operators o ON o.id = s.operator_id
    WHERE s.digest = p_digest AND s.seen_at > now() - p_idle AND s.made_at > now() - interval '12 hours'
      AND o.disabled_at IS NULL;
END $$;

-- The same, asked by the transaction that acts: until it ends, the session is not ended and the role not changed.
CREATE FUNCTION ledger.acting_v1(p_digest bytea, p_idle interval)
RETURNS TABLE (name text, role text, made_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
  SELECT o.name, o.role, s.made_at FROM sessions s JOIN operators o ON o.id = s.operator_id
  WHERE s.digest = p_digest AND s.seen_at > now() - p_idle AND s.made_at > now() - interval '12 hours'
    AND o.disabled_at IS NULL
  FOR SHARE OF s, o
$$;

-- Sign out.
CREATE FUNCTION ledger.end_session_v1(p_digest bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
  DELETE FROM sessions WHERE digest = p_digest
$$;

DO $$
DECLARE
  f regprocedure;
BEGIN
  FOREACH f IN ARRAY ARRAY[
    'ledger.sign_in_try_v1(text, text)', 'ledger.password_of_v1(text)', 'ledger.rehash_v1(uuid, text, text)',
    'ledger.begin_session_v1(uuid, bytea, bytea, text, text)', 'ledger.session_v1(bytea, interval, boolean)',
    'ledger.acting_v1(bytea, interval)', 'ledger.end_session_v1(bytea)']::regprocedure[]
  LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO nexara_ledger', f);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO nexara_dashboard', f);
  END LOOP;
END $$;
