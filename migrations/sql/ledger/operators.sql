-- Operators: who there is, and what admins do with them. Their table is read by nobody: the functions tell what each needs.

-- An operator who is there, locked; p_admins: with everybody locked, so that no two admins end each other.
CREATE FUNCTION ledger.operator_named(p_name text) RETURNS ledger.operators
LANGUAGE plpgsql SET search_path = ledger, pg_temp AS $$
DECLARE
  o operators;
BEGIN
  LOCK TABLE operators IN SHARE ROW EXCLUSIVE MODE;
  SELECT * INTO o FROM operators WHERE name = lower(trim(p_name));
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no operator %', p_name USING ERRCODE = '22023';
  END IF;
  RETURN o;
END $$;

-- Raises if nobody would be left who can sign in and manage operators but this one.
CREATE FUNCTION ledger.refuse_the_last_admin(p_one ledger.operators) RETURNS void
LANGUAGE plpgsql SET search_path = ledger, pg_temp AS $$
BEGIN
  IF p_one.role = 'admin' AND p_one.disabled_at IS NULL
    AND NOT EXISTS (SELECT FROM operators WHERE role = 'admin' AND disabled_at IS NULL AND id <> p_one.id) THEN
    RAISE EXCEPTION '% is the last admin: make another one first', p_one.name USING ERRCODE = '22023';
  END IF;
END $$;

-- Raises if a role is none that an operator may have.
CREATE FUNCTION ledger.check_role(p_role text) RETURNS void
LANGUAGE plpgsql SET search_path = ledger, pg_temp AS $$
BEGIN
  IF p_role IS NULL OR p_role NOT IN ('viewer', 'operator', 'privacy_officer', 'admin') THEN
    RAISE EXCEPTION 'a role is one of viewer, operator, privacy_officer, admin' USING ERRCODE = '22023';
  END IF;
END $$;

-- Add somebody; p_password is argon2id of it.
CREATE FUNCTION ledger.add_operator_v1(p_name text, p_role text, p_password text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  made uuid;
BEGIN
  PERFORM ledger.check_role(p_role);
  IF lower(trim(p_name)) !~ '^[a-z0-9][a-z0-9_.@+-]{0,99}$' THEN
    RAISE EXCEPTION 'a name is letters, digits and _ . @ + -, at most 100 of them' USING ERRCODE = '22023';
  END IF;
  INSERT INTO operators (name, role, password) VALUES (lower(trim(p_name)), p_role, p_password)
  ON CONFLICT (name) DO NOTHING RETURNING id INTO made;
  IF made IS NULL THEN
    RAISE EXCEPTION 'there is an operator % already', p_name USING ERRCODE = '22023';
  END IF;
  RETURN made;
END $$;

-- The first admin, of the settings: where there is no operator at all; returns whether they were made.
CREATE FUNCTION ledger.first_admin_v1(p_name text, p_password text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
BEGIN
  LOCK TABLE operators IN SHARE ROW EXCLUSIVE MODE;
  IF EXISTS (SELECT FROM operators) THEN
    RETURN false;
  END IF;
  PERFORM ledger.add_operator_v1(p_name, 'admin', p_password);
  RETURN true;
END $$;

-- Whom the identity provider signs in: made when they first come, with the role that it says now.
CREATE FUNCTION ledger.provided_operator_v1(p_name text, p_role text, p_subject text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  found_id uuid;
BEGIN
  PERFORM ledger.check_role(p_role);
  UPDATE operators SET role = p_role WHERE subject = p_subject RETURNING id INTO found_id;
  IF found_id IS NOT NULL THEN
    RETURN found_id;
  END IF;
  -- Never an account that is there under the same name: who names themselves so at the provider would have it.
  found_id := ledger.add_operator_v1(p_name, p_role, NULL);
  UPDATE operators SET subject = p_subject WHERE id = found_id;
  RETURN found_id;
END $$;

-- Give somebody another role; from their next request on. Returns the one before.
CREATE FUNCTION ledger.set_operator_role_v1(p_name text, p_role text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  o operators := ledger.operator_named(p_name);
BEGIN
  PERFORM ledger.check_role(p_role);
  IF p_role <> 'admin' THEN
    PERFORM ledger.refuse_the_last_admin(o);
  END IF;
  UPDATE operators SET role = p_role WHERE id = o.id;
  RETURN o.role;
END $$;

-- Give somebody another password. Whoever is signed in as them with the old one is so no more, but for p_but_for.
CREATE FUNCTION ledger.set_operator_password_v1(p_name text, p_password text, p_but_for bytea DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  o operators := ledger.operator_named(p_name);
BEGIN
  IF o.subject IS NOT NULL THEN
    RAISE EXCEPTION '% signs in through the identity provider and has no password here', o.name USING ERRCODE = '22023';
  END IF;
  UPDATE operators SET password = p_password WHERE id = o.id;
  DELETE FROM sessions WHERE operator_id = o.id AND digest IS DISTINCT FROM p_but_for;
END $$;

-- Let somebody in no more, at once; or in again. Returns whether that changed anything.
CREATE FUNCTION ledger.disable_operator_v1(p_name text, p_disable boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  o operators := ledger.operator_named(p_name);
BEGIN
  IF p_disable THEN
    PERFORM ledger.refuse_the_last_admin(o);
    DELETE FROM sessions WHERE operator_id = o.id;
  END IF;
  UPDATE operators SET disabled_at = CASE WHEN p_disable THEN coalesce(disabled_at, now()) END WHERE id = o.id;
  RETURN p_disable <> (o.disabled_at IS NOT NULL);
END $$;

-- End the sessions of somebody, but for p_but_for; returns how many there were.
CREATE FUNCTION ledger.end_sessions_v1(p_name text, p_but_for bytea DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  o operators := ledger.operator_named(p_name);
  gone integer;
BEGIN
  DELETE FROM sessions WHERE operator_id = o.id AND digest IS DISTINCT FROM p_but_for;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;

-- All of each operator but what proves them, by name.
CREATE FUNCTION ledger.list_operators_v1()
RETURNS TABLE (name text, role text, by_password boolean, created_at timestamptz, signed_in_at timestamptz,
               disabled_at timestamptz, sessions integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
  SELECT o.name, o.role, o.subject IS NULL, o.created_at, o.signed_in_at, o.disabled_at,
         (SELECT count(*)::integer FROM sessions s WHERE s.operator_id = o.id AND s.made_at > now() - interval '12 hours')
  FROM operators o ORDER BY o.disabled_at IS NOT NULL, o.name
$$;

DO $$
DECLARE
  f regprocedure;
BEGIN
  FOREACH f IN ARRAY ARRAY[
    'ledger.operator_named(text)', 'ledger.refuse_the_last_admin(ledger.operators)', 'ledger.check_role(text)',
    'ledger.add_operator_v1(text, text, text)', 'ledger.first_admin_v1(text, text)',
    'ledger.provided_operator_v1(text, text, text)', 'ledger.set_operator_role_v1(text, text)',
    'ledger.set_operator_password_v1(text, text, bytea)', 'ledger.disable_operator_v1(text, boolean)',
    'ledger.end_sessions_v1(text, bytea)', 'ledger.list_operators_v1()']::regprocedure[]
  LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO nexara_ledger', f);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
    IF f::text LIKE '%\_v1(%' THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO nexara_dashboard', f);
    END IF;
  END LOOP;
END $$;
