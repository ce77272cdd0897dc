-- A business whose product events are past their age: a second between two.
INSERT INTO nexara.businesses (id, name, industry, country, zone) VALUES ('${business}', 'B', 'b', 'GB', 'UTC');
INSERT INTO nexara.users (id, email) VALUES ('${business}', '${business}@example.com');
INSERT INTO nexara.members (business_id, user_id, name, role) VALUES ('${business}', '${business}', 'M', 'owner');
INSERT INTO nexara.product_events (business_id, member_id, name, props, at)
SELECT m.business_id, m.id, 'page_opened', '{"page": "calls"}', now() - interval '500 days' - n * interval '1 s'
FROM nexara.members m CROSS JOIN generate_series(1, ${rows}) n WHERE m.business_id = '${business}';
