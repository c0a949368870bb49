-- Sessions that are over stay in the table, for the log names them; those that are open are found by their end. An
-- index serves now() and not clock_timestamp(): who asks for open sessions asks in a statement of its own.
create index session_open on gis.session (expires_at) where ended_at is null;
create or replace view gis.session_now as
  select s.session_id, s.sha256, s.principal_id, s.method, s.client, s.created_at, s.seen_at, s.expires_at,
         coalesce(k.scopes, '{read,edit,review,administer}') as scopes,
         a.name, a.tier, a.jurisdictions, a.organisation, a.grants, a.display_name
    from gis.session s
    join gis.account a using (principal_id)
    left join gis.api_key k using (key_id)
   where s.ended_at is null and s.expires_at > now()
     and num_nonnulls(a.locked_at, k.revoked_at) = 0
     and s.seen_at + s.idle > now()
     and (k.expires_at is null or k.expires_at > now());
