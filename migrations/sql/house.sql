-- What the house may ask across businesses: which of them has something to do. Ids and times come out, never a person's
-- data: the role that owns these functions has no right to any other column.
CREATE POLICY house ON nexara.businesses FOR SELECT TO nexara_house USING (true);
GRANT SELECT (id) ON nexara.businesses TO nexara_house;
CREATE POLICY house ON nexara.conversations FOR SELECT TO nexara_house USING (true);
CREATE POLICY house ON nexara.calls FOR SELECT TO nexara_house USING (true);
CREATE POLICY house ON nexara.call_legs FOR SELECT TO nexara_house USING (true);
CREATE POLICY house ON nexara.recordings FOR SELECT TO nexara_house USING (true);
CREATE POLICY house ON nexara.transcripts FOR SELECT TO nexara_house USING (true);
CREATE POLICY house ON nexara.messages FOR SELECT TO nexara_house USING (true);
CREATE POLICY house ON nexara.meter FOR SELECT TO nexara_house USING (true);
CREATE POLICY house ON nexara.emails_sent FOR SELECT TO nexara_house USING (true);
GRANT SELECT (business_id, id, channel, ended_at) ON nexara.conversations TO nexara_house;
GRANT SELECT (business_id, id, conversation_id, event_key) ON nexara.calls TO nexara_house;
GRANT SELECT (business_id, id, call_id) ON nexara.call_legs TO nexara_house;
GRANT SELECT (business_id, id, leg_id, state) ON nexara.recordings TO nexara_house;
GRANT SELECT (business_id, recording_id) ON nexara.transcripts TO nexara_house;
GRANT SELECT (business_id, conversation_id, event_key) ON nexara.messages TO nexara_house;
GRANT SELECT (business_id, event_key, correction_of) ON nexara.meter TO nexara_house;
GRANT SELECT (business_id, conversation_id) ON nexara.emails_sent TO nexara_house;
GRANT SELECT (unique_key) ON ledger.jobs TO nexara_house;
GRANT EXECUTE ON FUNCTION ledger.key_of(uuid, jsonb, text[]) TO nexara_house;

-- These are asked every ten minutes, over 40 days of everybody's conversations: each goes by an index from row to row.
-- OFFSET 0 keeps the planner from reading a whole table into a hash instead; the ledger is asked a state at a time, since
-- its indexes are over a few states each.

-- Is a job of these kinds open about a conversation, or about a recording of it?
CREATE FUNCTION nexara.chain_open(p_business uuid, p_conversation uuid, p_kinds text[]) RETURNS boolean
LANGUAGE sql STABLE SET search_path = nexara, pg_temp AS $$
  WITH about AS MATERIALIZED (
    SELECT 'conversation_id' AS field, p_conversation AS id
    UNION ALL
    SELECT 'recording_id', r.id FROM calls k
      JOIN call_legs l ON l.business_id = k.business_id AND l.call_id = k.id
      JOIN recordings r ON r.business_id = l.business_id AND r.leg_id = l.id
    WHERE k.business_id = p_business AND k.conversation_id = p_conversation
  )
  SELECT EXISTS (
      SELECT FROM about a CROSS JOIN unnest(p_kinds) kind
      CROSS JOIN LATERAL (
        SELECT FROM ledger.jobs j
        WHERE j.kind = kind::text
          AND j.unique_key = ledger.key_of(p_business, jsonb_build_object(a.field, a.id), ARRAY[a.field])
          AND j.state IN ('scheduled', 'retryable', 'parked', 'available', 'dispatched')
        LIMIT 1) open
      WHERE (kind = 'recordings.transcribe') = (a.field = 'recording_id'))
    OR EXISTS (
      SELECT FROM ledger.jobs j
      JOIN about a ON j.payload ->> a.field = a.id::text
      WHERE j.state = 'running' AND j.business_id = p_business AND j.kind = ANY (p_kinds))
$$;

-- May a step before the last still bring words or a lead of this conversation? Asked by a job, about its own business.
-- A recording is waited for until a day after the end.
CREATE FUNCTION nexara.still_to_come_v1(p_conversation uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
  SELECT EXISTS (
      SELECT FROM conversations c
      JOIN calls k ON k.business_id = c.business_id AND k.conversation_id = c.id
      JOIN call_legs l ON l.business_id = k.business_id AND l.call_id = k.id
      JOIN recordings r ON r.business_id = l.business_id AND r.leg_id = l.id
      WHERE c.business_id = mine.id AND c.id = p_conversation AND r.state = 'pending'
        AND c.ended_at > now() - interval '1 day')
    OR nexara.chain_open(mine.id, p_conversation,
                         ARRAY['recordings.transcribe', 'conversations.summarize', 'leads.extract'])
  FROM (SELECT nexara.scope() AS id OFFSET 0) mine
  WHERE mine.id IS NOT NULL
$$;

-- Conversations that ended between two moments and have a fact that is not metered, in order of (ended_at, id), after a
-- cursor.
CREATE FUNCTION nexara.unmetered_v1(p_from timestamptz, p_until timestamptz, p_after uuid, p_limit integer)
RETURNS TABLE (business_id uuid, conversation_id uuid, ended_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
  SELECT c.business_id, c.id, c.ended_at
  FROM conversations c
  WHERE (SELECT nexara.scope()) = '00000000-0000-0000-0000-000000000000'  -- a job of the house, not of a tenant
    AND c.ended_at >= p_from AND c.ended_at < p_until
    AND (p_after IS NULL OR (c.ended_at, c.id) > (p_from, p_after))
    AND (EXISTS (SELECT FROM calls k WHERE k.business_id = c.business_id AND k.conversation_id = c.id
                   AND NOT EXISTS (SELECT FROM meter m WHERE m.business_id = k.business_id
                                     AND m.event_key = k.event_key AND m.correction_of IS NULL OFFSET 0) OFFSET 0)
      OR EXISTS (SELECT FROM messages s WHERE s.business_id = c.business_id AND s.conversation_id = c.id
                   AND NOT EXISTS (SELECT FROM meter m WHERE m.business_id = s.business_id
                                     AND m.event_key = s.event_key AND m.correction_of IS NULL OFFSET 0) OFFSET 0))
  ORDER BY c.ended_at, c.id
  LIMIT p_limit
$$;

-- Of those, the ones that no open job is about and no recording is awaited of: with a recording that is still to be heard,
-- and whether there are words to sum up; neither where that was tried and the job is dead, cancelled or discarded.
-- And those that were metered while a job before was parked, and that job died or was discarded since, and nobody was told.
CREATE FUNCTION nexara.forgotten_v1(p_from timestamptz, p_until timestamptz, p_limit integer)
RETURNS TABLE (business_id uuid, conversation_id uuid, recording_id uuid, has_words boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
  WITH failed AS MATERIALIZED (
    SELECT j.business_id, j.kind, j.finished_at, (j.payload ->> 'conversation_id')::uuid AS conversation_id,
           (j.payload ->> 'recording_id')::uuid AS recording_id
    FROM (SELECT * FROM (VALUES ('dead'), ('cancelled'), ('discarded')) s (state) OFFSET 0) ended
    CROSS JOIN LATERAL (
      SELECT j.business_id, j.kind, j.finished_at, j.payload FROM ledger.jobs j
      WHERE j.state = ended.state AND j.finished_at >= p_from
        AND j.kind IN ('recordings.transcribe', 'conversations.summarize', 'leads.extract', 'usage.meter')
      OFFSET 0) j
    WHERE (SELECT nexara.scope()) = '00000000-0000-0000-0000-000000000000'
  ), late AS MATERIALIZED (
    SELECT u.business_id, u.conversation_id, u.ended_at
    FROM nexara.unmetered_v1(p_from, p_until, NULL, NULL) u
    WHERE u.ended_at < p_until - interval '1 day' OR NOT EXISTS (
      SELECT FROM calls k
      JOIN call_legs l ON l.business_id = k.business_id AND l.call_id = k.id
      JOIN recordings r ON r.business_id = l.business_id AND r.leg_id = l.id
      WHERE k.business_id = u.business_id AND k.conversation_id = u.conversation_id AND r.state = 'pending' OFFSET 0)
  ), untold AS MATERIALIZED (
    SELECT DISTINCT c.business_id, c.id AS conversation_id, c.ended_at
    FROM failed f
    CROSS JOIN LATERAL (
      SELECT coalesce(f.conversation_id, (
        SELECT k.conversation_id FROM recordings r
        JOIN call_legs l ON l.business_id = r.business_id AND l.id = r.leg_id
        JOIN calls k ON k.business_id = l.business_id AND k.id = l.call_id
        WHERE r.business_id = f.business_id AND r.id = f.recording_id)) AS id OFFSET 0) about
    CROSS JOIN LATERAL (
      SELECT c.business_id, c.id, c.ended_at FROM conversations c
      WHERE c.business_id = f.business_id AND c.id = about.id OFFSET 0) c
    WHERE f.kind <> 'usage.meter' AND f.finished_at >= p_until - interval '1 hour'
      AND c.ended_at >= p_from AND c.ended_at < p_until
      AND NOT EXISTS (SELECT FROM emails_sent e
                      WHERE e.business_id = c.business_id AND e.conversation_id = c.id OFFSET 0)
      AND NOT EXISTS (SELECT FROM late x WHERE x.business_id = c.business_id AND x.conversation_id = c.id)
  )
  SELECT l.business_id, l.conversation_id, step.recording_id, step.has_words
  FROM (
    SELECT late.*, true AS unmetered FROM late UNION ALL SELECT untold.*, false FROM untold
  ) l
  CROSS JOIN LATERAL (
    SELECT
      (SELECT r.id FROM calls k
         JOIN call_legs g ON g.business_id = k.business_id AND g.call_id = k.id
         JOIN recordings r ON r.business_id = g.business_id AND r.leg_id = g.id
       WHERE l.unmetered AND k.business_id = l.business_id AND k.conversation_id = l.conversation_id
         AND r.state = 'stored'
         AND NOT EXISTS (SELECT FROM transcripts t WHERE t.business_id = r.business_id AND t.recording_id = r.id OFFSET 0)
         AND NOT EXISTS (SELECT FROM failed f WHERE f.business_id = r.business_id AND f.recording_id = r.id)
       ORDER BY r.id LIMIT 1) AS recording_id,
      l.unmetered
        AND NOT EXISTS (SELECT FROM failed f WHERE f.business_id = l.business_id AND f.conversation_id = l.conversation_id)
        AND (EXISTS (SELECT FROM messages s
                     WHERE s.business_id = l.business_id AND s.conversation_id = l.conversation_id OFFSET 0)
          OR EXISTS (SELECT FROM calls k
                       JOIN call_legs g ON g.business_id = k.business_id AND g.call_id = k.id
                       JOIN recordings r ON r.business_id = g.business_id AND r.leg_id = g.id
                       JOIN transcripts t ON t.business_id = r.business_id AND t.recording_id = r.id
                     WHERE k.business_id = l.business_id AND k.conversation_id = l.conversation_id OFFSET 0)) AS has_words
    OFFSET 0) step
  WHERE NOT nexara.chain_open(l.business_id, l.conversation_id, ARRAY[
    'recordings.transcribe', 'conversations.summarize', 'leads.extract', 'usage.meter'])
  -- Not before: as many that wait for a parked job would hide all that came after them.
  ORDER BY l.ended_at, l.conversation_id
  LIMIT p_limit
$$;

-- Is there such a business? Asked before somebody is given a key in its name.
CREATE FUNCTION nexara.is_business_v1(p_id uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
  SELECT EXISTS (SELECT FROM businesses WHERE id = p_id AND erasing_at IS NULL)
$$;

ALTER FUNCTION nexara.is_business_v1(uuid) OWNER TO nexara_house;
REVOKE ALL ON FUNCTION nexara.is_business_v1(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexara.is_business_v1(uuid) TO nexara_ledger;
ALTER FUNCTION nexara.chain_open(uuid, uuid, text[]) OWNER TO nexara_house;
ALTER FUNCTION nexara.still_to_come_v1(uuid) OWNER TO nexara_house;
ALTER FUNCTION nexara.unmetered_v1(timestamptz, timestamptz, uuid, integer) OWNER TO nexara_house;
ALTER FUNCTION nexara.forgotten_v1(timestamptz, timestamptz, integer) OWNER TO nexara_house;
REVOKE ALL ON FUNCTION nexara.chain_open(uuid, uuid, text[]), nexara.still_to_come_v1(uuid),
  nexara.unmetered_v1(timestamptz, timestamptz, uuid, integer),
  nexara.forgotten_v1(timestamptz, timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexara.chain_open(uuid, uuid, text[]),
  nexara.unmetered_v1(timestamptz, timestamptz, uuid, integer) TO nexara_house;
GRANT EXECUTE ON FUNCTION nexara.still_to_come_v1(uuid), nexara.unmetered_v1(timestamptz, timestamptz, uuid, integer),
  nexara.forgotten_v1(timestamptz, timestamptz, integer) TO tenant_job;
