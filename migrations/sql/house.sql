-- What the house may ask across businesses: which of them has something to do. Ids and times come out, never a person's
-- data: the role that owns these functions has no right to any other column.
CREATE POLICY house ON nexara.conversations FOR SELECT TO nexara_house USING (true);
CREATE POLICY house ON nexara.calls FOR SELECT TO nexara_house USING (true);
CREATE POLICY house ON nexara.call_legs FOR SELECT TO nexara_house USING (true);
CREATE POLICY house ON nexara.recordings FOR SELECT TO nexara_house USING (true);
CREATE POLICY house ON nexara.transcripts FOR SELECT TO nexara_house USING (true);
CREATE POLICY house ON nexara.messages FOR SELECT TO nexara_house USING (true);
CREATE POLICY house ON nexara.meter FOR SELECT TO nexara_house USING (true);
GRANT SELECT (business_id, id, channel, ended_at) ON nexara.conversations TO nexara_house;
GRANT SELECT (business_id, id, conversation_id, event_key) ON nexara.calls TO nexara_house;
GRANT SELECT (business_id, id, call_id) ON nexara.call_legs TO nexara_house;
GRANT SELECT (business_id, id, leg_id, state) ON nexara.recordings TO nexara_house;
GRANT SELECT (business_id, recording_id) ON nexara.transcripts TO nexara_house;
GRANT SELECT (business_id, conversation_id, event_key) ON nexara.messages TO nexara_house;
GRANT SELECT (business_id, event_key) ON nexara.meter TO nexara_house;

-- Conversations that ended between two moments and have a fact that is not metered, in order of (ended_at, id), after a
-- cursor; with the recording that is still to be heard, if there is one.
CREATE FUNCTION nexara.unmetered_v1(p_from timestamptz, p_until timestamptz, p_after uuid, p_limit integer)
RETURNS TABLE (business_id uuid, conversation_id uuid, recording_id uuid, channel text, ended_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
  SELECT c.business_id, c.id,
         (SELECT r.id FROM calls k
            JOIN call_legs l ON l.business_id = k.business_id AND l.call_id = k.id
            JOIN recordings r ON r.business_id = l.business_id AND r.leg_id = l.id
          WHERE k.business_id = c.business_id AND k.conversation_id = c.id AND r.state = 'stored'
            AND NOT EXISTS (SELECT FROM transcripts t WHERE t.business_id = r.business_id AND t.recording_id = r.id)
          ORDER BY r.id LIMIT 1),
         c.channel, c.ended_at
  FROM conversations c
  WHERE (SELECT nexara.scope()) = '00000000-0000-0000-0000-000000000000'  -- a job of the house, not of a tenant
    AND c.ended_at >= p_from AND c.ended_at < p_until
    AND (p_after IS NULL OR (c.ended_at, c.id) > (p_from, p_after))
    AND (EXISTS (SELECT FROM calls k WHERE k.business_id = c.business_id AND k.conversation_id = c.id
                   AND NOT EXISTS (SELECT FROM meter m WHERE m.business_id = k.business_id AND m.event_key = k.event_key))
      OR EXISTS (SELECT FROM messages s WHERE s.business_id = c.business_id AND s.conversation_id = c.id
                   AND NOT EXISTS (SELECT FROM meter m WHERE m.business_id = s.business_id AND m.event_key = s.event_key)))
  ORDER BY c.ended_at, c.id
  LIMIT p_limit
$$;

-- Of those, the ones that no open job is about; `tried` where a job about them is dead, cancelled or discarded.
CREATE FUNCTION nexara.forgotten_v1(p_from timestamptz, p_until timestamptz, p_limit integer)
RETURNS TABLE (business_id uuid, conversation_id uuid, recording_id uuid, channel text, tried boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
  WITH late AS (
    SELECT * FROM nexara.unmetered_v1(p_from, p_until, NULL, NULL)
  ), named AS (  -- by id of either, so that what follows can be joined by equality alone
    SELECT business_id, conversation_id, conversation_id::text AS subject FROM late
    UNION ALL
    SELECT business_id, conversation_id, recording_id::text FROM late WHERE recording_id IS NOT NULL
  ), about AS (
    SELECT j.business_id, j.state IN ('dead', 'cancelled', 'discarded') AS ended,
           coalesce(j.payload ->> 'conversation_id', j.payload ->> 'recording_id') AS subject
    FROM ledger.jobs j
    WHERE j.state <> 'succeeded' AND (j.finished_at IS NULL OR j.finished_at >= p_from)
      AND j.kind IN ('recordings.transcribe', 'conversations.summarize', 'leads.extract', 'usage.meter')
  ), told AS (
    SELECT n.conversation_id, bool_and(a.ended) AS ended
    FROM named n JOIN about a ON a.business_id = n.business_id AND a.subject = n.subject
    GROUP BY n.conversation_id
  )
  SELECT l.business_id, l.conversation_id, l.recording_id, l.channel, t.ended IS NOT NULL
  FROM late l LEFT JOIN told t USING (conversation_id)
  WHERE t.ended IS NOT FALSE
  -- Not before: as many that wait for a parked job would hide all that came after them.
  ORDER BY l.ended_at, l.conversation_id
  LIMIT p_limit
$$;

ALTER FUNCTION nexara.unmetered_v1(timestamptz, timestamptz, uuid, integer) OWNER TO nexara_house;
ALTER FUNCTION nexara.forgotten_v1(timestamptz, timestamptz, integer) OWNER TO nexara_house;
REVOKE ALL ON FUNCTION nexara.unmetered_v1(timestamptz, timestamptz, uuid, integer),
  nexara.forgotten_v1(timestamptz, timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexara.unmetered_v1(timestamptz, timestamptz, uuid, integer) TO nexara_house;
GRANT EXECUTE ON FUNCTION nexara.unmetered_v1(timestamptz, timestamptz, uuid, integer),
  nexara.forgotten_v1(timestamptz, timestamptz, integer) TO tenant_job;
