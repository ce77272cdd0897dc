-- Many jobs of one kind by one statement: what enqueue_job_v1 does for each, checked and written as a set.

-- As canonical_payload, and says which of the payloads is refused.
CREATE FUNCTION ledger.canonical_at(p_place bigint, p_kind text, p_fields jsonb, p_payload jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = ledger, pg_temp AS $$
DECLARE
  said text;
  advice text;
BEGIN
  RETURN ledger.canonical_payload(p_kind, p_fields, p_payload);
EXCEPTION WHEN invalid_parameter_value THEN
  GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, advice = PG_EXCEPTION_HINT;
  RAISE EXCEPTION 'payload %: %', p_place, said USING ERRCODE = '22023', HINT = advice;
END $$;

-- The statement that writes jobs of a kind. Its fields are written into it, which is what makes it fast: a payload is
-- checked and spelt by one expression. Where that is not sure of one, canonical_payload has the last word.
-- $1 payloads, $2 kind's row, $3 business, $4 priority, $5 due or NULL, $6 root or NULL, $7 actor, $8 parent or NULL
-- Returns the id and the key of each payload, in their order; the id is NULL where the key was taken.
CREATE FUNCTION ledger.insert_of(k ledger.job_kinds) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = ledger, pg_temp AS $$
DECLARE
  checks text;
  spelt text;
  digest text := 'NULL::bytea';
BEGIN
  SELECT string_agg(
           CASE WHEN (f.spec ->> 'required')::boolean THEN '' ELSE format('NOT p ? %L OR ', f.name) END
             || CASE f.spec ->> 'type'
                  -- As canonical_payload has it, in a third of the time: an expression that counts has a state a character.
                  WHEN 'uuid' THEN format(
                    $sql$ (p ->> %1$L) LIKE '________-____-____-____-____________'
                      AND (p ->> %1$L) ~ '^[0-9a-fA-F]+-[0-9a-fA-F]+-[0-9a-fA-F]+-[0-9a-fA-F]+-[0-9a-fA-F]+$' $sql$,
                    f.name)
                  WHEN 'flag' THEN format($sql$ jsonb_typeof(p -> %L) = 'boolean' $sql$, f.name)
                  WHEN 'code' THEN format('(p -> %L) = ANY (%L::jsonb[])', f.name,
                    ARRAY(SELECT jsonb_array_elements(f.spec -> 'codes')))
                  -- Days that every month has.
                  WHEN 'time' THEN format(
                    $sql$ (p ->> %L) ~ '^[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-](0\d|1[0-4]):?[0-5]\d)$' $sql$,
                    f.name)
                  ELSE 'false'
                END, ') AND ('),
         string_agg(
           format('%L, ', f.name) || CASE f.spec ->> 'type'
             WHEN 'uuid' THEN format('lower(p ->> %L)', f.name)
             WHEN 'time' THEN format(
               $sql$ to_char((p ->> %L)::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $sql$, f.name)
             ELSE format('p -> %L', f.name)
           END, ', ')
  INTO checks, spelt FROM jsonb_each(k.fields) f (name, spec);
  IF k.unique_by IS NOT NULL THEN
    -- As key_of has it.
    SELECT 'sha256(convert_to($3::text' || string_agg(
             format(' || chr(31) || coalesce(payload ->> %L, chr(30))', field), '' ORDER BY field) || $sql$, 'UTF8'))$sql$
    INTO digest FROM unnest(k.unique_by) field;
  END IF;
  RETURN format($sql$
    WITH canonical AS MATERIALIZED (
      SELECT place, CASE
          WHEN jsonb_typeof(p) <> 'object' THEN ledger.canonical_at(place, $2.kind, $2.fields, p)
          WHEN p - %1$L::text[] = '{}' AND (%2$s) THEN jsonb_strip_nulls(jsonb_build_object(%3$s))
          ELSE ledger.canonical_at(place, $2.kind, $2.fields, p)
        END AS payload
      FROM unnest($1) WITH ORDINALITY given (p, place)
    ), numbered AS MATERIALIZED (
      SELECT place, payload, %4$s AS digest, nextval('ledger.jobs_id_seq') AS id FROM canonical
    ), first AS MATERIALIZED (
      SELECT *, %5$s AS of FROM numbered
    ), made AS (
      INSERT INTO jobs (id, kind, queue, priority, business_id, root_id, parent_id, payload, unique_key, until_done, state,
                        max_attempts, run_at, give_up_at, actor)
      SELECT id, $2.kind, $2.queue, $4, $3, coalesce($6, id), $8, payload, digest, $2.until_done,
             CASE WHEN $5 IS NULL THEN 'available' ELSE 'scheduled' END, $2.max_attempts,
             coalesce($5, now()), coalesce($5, now()) + $2.give_up_after, $7
      FROM first WHERE id = of
      ORDER BY digest, id  -- everybody takes keys in this order, and nobody waits for one that waits for him
      ON CONFLICT (kind, unique_key) WHERE unique_key IS NOT NULL
        AND (state IN ('scheduled', 'retryable', 'parked', 'available', 'dispatched') OR (until_done AND state = 'running'))
      -- Whether or not there is something to set, the open job is locked until this transaction ends.
      DO UPDATE SET again = true
        WHERE jobs.until_done AND (jobs.state = 'running' OR jobs.cursor IS NOT NULL) AND NOT jobs.again
      RETURNING id
    )
    SELECT array_agg(made.id ORDER BY first.place), array_agg(first.digest ORDER BY first.place)
    FROM first LEFT JOIN made ON made.id = first.of
  $sql$, ARRAY(SELECT jsonb_object_keys(k.fields)), '(' || coalesce(checks, 'true') || ')', coalesce(spelt, ''), digest,
    CASE WHEN k.unique_by IS NULL THEN 'id' ELSE 'min(id) OVER (PARTITION BY digest)' END);
END $$;

-- Put many jobs of one kind in the ledger; returns their ids in the order of the payloads: for one whose key is taken, by
-- an open job or by a payload before it, the id of that job. Refuses what enqueue_job_v1 refuses, with nothing written.
CREATE FUNCTION ledger.enqueue_jobs_v1(
  p_kind text,
  p_payloads jsonb[],
  p_business_id uuid DEFAULT NULL,
  p_priority integer DEFAULT NULL,
  p_run_at timestamptz DEFAULT NULL,
  p_actor uuid DEFAULT NULL
) RETURNS SETOF bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off SET work_mem = '32MB' AS $$
DECLARE
  k job_kinds;
  business uuid;
  parent bigint;
  root bigint;
  due timestamptz;
  ids bigint[];
  digests bytea[];
  is_job CONSTANT boolean := current_setting('role') = 'tenant_job';
BEGIN
  k := ledger.asked_kind(p_kind, p_priority, p_run_at);
  business := ledger.business_for(p_business_id);
  due := CASE WHEN p_run_at > clock_timestamp() THEN p_run_at END;
  IF p_payloads IS NULL THEN
    RAISE EXCEPTION 'the payloads of % must be an array', p_kind USING ERRCODE = '22023';
  END IF;
  IF is_job THEN
    SELECT id, root_id INTO parent, root FROM jobs WHERE id = nullif(current_setting('nexara.job', true), '')::bigint;
  END IF;
  EXECUTE ledger.insert_of(k) INTO ids, digests
    USING p_payloads, k, business, coalesce(p_priority, k.priority)::smallint, due, root, p_actor, parent;
  IF NOT is_job AND due IS NULL AND EXISTS (SELECT FROM unnest(ids) made WHERE made IS NOT NULL) THEN
    PERFORM ledger.knock(k.queue || ':' || coalesce(p_priority, k.priority));
  END IF;
  -- The jobs of the keys that were taken are locked by now: they stay open, and this statement sees them as they are.
  RETURN QUERY
    SELECT coalesce(one.made, (
      SELECT j.id FROM jobs j
      WHERE j.kind = p_kind AND j.unique_key = one.digest
        AND (j.state IN ('scheduled', 'retryable', 'parked', 'available', 'dispatched') OR (j.until_done AND j.state = 'running'))))
    FROM unnest(ids, digests) WITH ORDINALITY one (made, digest, place) ORDER BY one.place;
END $$;

ALTER FUNCTION ledger.canonical_at(bigint, text, jsonb, jsonb) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.insert_of(ledger.job_kinds) OWNER TO nexara_ledger;
ALTER FUNCTION ledger.enqueue_jobs_v1(text, jsonb[], uuid, integer, timestamptz, uuid) OWNER TO nexara_ledger;
REVOKE ALL ON FUNCTION ledger.canonical_at(bigint, text, jsonb, jsonb), ledger.insert_of(ledger.job_kinds),
  ledger.enqueue_jobs_v1(text, jsonb[], uuid, integer, timestamptz, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.enqueue_jobs_v1(text, jsonb[], uuid, integer, timestamptz, uuid)
  TO tenant_job, nexara_web, nexara_worker, nexara_dashboard, nexara_owner;
