-- What the catalog says of everything that guards the tables, each thing in PostgreSQL's own words. With nothing but
-- pg_catalog on the path every name is written in full, so that the words do not depend on who asks.
CREATE OR REPLACE FUNCTION nexara.guards_found() RETURNS TABLE (entry text, rendered text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH ours AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relowner, c.relacl, c.reloptions, c.relrowsecurity, c.relforcerowsecurity
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('nexara', 'live') AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  ), rights AS (
    SELECT o.oid, string_agg(concat_ws(' ', part.of, pg_get_userbyid(acl.grantee), acl.privilege_type), ', '
             ORDER BY part.of, pg_get_userbyid(acl.grantee), acl.privilege_type) AS told
    FROM ours o
    CROSS JOIN LATERAL (
      SELECT '' AS of, o.relacl AS acl
      UNION ALL
      SELECT a.attname::text, a.attacl FROM pg_attribute a WHERE a.attrelid = o.oid AND a.attacl IS NOT NULL
    ) part
    CROSS JOIN LATERAL aclexplode(part.acl) acl
    WHERE acl.grantee <> o.relowner
    GROUP BY o.oid
  )
  SELECT format('table %s.%s', nspname, relname),
         concat_ws(' ', pg_get_userbyid(relowner), 'rls', relrowsecurity, 'forced', relforcerowsecurity)
  FROM ours WHERE relkind IN ('r', 'p') AND nspname = 'nexara'
  UNION ALL
  SELECT format('view %s.%s', o.nspname, o.relname),
         concat_ws(' ', pg_get_userbyid(o.relowner), o.relkind, o.reloptions::text, pg_get_viewdef(o.oid), r.told)
  FROM ours o LEFT JOIN rights r USING (oid) WHERE o.relkind NOT IN ('r', 'p')
  UNION ALL
  SELECT format('rights %s.%s', o.nspname, o.relname), r.told
  FROM ours o JOIN rights r USING (oid) WHERE o.relkind IN ('r', 'p')
  UNION ALL
  SELECT format('policy %s.%s %s', o.nspname, o.relname, p.polname),
         concat_ws(' ', p.polcmd, p.polpermissive, (
           SELECT string_agg(CASE role WHEN 0 THEN 'public' ELSE pg_get_userbyid(role)::text END, ',' ORDER BY role)
           FROM unnest(p.polroles) role
         ), pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid))
  FROM pg_policy p JOIN ours o ON o.oid = p.polrelid
  UNION ALL
  SELECT format('trigger %s.%s %s', o.nspname, o.relname, t.tgname), concat_ws(' ', t.tgenabled, pg_get_triggerdef(t.oid))
  FROM pg_trigger t JOIN ours o ON o.oid = t.tgrelid WHERE NOT t.tgisinternal
  UNION ALL
  SELECT format('check %s.%s %s', o.nspname, o.relname, k.conname), concat_ws(' ', k.convalidated, pg_get_constraintdef(k.oid))
  FROM pg_constraint k JOIN ours o ON o.oid = k.conrelid
  WHERE k.contype = 'c' AND EXISTS (
    SELECT FROM pg_attribute a
    WHERE a.attrelid = k.conrelid AND k.conkey = ARRAY[a.attnum] AND a.atttypid IN ('json'::regtype, 'jsonb'::regtype))
  UNION ALL
  SELECT format('statistics %s.%s', o.nspname, o.relname), string_agg(a.attname, ', ' ORDER BY a.attname)
  FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid
  WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget = 0
  GROUP BY o.nspname, o.relname
  UNION ALL
  SELECT format('rule %s.%s %s', o.nspname, o.relname, w.rulename), pg_get_ruledef(w.oid)
  FROM pg_rewrite w JOIN ours o ON o.oid = w.ev_class WHERE w.rulename <> '_RETURN'
  UNION ALL
  SELECT format('function %s.%s', n.nspname, f.proname),
         string_agg(concat_ws(' ', pg_get_userbyid(f.proowner), f.proacl::text,
                              CASE WHEN f.prokind IN ('f', 'p') THEN pg_get_functiondef(f.oid) ELSE 'aggregate' END),
                    ' ' ORDER BY f.oid)
  FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace WHERE n.nspname IN ('nexara', 'live')
     OR f.prosecdef AND n.nspname <> 'ledger' AND pg_get_userbyid(f.proowner) LIKE 'nexara\_%'
  GROUP BY n.nspname, f.proname
$$;
ALTER FUNCTION nexara.guards_found() OWNER TO nexara_owner;
REVOKE ALL ON FUNCTION nexara.guards_found() FROM PUBLIC;
