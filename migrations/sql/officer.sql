-- What an officer opens to decide about an erasure: the numbers and names of the rows that may be somebody else's, and the
-- texts that may name whom it means. The page that asks writes it into the audit, in the same transaction.
CREATE FUNCTION nexara.open_erasure_v1(p_business uuid, p_erasure uuid) RETURNS TABLE (id uuid, told text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  open_text record;
BEGIN
  PERFORM nexara.act_for(p_business);
  RETURN QUERY
    SELECT s.row_id, coalesce(s.value, (
      SELECT string_agg(DISTINCT known.told, ', ') FROM (
        SELECT i.value AS told FROM identifiers i WHERE i.business_id = p_business AND i.person_id = s.row_id
        UNION ALL SELECT c.name FROM contacts c WHERE c.business_id = p_business AND c.person_id = s.row_id
        UNION ALL SELECT m.name FROM members m WHERE m.business_id = p_business AND m.id = s.row_id) known))
    FROM erasure_scope s
    WHERE s.business_id = p_business AND s.erasure_id = p_erasure AND s.source <> 'asked';
  FOR open_text IN
    SELECT v.id, v.source, v.row_id, v.field FROM reviews v
    WHERE v.business_id = p_business AND v.erasure_id = p_erasure AND v.state = 'open'
  LOOP
    RETURN QUERY EXECUTE format('SELECT $1, (SELECT t.%I::text FROM nexara.%I t WHERE t.business_id = $2 AND t.id = $3)',
                                open_text.field, open_text.source)
      USING open_text.id, p_business, open_text.row_id;
  END LOOP;
END $$;

ALTER FUNCTION nexara.open_erasure_v1(uuid, uuid) OWNER TO nexara_owner;
REVOKE ALL ON FUNCTION nexara.open_erasure_v1(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexara.open_erasure_v1(uuid, uuid) TO nexara_dashboard;
