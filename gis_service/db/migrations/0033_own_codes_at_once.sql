-- The codes of the role that asks, with a plan that is kept for the session: a function of SQL is planned anew each time
-- it's called, which took 65 µs of every statement of a province in place of 14.
create or replace function gis.my_jurisdictions() returns text[]
language plpgsql stable security definer parallel safe set search_path = gis, pg_catalog, pg_temp as $$
begin
  return (
    select coalesce(array_agg(code order by code), '{}')
      from gis.role_jurisdiction
     where role = case current_setting('role') when 'none' then session_user::name
                  else current_setting('role')::name end);
end $$;
