-- Keys that all processes share and nobody else reads: no role of a policy class is granted anything here.
-- Two random UUIDs hold 244 random bits; their hash spreads them over all 32 bytes.
create table gis.secret (
  name text primary key,
  value bytea not null check (octet_length(value) >= 32),
  made_at timestamptz not null default now()
);
revoke all on gis.secret from public;
insert into gis.secret (name, value)
  values ('paging', sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));
