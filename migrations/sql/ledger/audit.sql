-- What people did by hand. A row is added by audit_v1 in the transaction that acts, and nothing changes it: the trigger
-- refuses that to the ledger's own functions and to a superuser too. It goes when its time is over, and not before.
CREATE FUNCTION ledger.audit_is_kept() RETURNS trigger
LANGUAGE plpgsql SET search_path = ledger, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' AND OLD.at < clock_timestamp() - interval '731 days' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'the audit is only added to' USING ERRCODE = '42501';
END $$;

-- Note an action; returns the row's number. p_why is somebody's own words, and may hold no address and no telephone number:
-- whoever it is about, an id says it.
CREATE FUNCTION ledger.audit_v1(p_who text, p_role text, p_action text, p_why text DEFAULT NULL,
                                p_about jsonb DEFAULT NULL, p_jobs bigint[] DEFAULT NULL, p_before jsonb DEFAULT NULL,
                                p_after jsonb DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  noted bigint;
BEGIN
  IF p_why ~ '[^\s@]@[^\s@]' OR p_why ~ '(\+|\m00)[1-9][0-9 ()/.-]{5,}[0-9]' THEN
    RAISE EXCEPTION 'a reason names nobody: leave out the address or number, and give an id instead' USING ERRCODE = '22023';
  END IF;
  INSERT INTO audit (who, role, action, why, about, jobs, before, after)
  VALUES (left(trim(p_who), 100), p_role, p_action, left(nullif(trim(p_why), ''), 500), coalesce(p_about, '{}'),
          coalesce(p_jobs, '{}'), p_before, p_after)
  RETURNING id INTO noted;
  RETURN noted;
END $$;

ALTER FUNCTION ledger.audit_is_kept() OWNER TO nexara_ledger;
ALTER FUNCTION ledger.audit_v1(text, text, text, text, jsonb, bigint[], jsonb, jsonb) OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.audit_is_kept(), ledger.audit_v1(text, text, text, text, jsonb, bigint[], jsonb, jsonb)
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.audit_v1(text, text, text, text, jsonb, bigint[], jsonb, jsonb) TO nexara_dashboard;

CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE ON ledger.audit FOR EACH ROW EXECUTE FUNCTION ledger.audit_is_kept();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON ledger.audit EXECUTE FUNCTION ledger.audit_is_kept();
