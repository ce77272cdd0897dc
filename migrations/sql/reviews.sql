-- Texts that may name whom an erasure means, and that somebody has to look at.

-- Does a text have a number, by its last eight digits, or an address that an erasure means? Somebody else's number that ends
-- alike counts, too: whoever finds that it is somebody else's says that the text is cleared, and not that it was redacted.
CREATE FUNCTION nexara.still_names(p_business uuid, p_erasure uuid, p_text text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = nexara, pg_temp AS $$  -- needles() is made after this
BEGIN
  RETURN EXISTS (
    SELECT FROM erasure_scope s, LATERAL nexara.needles(s.value) meant
    WHERE s.business_id = p_business AND s.erasure_id = p_erasure AND s.decision = 'include' AND s.source <> 'asked'
      AND meant IN (SELECT nexara.needles(p_text)));
END $$;

-- Somebody has looked at a text of the business's own: it was mended, or names somebody else or nobody.
CREATE FUNCTION nexara.decide_review_v1(p_business uuid, p_review uuid, p_state text, p_actor uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  asked reviews;
  told text;
BEGIN
  PERFORM nexara.act_for(p_business);
  IF p_state NOT IN ('redacted', 'cleared') THEN
    RAISE EXCEPTION 'a text is redacted or cleared' USING ERRCODE = '22023';
  END IF;
  SELECT * INTO asked FROM reviews v WHERE v.business_id = p_business AND v.id = p_review AND v.state = 'open' FOR UPDATE;
  IF asked.id IS NULL THEN
    RAISE EXCEPTION 'there is no such text to decide about' USING ERRCODE = '22023';
  END IF;
  IF p_state = 'redacted' THEN
    -- As it stands now, and nobody changes it back before this commits.
    EXECUTE format('SELECT to_jsonb(t) ->> $1 FROM nexara.%I t WHERE t.business_id = $2 AND t.id = $3 FOR SHARE', asked.source)
      INTO told USING asked.field, p_business, asked.row_id;
    IF nexara.still_names(p_business, asked.erasure_id, told) THEN
      RAISE EXCEPTION 'the text names them as before' USING ERRCODE = '22023',
        HINT = 'change it, then say that it was redacted; if it is somebody else''s number, say that it was cleared';
    END IF;
  END IF;
  UPDATE reviews v SET state = p_state, decided_by = p_actor, decided_at = now()
  WHERE v.business_id = p_business AND v.id = p_review;
END $$;

ALTER FUNCTION nexara.still_names(uuid, uuid, text) OWNER TO nexara_owner;
ALTER FUNCTION nexara.decide_review_v1(uuid, uuid, text, uuid) OWNER TO nexara_owner;
REVOKE ALL ON FUNCTION nexara.still_names(uuid, uuid, text), nexara.decide_review_v1(uuid, uuid, text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexara.decide_review_v1(uuid, uuid, text, uuid) TO nexara_dashboard;
