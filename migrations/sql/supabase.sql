-- What Supabase's API may call: two thin wrappers in the exposed schema, for the server's key alone. New functions in
-- public are granted to anon and authenticated there by default, and revoking from PUBLIC does not undo that.
CREATE FUNCTION public.enqueue_job_v1(
  p_kind text, p_payload jsonb, p_business_id uuid, p_priority integer DEFAULT NULL, p_run_at timestamptz DEFAULT NULL,
  p_actor uuid DEFAULT NULL
) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
  SELECT ledger.enqueue_job_v1(p_kind, p_payload, p_business_id, p_priority, p_run_at, p_actor)
$$;
CREATE FUNCTION public.enqueue_jobs_v1(
  p_kind text, p_payloads jsonb[], p_business_id uuid, p_priority integer DEFAULT NULL,
  p_run_at timestamptz DEFAULT NULL, p_actor uuid DEFAULT NULL
) RETURNS SETOF bigint
LANGUAGE sql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
  SELECT ledger.enqueue_jobs_v1(p_kind, p_payloads, p_business_id, p_priority, p_run_at, p_actor)
$$;
-- Whoever migrates may be no superuser, and then hands a function only to a role that could have made it there.
GRANT CREATE ON SCHEMA public TO nexara_ledger;
ALTER FUNCTION public.enqueue_job_v1(text, jsonb, uuid, integer, timestamptz, uuid) OWNER TO nexara_ledger;
ALTER FUNCTION public.enqueue_jobs_v1(text, jsonb[], uuid, integer, timestamptz, uuid) OWNER TO nexara_ledger;
REVOKE CREATE ON SCHEMA public FROM nexara_ledger;
REVOKE ALL ON FUNCTION public.enqueue_job_v1(text, jsonb, uuid, integer, timestamptz, uuid),
  public.enqueue_jobs_v1(text, jsonb[], uuid, integer, timestamptz, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.enqueue_job_v1(text, jsonb, uuid, integer, timestamptz, uuid),
  public.enqueue_jobs_v1(text, jsonb[], uuid, integer, timestamptz, uuid) TO nexara_web;
DO $$
DECLARE
  stranger text;
BEGIN
  FOREACH stranger IN ARRAY ARRAY['anon', 'authenticated'] LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = stranger) THEN
      EXECUTE format('REVOKE ALL ON FUNCTION public.enqueue_job_v1(text, jsonb, uuid, integer, timestamptz, uuid), public.enqueue_jobs_v1(text, jsonb[], uuid, integer, timestamptz, uuid) FROM %I', stranger);
    END IF;
  END LOOP;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role') THEN
    GRANT EXECUTE ON FUNCTION public.enqueue_job_v1(text, jsonb, uuid, integer, timestamptz, uuid),
      public.enqueue_jobs_v1(text, jsonb[], uuid, integer, timestamptz, uuid) TO service_role;
  END IF;
END $$;
