-- What the triggers of the map do. The functions belong to nexara_scribe, whose rights end at these two tables, so that
-- they work for whoever deletes: a tenant's job, the web tier, an administrator.
GRANT USAGE ON SCHEMA nexara TO nexara_scribe;
GRANT INSERT ON nexara.remains TO nexara_scribe;
GRANT INSERT, SELECT, DELETE ON nexara.mentions TO nexara_scribe;
DROP POLICY IF EXISTS scribe ON nexara.remains;
CREATE POLICY scribe ON nexara.remains TO nexara_scribe USING (true);
DROP POLICY IF EXISTS scribe ON nexara.mentions;
CREATE POLICY scribe ON nexara.mentions TO nexara_scribe USING (true);

-- A row goes, or lets go of a copy elsewhere: the copy is written down in the same transaction, to be followed up.
CREATE OR REPLACE FUNCTION nexara.leave_remains() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
DECLARE
  gone CONSTANT jsonb := to_jsonb(OLD);
  stays CONSTANT jsonb := CASE TG_OP WHEN 'UPDATE' THEN to_jsonb(NEW) ELSE '{}' END;
  argument text;
  told text[];
BEGIN
  FOREACH argument IN ARRAY TG_ARGV LOOP
    told := string_to_array(argument, ' ');
    IF gone ->> told[1] IS DISTINCT FROM stays ->> told[1] AND gone ->> told[1] IS NOT NULL
       AND (stays ->> told[1] IS NULL OR told[4] IS DISTINCT FROM 'only_emptied') THEN
      -- An erasure says that it is at work, so that it can be told when its copies are gone.
      INSERT INTO remains (business_id, store, what, ref, retry_at, erasure_id)
      VALUES (OLD.business_id, CASE WHEN told[2] LIKE '=%' THEN gone ->> substr(told[2], 2) ELSE told[2] END,
              told[3], gone ->> told[1], now(), nullif(current_setting('nexara.erasure', true), '')::uuid);
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

-- The numbers, by their last eight digits, and the addresses that a text names.
CREATE OR REPLACE FUNCTION nexara.needles(p_text text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT right(digits, 8)
  FROM regexp_matches(p_text, '\+?\d[\d\s().\/-]{6,}\d', 'g') AS hit,
       LATERAL regexp_replace(hit[1], '\D', '', 'g') AS digits
  WHERE length(digits) >= 8
  UNION
  SELECT hit[1] FROM regexp_matches(lower(p_text), '[^\s<>",;:@()\[\]]+@[a-z0-9.-]+\.[a-z]{2,}', 'g') AS hit
$$;

-- A text came, changed or went: what it names is written down anew.
CREATE OR REPLACE FUNCTION nexara.leave_mentions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = nexara, pg_temp AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    DELETE FROM mentions WHERE business_id = OLD.business_id AND row_id = OLD.id;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO mentions (business_id, needle, source, row_id)
    SELECT DISTINCT NEW.business_id, needle, TG_TABLE_NAME, NEW.id
    FROM unnest(TG_ARGV) AS named, LATERAL nexara.needles(to_jsonb(NEW) ->> named) AS needle;
  END IF;
  RETURN NULL;
END $$;

ALTER FUNCTION nexara.leave_remains() OWNER TO nexara_scribe;
ALTER FUNCTION nexara.leave_mentions() OWNER TO nexara_scribe;
ALTER FUNCTION nexara.needles(text) OWNER TO nexara_scribe;
REVOKE ALL ON FUNCTION nexara.leave_remains(), nexara.leave_mentions(), nexara.needles(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION nexara.needles(text) TO nexara_owner;
