-- Notices by mail. A step of a proposal and the notice of it stand together or not at all; a worker addresses it to
-- those whom it concerns and sends what is due, at least once.

alter table gis.principal add column notices boolean not null default true;

-- Steps of which nobody has been told yet.
create table gis.notice (
  event_id bigint primary key references gis.proposal_event
);

-- One person, one step. What was sent stays a while, so that nothing is addressed twice.
create table gis.mail (
  mail_id bigint generated always as identity primary key,
  principal_id int not null references gis.principal on delete cascade,
  event_id bigint not null references gis.proposal_event,
  made_at timestamptz not null default clock_timestamp(),
  attempts int not null default 0,
  next_at timestamptz not null default clock_timestamp(),
  claimed_until timestamptz,
  sent_at timestamptz,
  given_up_at timestamptz,
  fault text,
  unique (principal_id, event_id),
  constraint mail_ended_once check (num_nonnulls(sent_at, given_up_at) <= 1)
);
create index on gis.mail (next_at) where sent_at is null and given_up_at is null;
create index on gis.mail (made_at);

create function gis.note_event() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  insert into gis.notice (event_id) values (new.event_id);
  return null;
end $$;
create trigger note after insert on gis.proposal_event
  for each row when (new.action in (
    'submit', 'accept', 'approve', 'publish', 'return', 'reject', 'comment', 'refuse', 'rollback'))
  execute function gis.note_event();
revoke execute on function gis.note_event() from public;

-- The key that opens the address in a mail at which its reader ends them; of nothing else.
insert into gis.secret (name, value)
  values ('notices', sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));
