-- For how many years each country wants billing records kept, from the end of the calendar year. None of this is advice:
-- counsel confirms it. What was looked up says so; the rest is what is commonly said, and nobody has checked it yet.
INSERT INTO nexara.keep_periods (reason, country, years, looked_up) VALUES
  ('billing', 'DE', 8, true),    -- invoices, since 2025 (BEG IV); books and annual accounts 10, letters 6
  ('billing', 'FR', 10, true),   -- commercial law; tax law 6
  ('billing', 'IT', 10, true),
  ('billing', 'AE', 5, true),
  ('billing', 'AU', 5, true),
  ('billing', 'GB', 6, false),
  ('billing', 'ES', 6, false),   -- commercial law; tax law 4
  ('billing', 'NL', 7, false),
  ('billing', 'IE', 6, false),
  ('billing', 'AT', 7, false),
  ('billing', 'SE', 7, false),
  ('billing', 'BE', 10, false),  -- was 7
  ('billing', 'PL', 5, false);
