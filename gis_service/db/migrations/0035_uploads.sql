-- Files that people send to have them made into proposals. The bytes stay until a worker has read them; reading and
-- drafting are one transaction with the upload's own end, so that a worker that is killed loses and doubles nothing.

create table gis.upload (
  upload_id uuid primary key default gen_random_uuid(),
  author text not null check (author <> ''),
  layer text not null,
  organisation text,
  title text not null check (title <> ''),
  note text,
  filename text not null check (filename <> ''),
  id_column text not null default 'id',
  crs text,
  lang text not null default 'en',
  content bytea,
  size bigint not null check (size > 0),
  state text not null default 'waiting' check (state in ('waiting', 'drafted', 'refused')),
  attempts int not null default 0,
  proposal_id bigint references gis.proposal,
  problem jsonb,
  created_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  constraint upload_holds_together check (
    (content is not null) = (state = 'waiting') and (proposal_id is not null) = (state = 'drafted')
    and (problem is not null) = (state = 'refused') and (ended_at is null) = (state = 'waiting'))
);
alter table gis.upload alter column content set storage external;  -- files are packed already
create index on gis.upload (author, created_at);
create index on gis.upload (created_at) where state = 'waiting';
