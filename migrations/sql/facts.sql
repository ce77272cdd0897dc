-- The facts that start the main job, whoever writes them: each enqueues in the transaction that made it true.
-- The functions belong to nexara_scribe, who may do this and no more.
GRANT USAGE ON SCHEMA nexara, ledger TO nexara_scribe;
GRANT EXECUTE ON FUNCTION ledger.enqueue_job_v1(text, jsonb, uuid, integer, timestamptz, uuid) TO nexara_scribe;
CREATE POLICY facts ON nexara.conversations FOR SELECT TO nexara_scribe USING (true);
CREATE POLICY facts ON nexara.calls FOR SELECT TO nexara_scribe USING (true);
CREATE POLICY facts ON nexara.call_legs FOR SELECT TO nexara_scribe USING (true);
CREATE POLICY facts ON nexara.recordings FOR SELECT TO nexara_scribe USING (true);
CREATE POLICY facts ON nexara.transcripts FOR SELECT TO nexara_scribe USING (true);
GRANT SELECT (business_id, id, ended_at) ON nexara.conversations TO nexara_scribe;
GRANT SELECT (business_id, id, conversation_id, recorded) ON nexara.calls TO nexara_scribe;
GRANT SELECT (business_id, id, call_id) ON nexara.call_legs TO nexara_scribe;
GRANT SELECT (business_id, id, leg_id, state) ON nexara.recordings TO nexara_scribe;
GRANT SELECT (business_id, recording_id) ON nexara.transcripts TO nexara_scribe;

-- A recording lies in our bucket: hear it.
CREATE FUNCTION nexara.recording_stored() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
BEGIN
  -- A job that heard what seemed unusable says so itself, and needs no second one.
  IF TG_OP = 'INSERT' OR (OLD.state IS DISTINCT FROM NEW.state AND current_setting('role') <> 'tenant_job') THEN
    PERFORM ledger.enqueue_job_v1('recordings.transcribe', jsonb_build_object('recording_id', NEW.id), NEW.business_id);
  END IF;
  RETURN NULL;
END $$;

-- A recording that was awaited will not come: if it was the last, its ended call goes on with what was heard, or counts.
CREATE FUNCTION nexara.recording_gone() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  about uuid;
  waits boolean;
  heard boolean;
BEGIN
  SELECT c.id INTO about
  FROM call_legs l
  JOIN calls k ON k.business_id = l.business_id AND k.id = l.call_id
  JOIN conversations c ON c.business_id = k.business_id AND c.id = k.conversation_id
  WHERE l.business_id = NEW.business_id AND l.id = NEW.leg_id AND c.ended_at IS NOT NULL;
  SELECT bool_or(t.recording_id IS NULL AND r.state IN ('pending', 'stored')), bool_or(t.recording_id IS NOT NULL)
  INTO waits, heard
  FROM calls k
  JOIN call_legs l ON l.business_id = k.business_id AND l.call_id = k.id
  JOIN recordings r ON r.business_id = l.business_id AND r.leg_id = l.id
  LEFT JOIN transcripts t ON t.business_id = r.business_id AND t.recording_id = r.id
  WHERE k.business_id = NEW.business_id AND k.conversation_id = about;
  IF NOT waits THEN
    PERFORM ledger.enqueue_job_v1(
      CASE WHEN heard THEN 'conversations.summarize' ELSE 'usage.meter' END,
      jsonb_build_object('conversation_id', about), NEW.business_id);
  END IF;
  RETURN NULL;
END $$;

-- A written conversation has ended: sum it up.
CREATE FUNCTION nexara.thread_ended() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' OR OLD.ended_at IS NULL THEN
    PERFORM ledger.enqueue_job_v1(
      'conversations.summarize', jsonb_build_object('conversation_id', NEW.id), NEW.business_id);
  END IF;
  RETURN NULL;
END $$;

-- A call has ended that was not recorded: there is nothing to hear, but it counts. Its conversation and its call are two
-- rows that one transaction may write in either order, so both ask, and at the transaction's end.
CREATE FUNCTION nexara.call_ended() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  about uuid := CASE TG_TABLE_NAME WHEN 'calls' THEN to_jsonb(NEW) ->> 'conversation_id' ELSE to_jsonb(NEW) ->> 'id' END;
BEGIN
  IF EXISTS (
    SELECT FROM conversations c
    JOIN calls k ON k.business_id = c.business_id AND k.conversation_id = c.id
    WHERE c.business_id = NEW.business_id AND c.id = about AND c.ended_at IS NOT NULL AND NOT k.recorded
  ) THEN
    PERFORM ledger.enqueue_job_v1('usage.meter', jsonb_build_object('conversation_id', about), NEW.business_id);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER recording_stored AFTER INSERT OR UPDATE OF state ON nexara.recordings
  FOR EACH ROW WHEN (NEW.state = 'stored') EXECUTE FUNCTION nexara.recording_stored();
CREATE TRIGGER recording_gone AFTER UPDATE OF state ON nexara.recordings
  FOR EACH ROW WHEN (OLD.state = 'pending' AND NEW.state IN ('unusable', 'deleted'))
  EXECUTE FUNCTION nexara.recording_gone();
CREATE TRIGGER thread_ended AFTER INSERT OR UPDATE OF ended_at ON nexara.conversations
  FOR EACH ROW WHEN (NEW.ended_at IS NOT NULL AND NEW.channel <> 'call') EXECUTE FUNCTION nexara.thread_ended();
CREATE CONSTRAINT TRIGGER call_ended AFTER INSERT OR UPDATE OF ended_at ON nexara.conversations
  DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.ended_at IS NOT NULL AND NEW.channel = 'call') EXECUTE FUNCTION nexara.call_ended();
CREATE CONSTRAINT TRIGGER call_ended AFTER INSERT OR UPDATE OF recorded ON nexara.calls
  DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NOT NEW.recorded) EXECUTE FUNCTION nexara.call_ended();

ALTER FUNCTION nexara.recording_stored() OWNER TO nexara_scribe;
ALTER FUNCTION nexara.recording_gone() OWNER TO nexara_scribe;
ALTER FUNCTION nexara.thread_ended() OWNER TO nexara_scribe;
ALTER FUNCTION nexara.call_ended() OWNER TO nexara_scribe;
REVOKE ALL ON FUNCTION nexara.recording_stored(), nexara.recording_gone(), nexara.thread_ended(), nexara.call_ended()
  FROM PUBLIC;
