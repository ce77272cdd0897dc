-- Enqueueing: one function for SQL, Python and HTTP alike. It joins the caller's transaction: both or neither.

-- The payload as it will be stored: every field known, present, of its type, and in its one canonical spelling.
-- Values are never quoted back: a value that does not belong may be anything, a caller's number too.
CREATE FUNCTION ledger.canonical_payload(p_kind text, p_fields jsonb, p_payload jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = ledger, pg_temp AS $$
DECLARE
  name text;
  spec jsonb;
  value text;
  canonical jsonb := '{}';
BEGIN
  IF jsonb_typeof(p_payload) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION 'the payload of % must be a JSON object', p_kind USING ERRCODE = '22023';
  END IF;
  FOR name IN SELECT jsonb_object_keys(p_payload) LOOP
    IF NOT p_fields ? name THEN
      RAISE EXCEPTION 'the payload of % has a field it does not know%', p_kind,
          CASE WHEN name ~ '^[a-z][a-z_]{0,40}$' THEN ': ' || name ELSE '' END
        USING ERRCODE = '22023',
          HINT = 'its fields are: ' || coalesce((SELECT string_agg(k, ', ' ORDER BY k) FROM jsonb_object_keys(p_fields) k), 'none');
    END IF;
  END LOOP;
  FOR name, spec IN SELECT * FROM jsonb_each(p_fields) LOOP
    IF NOT p_payload ? name THEN
      IF (spec ->> 'required')::boolean THEN
        RAISE EXCEPTION 'the payload of % lacks %', p_kind, name
          USING ERRCODE = '22023', HINT = format('%s is a %s', name, spec ->> 'type');
      END IF;
      CONTINUE;
    END IF;
    value := p_payload ->> name;
    IF spec ->> 'type' = 'flag' THEN
      IF jsonb_typeof(p_payload -> name) = 'boolean' THEN
        canonical := canonical || jsonb_build_object(name, value::boolean);
        CONTINUE;
      END IF;
    ELSIF jsonb_typeof(p_payload -> name) = 'string' THEN
      IF spec ->> 'type' = 'uuid'
         AND value ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN
        canonical := canonical || jsonb_build_object(name, lower(value));
        CONTINUE;
      ELSIF spec ->> 'type' = 'code' AND spec -> 'codes' ? value THEN
        canonical := canonical || jsonb_build_object(name, value);
        CONTINUE;
      ELSIF spec ->> 'type' = 'time' AND ledger.is_instant(value) THEN
        canonical := canonical || jsonb_build_object(name,
          to_char(value::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
        CONTINUE;
      END IF;
    END IF;
    RAISE EXCEPTION 'in the payload of %, % must be a %', p_kind, name,
        CASE spec ->> 'type'
          WHEN 'uuid' THEN 'UUID'
          WHEN 'flag' THEN 'flag (true or false)'
          WHEN 'time' THEN 'time in ISO 8601 with its offset'
          ELSE 'code, one of ' || (SELECT string_agg(c, ', ') FROM jsonb_array_elements_text(spec -> 'codes') c)
        END
      USING ERRCODE = '22023', HINT = 'payloads hold ids, codes, flags and times, never text or numbers';
  END LOOP;
  RETURN canonical;
END $$;

-- A moment with its offset, such as 2026-11-23T09:30:00Z, on a day that exists.
CREATE FUNCTION ledger.is_instant(p_value text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = ledger, pg_temp AS $$
  SELECT CASE
    WHEN p_value ~ '^[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-](0\d|1[0-4]):?[0-5]\d)$'
    THEN substr(p_value, 9, 2)::int
         <= extract(day FROM (substr(p_value, 1, 7) || '-01')::timestamp + interval '1 month' - interval '1 day')
    ELSE false
  END
$$;

-- The key of a job among the open ones of its kind: derived from its payload, and stored only as a digest.
CREATE FUNCTION ledger.key_of(p_business_id uuid, p_payload jsonb, p_fields text[]) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE SET search_path = ledger, pg_temp AS $$
BEGIN
  IF p_fields IS NULL THEN
    RETURN NULL;
  END IF;
  RETURN sha256(convert_to(p_business_id::text || (
    SELECT string_agg(chr(31) || coalesce(p_payload ->> field, chr(30)), '' ORDER BY field) FROM unnest(p_fields) field
  ), 'UTF8'));
END $$;

-- Which business may this caller enqueue for? A job or a web transaction that has a scope: for that one only.
-- The house (the nil UUID) enqueues for every business.
CREATE FUNCTION ledger.business_for(p_business_id uuid) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = ledger, pg_temp AS $$
DECLARE
  house CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
  mine uuid := nexara.scope();
BEGIN
  IF mine IS NULL AND current_setting('role') = 'tenant_job' THEN
    RAISE EXCEPTION 'this job no longer holds its fence' USING ERRCODE = 'NX001';
  END IF;
  IF mine IS NULL OR mine = house THEN
    IF coalesce(p_business_id, mine) IS NULL THEN
      RAISE EXCEPTION 'enqueue_job_v1 needs p_business_id' USING ERRCODE = '22023',
        HINT = 'pass the business, or call nexara.act_for(business) first in this transaction';
    END IF;
    RETURN coalesce(p_business_id, mine);
  END IF;
  IF p_business_id IS NOT NULL AND p_business_id <> mine THEN
    RAISE EXCEPTION 'a transaction of one business cannot enqueue for another' USING ERRCODE = '42501';
  END IF;
  RETURN mine;
END $$;

-- What every way to enqueue is asked: the kind, by its row; a priority and a time that can be.
CREATE FUNCTION ledger.asked_kind(p_kind text, p_priority integer, p_run_at timestamptz) RETURNS ledger.job_kinds
LANGUAGE plpgsql STABLE SET search_path = ledger, pg_temp AS $$
DECLARE
  k job_kinds;
BEGIN
  SELECT * INTO k FROM job_kinds WHERE kind = p_kind;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'unknown kind of job%', CASE WHEN p_kind ~ '^[a-z_.]{1,60}$' THEN ': ' || p_kind ELSE '' END
      USING ERRCODE = '22023', HINT = 'the kinds are listed in the README; a new one is known after "nexara migrate"';
  END IF;
  IF p_priority NOT BETWEEN 0 AND 3 THEN
    RAISE EXCEPTION 'a priority is 0 (first) to 3 (last)' USING ERRCODE = '22023';
  END IF;
  IF p_run_at > now() + interval '366 days' OR NOT isfinite(p_run_at) THEN
    RAISE EXCEPTION 'p_run_at lies over a year ahead' USING ERRCODE = '22023';
  END IF;
  RETURN k;
END $$;

-- Wake the dispatcher if it sleeps: NOTIFY serialises commits. p_where is "queue:priority", or empty: somewhere.
CREATE FUNCTION ledger.knock(p_where text DEFAULT '') RETURNS void
LANGUAGE plpgsql SET search_path = ledger, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM bell WHERE asleep) THEN
    PERFORM pg_notify('nexara_bell', p_where);
  END IF;
END $$;

-- Put one job in the ledger; returns its id, or that of the open job that is already there for the same key.
-- Refuses, with nothing written: an unknown kind, an unknown or missing field, a wrong type, another's business.
CREATE FUNCTION ledger.enqueue_job_v1(
  p_kind text,
  p_payload jsonb,
  p_business_id uuid DEFAULT NULL,
  p_priority integer DEFAULT NULL,
  p_run_at timestamptz DEFAULT NULL,
  p_actor uuid DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  k job_kinds;
  business uuid;
  canonical jsonb;
  digest bytea;
  parent bigint;
  root bigint;
  due timestamptz;
  found_id bigint;
  is_job CONSTANT boolean := current_setting('role') = 'tenant_job';
BEGIN
  k := ledger.asked_kind(p_kind, p_priority, p_run_at);
  business := ledger.business_for(p_business_id);
  canonical := ledger.canonical_payload(p_kind, k.fields, p_payload);
  digest := ledger.key_of(business, canonical, k.unique_by);
  due := CASE WHEN p_run_at > clock_timestamp() THEN p_run_at END;
  IF is_job THEN
    SELECT id, root_id INTO parent, root FROM jobs WHERE id = nullif(current_setting('nexara.job', true), '')::bigint;
  END IF;
  FOR i IN 1..3 LOOP
    INSERT INTO jobs (id, kind, queue, priority, business_id, root_id, parent_id, payload, unique_key, until_done, state,
                      max_attempts, run_at, give_up_at, actor)
    SELECT new, p_kind, k.queue, coalesce(p_priority, k.priority), business, coalesce(root, new), parent, canonical, digest,
           k.until_done, CASE WHEN due IS NULL THEN 'available' ELSE 'scheduled' END, k.max_attempts,
           coalesce(due, now()), coalesce(due, now()) + k.give_up_after, p_actor
    FROM nextval('ledger.jobs_id_seq') new
    ON CONFLICT DO NOTHING
    RETURNING id INTO found_id;
    IF found_id IS NOT NULL THEN
      -- A job's own follow-ups ring through Redis after their commit.
      IF NOT is_job AND due IS NULL THEN
        PERFORM ledger.knock(k.queue || ':' || coalesce(p_priority, k.priority));
      END IF;
      RETURN found_id;
    END IF;
    -- Locked until this transaction ends: the job must not start before what this transaction wrote can be seen.
    SELECT id INTO found_id FROM jobs
    WHERE kind = p_kind AND unique_key = digest
      AND (state IN ('scheduled', 'retryable', 'parked', 'available', 'dispatched') OR (until_done AND state = 'running'))
    FOR NO KEY UPDATE;
    IF found_id IS NOT NULL THEN
      -- What changed while such a job runs, or between two of its batches, would be missed: it runs once more at its end.
      UPDATE jobs SET again = true
      WHERE id = found_id AND until_done AND (state = 'running' OR cursor IS NOT NULL) AND NOT again;
      RETURN found_id;
    END IF;
  END LOOP;  -- the open one ended between the two statements: look again
  RAISE EXCEPTION 'the ledger is too busy with jobs of this key' USING ERRCODE = '40001';
END $$;

ALTER FUNCTION ledger.canonical_payload(text, jsonb, jsonb) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.is_instant(text) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.key_of(uuid, jsonb, text[]) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.asked_kind(text, integer, timestamptz) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.knock(text) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.business_for(uuid) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.enqueue_job_v1(text, jsonb, uuid, integer, timestamptz, uuid) OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.canonical_payload(text, jsonb, jsonb), ledger.is_instant(text),
  ledger.key_of(uuid, jsonb, text[]), ledger.business_for(uuid), ledger.asked_kind(text, integer, timestamptz),
  ledger.knock(text),
  ledger.enqueue_job_v1(text, jsonb, uuid, integer, timestamptz, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.enqueue_job_v1(text, jsonb, uuid, integer, timestamptz, uuid)
  TO tenant_job, nexara_web, nexara_worker, nexara_dashboard, nexara_owner;
