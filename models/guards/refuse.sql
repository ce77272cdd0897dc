-- What the triggers on arriving rows do. They only raise: one that swallowed a row would make its child's foreign key fail, and
-- the vendor send it for days. The function belongs to nexara_scribe, so that it holds for whoever writes.
GRANT USAGE ON SCHEMA nexara TO nexara_scribe;
GRANT SELECT (business_id, digest) ON nexara.tombstones TO nexara_scribe;
DROP POLICY IF EXISTS scribe ON nexara.tombstones;
CREATE POLICY scribe ON nexara.tombstones FOR SELECT TO nexara_scribe USING (true);

-- Each argument is a column, and where that holds a vendor's own id, after a space the vendor; `=carrier` means that the column
-- `carrier` names it.
CREATE OR REPLACE FUNCTION nexara.refuse_erased() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  comes CONSTANT jsonb := to_jsonb(NEW);
  was CONSTANT jsonb := CASE TG_OP WHEN 'UPDATE' THEN to_jsonb(OLD) ELSE '{}' END;
  argument text;
  told text[];
  keys text[] := '{}';
BEGIN
  FOREACH argument IN ARRAY TG_ARGV LOOP
    told := string_to_array(argument, ' ');
    IF comes ->> told[1] IS DISTINCT FROM was ->> told[1] AND comes ->> told[1] IS NOT NULL THEN
      keys := keys || CASE
        WHEN told[2] IS NULL THEN comes ->> told[1]
        ELSE nexara.event_key_v1(CASE WHEN told[2] LIKE '=%' THEN comes ->> substr(told[2], 2) ELSE told[2] END, comes ->> told[1])
      END;
    END IF;
  END LOOP;
  IF keys <> '{}' AND (
    EXISTS (SELECT FROM tombstones t WHERE t.business_id = NEW.business_id AND t.digest = ANY (keys))
    OR EXISTS (SELECT FROM erasures e
               WHERE e.business_id = NEW.business_id AND e.scope = 'business' AND e.state NOT IN ('resolving', 'withdrawn'))
  ) THEN
    RAISE EXCEPTION 'what this row of % tells of was erased, and does not come back', TG_TABLE_NAME USING ERRCODE = 'NX002',
      HINT = 'ask nexara.arrival_v1 before writing what a vendor sends, and drop what it calls erased';
  END IF;
  RETURN NEW;
END $$;
ALTER FUNCTION nexara.refuse_erased() OWNER TO nexara_scribe;
REVOKE ALL ON FUNCTION nexara.refuse_erased() FROM PUBLIC;
