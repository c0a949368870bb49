"""Files on their way to a proposal: kept, taken by one worker at a time, ended once."""

from __future__ import annotations

from typing import Final

MOST_ATTEMPTS: Final = 3
MOST_WAITING: Final = 5  # of one person

# Nothing where the author has as many waiting as it may.
KEEP: Final = """
    insert into gis.upload
      (author, layer, organisation, title, note, filename, id_column, crs, lang, content, size, replaces)
    select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10::bytea, octet_length($10::bytea), $11
     where (select count(*) from gis.upload u where u.author = $1 and u.state = 'waiting') < $12
    returning upload_id::text
"""
# An attempt is counted before it is made: a file that kills its worker is given up in the end.
BEGIN: Final = """
    update gis.upload set attempts = attempts + 1
     where upload_id = (select upload_id from gis.upload where state = 'waiting' and attempts < $1
                         order by created_at for update skip locked limit 1)
    returning upload_id::text
"""
TAKE: Final = """
    select author, layer, organisation, title, note, filename, id_column, crs, lang, content,
           replaces
      from gis.upload where upload_id = $1::uuid and state = 'waiting' for update skip locked
"""
DRAFTED: Final = """
    update gis.upload set state = 'drafted', proposal_id = $2, content = null, ended_at = clock_timestamp()
     where upload_id = $1::uuid returning 1
"""
REFUSED: Final = """
    update gis.upload set state = 'refused', problem = $2::jsonb, content = null, ended_at = clock_timestamp()
     where upload_id = $1::uuid and state = 'waiting' returning 1
"""
GIVEN_UP: Final = """
    update gis.upload set state = 'refused', problem = $1::jsonb, content = null, ended_at = clock_timestamp()
     where state = 'waiting' and attempts >= $2
       and pg_try_advisory_xact_lock(hashtextextended('gis.upload ' || upload_id, 0))
    returning upload_id::text
"""
HOLD: Final = "select pg_advisory_xact_lock(hashtextextended('gis.upload ' || $1, 0))"
ONE: Final = """
    select upload_id::text, layer, title, filename, size, state, proposal_id, problem::text, created_at,
           ended_at, replaces
      from gis.upload where upload_id = $1::uuid and author = $2
"""
LIST: Final = """
    select upload_id::text, layer, title, filename, size, state, proposal_id, problem::text, created_at,
           ended_at, replaces
      from gis.upload where author = $1 and (state <> 'drafted') order by created_at desc limit $2
"""
