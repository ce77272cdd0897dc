-- Where the catalog and the data map disagree: a line for each thing, none when all is well. Asked by the web tier's CI,
-- at start, before sweeps and every hour.
CREATE OR REPLACE FUNCTION nexara.unmapped() RETURNS TABLE (thing text, wrong text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH map AS (
    SELECT d.entry, d.sort, d.says, d.rendered FROM nexara.data_map d
  ), elsewhere AS (
    SELECT substr(m.entry, 8) AS schema FROM map m WHERE m.sort = 'elsewhere' AND m.entry LIKE 'schema %'
  ), schemas AS (
    -- A schema that the map names as a whole is somebody else's, and described there.
    SELECT n.oid, n.nspname FROM pg_namespace n
    WHERE n.nspname NOT IN (SELECT e.schema FROM elsewhere e)
      AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
  ), tables AS (
    SELECT c.oid, s.nspname, c.relname, c.relkind, c.relowner, format('%s.%s', s.nspname, c.relname) AS name
    FROM pg_class c JOIN schemas s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'm')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ), columns AS (
    SELECT format('%s.%s', t.name, a.attname) AS name, format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable
    FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE t.name IN (SELECT m.entry FROM map m WHERE m.sort = 'table')
  ), said AS (
    SELECT m.entry, m.says ->> 'type' AS type, (m.says ->> 'nullable')::boolean AS nullable FROM map m WHERE m.sort = 'column'
  ), guards AS (
    SELECT m.entry, m.rendered FROM map m WHERE m.sort = 'guard' AND m.rendered IS NOT NULL
  ), found AS (
    SELECT g.entry, encode(sha256(convert_to(g.rendered, 'UTF8')), 'hex') AS rendered FROM nexara.guards_found() g
  )
  SELECT 'table ' || t.name, 'is not in the data map' FROM tables t
  WHERE t.name NOT IN (SELECT m.entry FROM map m WHERE m.sort = 'table') AND t.name <> 'nexara.alembic_version'
  UNION ALL
  SELECT 'table ' || m.entry, 'is in the data map and not in the database' FROM map m
  WHERE m.sort = 'table' AND m.entry NOT IN (SELECT t.name FROM tables t)
  UNION ALL
  SELECT 'column ' || coalesce(c.name, s.entry),
         CASE WHEN s.entry IS NULL THEN 'is not in the data map'
              WHEN c.name IS NULL THEN 'is in the data map and not in the database'
              WHEN c.type <> s.type THEN format('is %s, and %s in the data map', c.type, s.type)
              ELSE 'may or may not be null, and the data map says otherwise' END
  FROM columns c FULL JOIN said s ON s.entry = c.name
  WHERE s.entry IS NULL OR c.name IS NULL OR c.type <> s.type OR c.nullable <> s.nullable
  UNION ALL
  SELECT coalesce(f.entry, g.entry),
         CASE WHEN g.entry IS NULL THEN 'is none of ours' WHEN f.entry IS NULL THEN 'is gone' ELSE 'has been changed' END
  FROM found f FULL JOIN guards g ON g.entry = f.entry
  WHERE f.rendered IS DISTINCT FROM g.rendered AND coalesce(f.entry, g.entry) <> 'table nexara.alembic_version'
  UNION ALL
  SELECT 'table ' || t.name, 'belongs to ' || pg_get_userbyid(t.relowner) FROM tables t
  WHERE t.nspname = 'ledger' AND pg_get_userbyid(t.relowner) <> 'nexara_ledger'
  UNION ALL
  -- Row-level security asks the owner of a view, not who looks through it.
  SELECT DISTINCT format('view %s.%s', n.nspname, v.relname), 'shows a table of ours and is none of ours'
  FROM pg_rewrite w JOIN pg_class v ON v.oid = w.ev_class JOIN pg_namespace n ON n.oid = v.relnamespace
  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
  JOIN pg_class seen ON seen.oid = d.refobjid JOIN pg_namespace sn ON sn.oid = seen.relnamespace
  WHERE sn.nspname IN ('nexara', 'live', 'ledger') AND n.nspname NOT IN ('live', 'nexara') AND v.oid <> seen.oid
  UNION ALL
  SELECT format('function %s.%s', s.nspname, f.proname), 'runs with its owner''s rights and is none of ours'
  FROM pg_proc f JOIN schemas s ON s.oid = f.pronamespace
  WHERE f.prosecdef AND s.nspname NOT IN ('nexara', 'live', 'ledger')
    AND format('function %s.%s', s.nspname, f.proname) NOT IN (SELECT m.entry FROM map m WHERE m.sort = 'guard')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
  UNION ALL
  SELECT format('function %s.%s', s.nspname, f.proname), 'runs with the rights of ' || pg_get_userbyid(f.proowner)
  FROM pg_proc f JOIN schemas s ON s.oid = f.pronamespace
  WHERE f.prosecdef AND s.nspname = 'ledger' AND pg_get_userbyid(f.proowner) NOT IN ('nexara_ledger', 'nexara_house')
  UNION ALL
  SELECT format('publication %s', p.pubname), format('sends %s.%s out of the database', p.schemaname, p.tablename)
  FROM pg_publication_tables p WHERE p.schemaname IN ('nexara', 'ledger')
  UNION ALL
  SELECT format('foreign key %s of %s', k.conname, k.conrelid::regclass), 'points at a table of ours from outside'
  FROM pg_constraint k
  JOIN pg_class theirs ON theirs.oid = k.conrelid JOIN pg_namespace tn ON tn.oid = theirs.relnamespace
  JOIN pg_class mine ON mine.oid = k.confrelid JOIN pg_namespace mn ON mn.oid = mine.relnamespace
  WHERE k.contype = 'f' AND mn.nspname IN ('nexara', 'ledger') AND tn.nspname NOT IN ('nexara', 'ledger')
  UNION ALL
  SELECT format('foreign key %s of %s', k.conname, k.conrelid::regclass), 'deletes by itself what it points from'
  FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid
  WHERE k.contype = 'f' AND k.confdeltype = 'c' AND t.nspname IN ('nexara', 'ledger')
  UNION ALL
  SELECT format('trigger of %s', g.tgrelid::regclass), 'that holds a foreign key is switched off'
  FROM pg_trigger g JOIN tables t ON t.oid = g.tgrelid
  WHERE g.tgisinternal AND g.tgenabled <> 'O' AND t.nspname IN ('nexara', 'ledger')
  UNION ALL
  SELECT format('index %s', i.indexrelid::regclass), 'tells one business whether another has the same value'
  FROM pg_index i JOIN tables t ON t.oid = i.indrelid
  JOIN map m ON m.entry = t.name AND m.sort = 'table' AND (m.says ->> 'tenant')::boolean
  LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
  WHERE i.indisunique AND a.attname IS DISTINCT FROM 'business_id'
  ORDER BY 1, 2
$$;
ALTER FUNCTION nexara.unmapped() OWNER TO nexara_owner;
REVOKE ALL ON FUNCTION nexara.unmapped() FROM PUBLIC;
GRANT USAGE ON SCHEMA nexara TO nexara_worker, nexara_dashboard;
GRANT EXECUTE ON FUNCTION nexara.unmapped() TO nexara_web, nexara_worker, nexara_dashboard, tenant_job;
