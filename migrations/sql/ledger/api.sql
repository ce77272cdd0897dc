-- What the HTTP API asks. Each function that acts takes the key's id and the digest of its secret, never a business:
-- whose the key is, its own row says, in the transaction that acts. A fault in the API's code reaches no other business.

-- Whose key it is, what it may do, and whether it still may: living, expired or revoked. No row: there is no such key,
-- or the secret is another's. A digest is compared, so the time it takes tells nothing of the secret.
-- A living key is asked for its pace as well: ten seconds' worth of its calls at once, then one after the other. One moment
-- keeps it, up to which its calls are given away. remaining is how many more it has now, wait how many seconds until it has
-- all of them again; or, where it has none, remaining is -1 and wait the seconds until it has one.
CREATE FUNCTION ledger.api_key_v1(p_id uuid, p_digest bytea)
RETURNS TABLE (business_id uuid, scopes text[], standing text, per_minute integer, burst integer, remaining integer,
               wait double precision)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  k api_keys;
  present CONSTANT timestamptz := clock_timestamp();
  a_call double precision;
  ahead double precision;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  SELECT * INTO k FROM api_keys a WHERE a.id = p_id AND a.digest = p_digest FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  business_id := k.business_id;
  scopes := k.scopes;
  per_minute := k.per_minute;
  standing := CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked' WHEN k.expires_at <= present THEN 'expired' ELSE 'living' END;
  burst := greatest(1, k.per_minute / 6);
  a_call := 60.0 / k.per_minute;
  ahead := greatest(extract(epoch FROM k.paced_until - present), 0) + a_call;
  remaining := floor(burst - ahead / a_call + 1e-6);
  wait := ahead;
  IF remaining < 0 THEN
    wait := ahead - burst * a_call;
  ELSIF standing = 'living' THEN
    UPDATE api_keys a
    SET paced_until = present + ahead * interval '1 s',
        last_used_at = CASE WHEN a.last_used_at > present - interval '1 minute' THEN a.last_used_at ELSE present END
    WHERE a.id = p_id;
  END IF;
  RETURN NEXT;
END $$;

-- The business of a living key that has the scope. NX401: the key ended since it was looked up, or never was.
CREATE FUNCTION ledger.api_business(p_id uuid, p_digest bytea, p_scope text) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = ledger, pg_temp AS $$
DECLARE
  business uuid;
BEGIN
  SELECT k.business_id INTO business FROM api_keys k
  WHERE k.id = p_id AND k.digest = p_digest AND p_scope = ANY (k.scopes)
    AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now());
  IF NOT FOUND THEN
    RAISE EXCEPTION 'this key opens nothing' USING ERRCODE = 'NX401';
  END IF;
  RETURN business;
END $$;

-- Enqueue all of p_jobs ([{"kind", "payload", "priority"?, "run_at"?}]) or none; returns their ids in the order given.
-- With p_once, a repetition within a day returns the first one's ids and enqueues nothing; of two at once, one waits.
-- NX409: p_once was used for another request. 22023: a job is refused; DETAIL is its place in the list, from 0 on.
CREATE FUNCTION ledger.api_enqueue_v1(p_id uuid, p_digest bytea, p_jobs jsonb, p_once bytea, p_request bytea)
RETURNS TABLE (job_ids bigint[], replayed boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  business CONSTANT uuid := ledger.api_business(p_id, p_digest, 'jobs:write');
  known idempotency_keys;
  job record;
  at integer;
  ids bigint[] := '{}';
  said text;
  hint text;
BEGIN
  IF p_once IS NOT NULL THEN
    INSERT INTO idempotency_keys AS i (business_id, digest, request) VALUES (business, p_once, p_request)
    ON CONFLICT (business_id, digest) DO UPDATE SET request = EXCLUDED.request, job_ids = '{}', created_at = now()
      WHERE i.created_at < now() - interval '24 hours';
    IF NOT FOUND THEN
      SELECT * INTO known FROM idempotency_keys i WHERE i.business_id = business AND i.digest = p_once;
      IF known.request IS DISTINCT FROM p_request THEN
        RAISE EXCEPTION 'this Idempotency-Key was used for another request' USING ERRCODE = 'NX409';
      END IF;
      RETURN QUERY SELECT known.job_ids, true;
      RETURN;
    END IF;
  END IF;
  BEGIN
    -- In the order of their keys: two lists that hold the same jobs the other way round would wait for each other.
    FOR job IN
      SELECT j.value ->> 'kind' AS kind, j.value -> 'payload' AS payload, (j.value ->> 'priority')::integer AS priority,
             (j.value ->> 'run_at')::timestamptz AS run_at, j.ordinality::integer AS place, k.queue
      FROM jsonb_array_elements(p_jobs) WITH ORDINALITY j LEFT JOIN job_kinds k ON k.kind = j.value ->> 'kind'
      ORDER BY 1, (SELECT string_agg(lower(j.value -> 'payload' ->> f), chr(31) ORDER BY f) FROM unnest(k.unique_by) f),
               place
    LOOP
      at := job.place;
      -- The timetable's own: a sweep "as of" another day would end rows before their time.
      IF job.queue = 'upkeep' THEN
        RAISE EXCEPTION 'jobs of kind % are enqueued by the timetable alone', job.kind USING ERRCODE = '22023';
      END IF;
      ids[at] := ledger.enqueue_job_v1(job.kind, job.payload, business, job.priority, job.run_at, p_id);
    END LOOP;
  EXCEPTION WHEN invalid_parameter_value THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
    RAISE EXCEPTION '%', said USING ERRCODE = '22023', HINT = hint, DETAIL = (at - 1)::text;
  END;
  UPDATE idempotency_keys i SET job_ids = ids WHERE i.business_id = business AND i.digest = p_once;
  RETURN QUERY SELECT ids, false;
END $$;

-- One job of the key's own business; no row for another's.
CREATE FUNCTION ledger.api_job_v1(p_id uuid, p_digest bytea, p_job bigint)
RETURNS TABLE (id bigint, kind text, state text, reason text, priority smallint, attempt smallint, max_attempts smallint,
               progress smallint, enqueued_at timestamptz, run_at timestamptz, started_at timestamptz, finished_at timestamptz,
               error_code text, error_message text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  business CONSTANT uuid := ledger.api_business(p_id, p_digest, 'jobs:read');
BEGIN
  RETURN QUERY
    SELECT j.id, j.kind, j.state, j.reason, j.priority, j.attempt, j.max_attempts, j.progress, j.enqueued_at, j.run_at,
           j.started_at, j.finished_at, failed.error_code, failed.message
    FROM jobs j LEFT JOIN LATERAL (
      SELECT a.error_code, a.message FROM attempts a WHERE a.job_id = j.id ORDER BY a.id DESC LIMIT 1
    ) failed ON true
    WHERE j.id = p_job AND j.business_id = business;
END $$;

-- What operators do with keys, at the command line. 22023: there is no such business.
CREATE FUNCTION ledger.create_api_key_v1(p_id uuid, p_digest bytea, p_business_id uuid, p_name text, p_scopes text[],
                                         p_expires_at timestamptz, p_per_minute integer DEFAULT 600) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
BEGIN
  IF NOT nexara.is_business_v1(p_business_id) THEN
    RAISE EXCEPTION 'there is no business %', p_business_id USING ERRCODE = '22023';
  END IF;
  INSERT INTO api_keys (id, digest, business_id, name, scopes, expires_at, per_minute)
  VALUES (p_id, p_digest, p_business_id, p_name, p_scopes, p_expires_at, p_per_minute);
END $$;

-- All of a key but its digest; those of all businesses without p_business_id.
CREATE FUNCTION ledger.list_api_keys_v1(p_business_id uuid)
RETURNS TABLE (id uuid, business_id uuid, name text, scopes text[], created_at timestamptz, expires_at timestamptz,
               revoked_at timestamptz, last_used_at timestamptz, per_minute integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
  SELECT k.id, k.business_id, k.name, k.scopes, k.created_at, k.expires_at, k.revoked_at, k.last_used_at,
         k.per_minute
  FROM api_keys k
  WHERE p_business_id IS NULL OR k.business_id = p_business_id ORDER BY k.business_id, k.created_at, k.id
$$;

-- A second key like the first, which lives on for p_grace; false if the first does not live.
CREATE FUNCTION ledger.rotate_api_key_v1(p_id uuid, p_new_id uuid, p_digest bytea, p_grace interval) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  was api_keys;
BEGIN
  SELECT * INTO was FROM api_keys WHERE id = p_id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
  FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO api_keys (id, digest, business_id, name, scopes, per_minute)
  VALUES (p_new_id, p_digest, was.business_id, was.name, was.scopes, was.per_minute);
  UPDATE api_keys SET expires_at = least(expires_at, now() + p_grace) WHERE id = p_id;
  RETURN true;
END $$;

-- End a key now; false if there is none. One that is revoked already stays as it was.
CREATE FUNCTION ledger.revoke_api_key_v1(p_id uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
BEGIN
  UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = p_id;
  RETURN FOUND;
END $$;

DO $$
DECLARE
  f regprocedure;
BEGIN
  FOREACH f IN ARRAY ARRAY[
    'ledger.api_business(uuid, bytea, text)', 'ledger.api_key_v1(uuid, bytea)',
    'ledger.api_enqueue_v1(uuid, bytea, jsonb, bytea, bytea)', 'ledger.api_job_v1(uuid, bytea, bigint)',
    'ledger.create_api_key_v1(uuid, bytea, uuid, text, text[], timestamptz, integer)', 'ledger.list_api_keys_v1(uuid)',
    'ledger.rotate_api_key_v1(uuid, uuid, bytea, interval)', 'ledger.revoke_api_key_v1(uuid)']::regprocedure[]
  LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO nexara_ledger', f);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
    IF f <> 'ledger.api_business(uuid, bytea, text)'::regprocedure THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO nexara_dashboard', f);
    END IF;
  END LOOP;
END $$;
