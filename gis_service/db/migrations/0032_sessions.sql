-- Sessions of persons at pages, sign-ins under way at an issuer of OpenID Connect, and the issuer's names for accounts.

-- A session is open until it is ended, its day is over, or nobody has used it for a while. One that was opened by a
-- key ends with the key and may do what the key may. `seen_at` moves once a minute and isn't told by the log.
create table gis.session (
  session_id bigint generated always as identity primary key,
  sha256 bytea not null unique check (octet_length(sha256) = 32),
  principal_id int not null references gis.principal,
  method text not null check (method in ('key', 'oidc', 'invitation')),
  key_id int references gis.api_key,
  client text not null,
  created_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp(),
  idle interval not null check (idle > '0'),
  expires_at timestamptz not null,
  ended_at timestamptz,
  constraint session_key_check check ((method = 'key') = (key_id is not null)),
  constraint session_expires_check check (expires_at > created_at)
);
create index on gis.session (principal_id);
create index on gis.session (key_id);
revoke all on gis.session from public;

-- What is open now, with what its requests may do. Whoever asks looks at the clock: nothing has to run.
create view gis.session_now as
  select s.session_id, s.sha256, s.principal_id, s.method, s.client, s.created_at, s.seen_at, s.expires_at,
         coalesce(k.scopes, '{read,edit,review,administer}') as scopes,
         a.name, a.tier, a.jurisdictions, a.organisation, a.grants, a.display_name
    from gis.session s
    join gis.account a using (principal_id)
    left join gis.api_key k using (key_id)
   where num_nonnulls(s.ended_at, a.locked_at, k.revoked_at) = 0
     and s.expires_at > clock_timestamp()
     and s.seen_at + s.idle > clock_timestamp()
     and (k.expires_at is null or k.expires_at > clock_timestamp());
revoke all on gis.session_now from public;

-- A sign-in that went to the issuer and has not come back. Whoever brings the state takes the row away with it, so
-- that state, nonce and verifier are good once, at whichever worker. Good for minutes: it needn't outlive a crash.
create unlogged table gis.sign_in (
  state bytea primary key check (octet_length(state) = 32),
  browser bytea not null check (octet_length(browser) = 32),
  issuer text not null,
  nonce text not null,
  verifier text not null,
  redirect text not null,
  next text not null,
  expires_at timestamptz not null
);
create index on gis.sign_in (expires_at);
revoke all on gis.sign_in from public;

-- By which name an issuer knows an account. The subject never changes hands; an address may.
create table gis.identity (
  issuer text not null check (issuer <> ''),
  subject text not null check (subject <> ''),
  principal_id int not null references gis.principal,
  linked_at timestamptz not null default clock_timestamp(),
  primary key (issuer, subject),
  unique (principal_id, issuer)
);
revoke all on gis.identity from public;

select gis.audit_table('gis.session', 'session', 'session_id', 'principal_id method key_id expires_at ended_at',
                       'sha256 principal_id method key_id idle expires_at ended_at', 'ended_at:ended');
select gis.audit_table('gis.identity', 'identity', 'subject', 'issuer principal_id linked_at');
