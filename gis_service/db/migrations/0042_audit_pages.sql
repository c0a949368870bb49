-- The log is read by pages from its end, by who and by what; and one's own keys by name.
create index on gis.audit (actor, seq);
create index on gis.audit (subject text_pattern_ops, seq);
