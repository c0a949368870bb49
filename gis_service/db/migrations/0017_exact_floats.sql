-- A cast of a float to numeric keeps 15 digits, so an integer was told of the neighbours of floats beyond 9.2e18.
-- Those are whole numbers of 53 bits: divided by a power of two they fit in 8 bytes, and nothing is lost.
create or replace function gis.cql2_compare(whole numeric, number double precision) returns int
language plpgsql immutable strict parallel safe as $$
declare
  bits int;
begin
  if abs(number) >= 9.2e18 and abs(number) < 'infinity' then
    bits := ceil(ln(abs(number)) / ln(2.0::double precision))::int - 61;
    return sign(
      whole - (number / power(2.0::double precision, bits))::bigint::numeric * power(2::numeric, bits))::int;
  end if;
  return case
    when number = 'NaN' then -1
    when abs(number) = 'infinity' then -sign(number)::int
    when whole > floor(number)::bigint then 1
    when whole < floor(number)::bigint then -1
    when number > floor(number) then -1
    else 0
  end;
end $$;
