-- Called by the job that erases a whole business: what the ledger has of it besides jobs, its keys to the HTTP API before all,
-- is deleted, or with p_look counted. Jobs that name nothing but the business lapse as all do.
CREATE FUNCTION ledger.forget_business_v1(p_look boolean) RETURNS TABLE (source text, gone bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  mine CONSTANT uuid := ledger.job_scope();
  grouped uuid[];
BEGIN
  IF mine IS NULL THEN
    RAISE EXCEPTION 'only a job that holds its fence forgets a business' USING ERRCODE = 'NX001';
  END IF;
  grouped := ARRAY(SELECT b.id FROM batches b WHERE b.business_id = mine);
  RETURN QUERY VALUES
    ('ledger.api_keys', (SELECT count(*) FROM api_keys k WHERE k.business_id = mine)),
    ('ledger.idempotency_keys', (SELECT count(*) FROM idempotency_keys k WHERE k.business_id = mine)),
    ('ledger.pauses', (SELECT count(*) FROM pauses p WHERE p.business_id = mine)),
    ('ledger.limits', (SELECT count(*) FROM limits l WHERE l.subject = 'business' AND l.name = mine::text)),
    ('ledger.batches', cardinality(grouped)::bigint);
  IF NOT p_look THEN
    DELETE FROM api_keys k WHERE k.business_id = mine;
    DELETE FROM idempotency_keys k WHERE k.business_id = mine;
    DELETE FROM pauses p WHERE p.business_id = mine;
    DELETE FROM limits l WHERE l.subject = 'business' AND l.name = mine::text;
    DELETE FROM batch_members m WHERE m.batch_id = ANY (grouped);
    DELETE FROM batch_follow_ups f WHERE f.batch_id = ANY (grouped);
    DELETE FROM batches b WHERE b.id = ANY (grouped);
  END IF;
END $$;

ALTER FUNCTION ledger.forget_business_v1(boolean) OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.forget_business_v1(boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.forget_business_v1(boolean) TO tenant_job;
