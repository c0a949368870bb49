"""Notices: steps that nobody has been told of, and the mails of them that are due."""

from __future__ import annotations

from typing import Final

# Takes steps out of the list; a transaction that fails puts them back.
TAKE: Final = """
    with taken as (
      delete from gis.notice where event_id in (
        select event_id from gis.notice order by event_id limit $1 for update skip locked)
      returning event_id)
    select e.event_id, e.who, e.action, e.proposal_id
      from gis.proposal_event e join taken using (event_id) order by e.event_id
"""
FORGET: Final = "with gone as (delete from gis.notice returning 1) select count(*)::int from gone"
REVIEWERS: Final = """
    select a.name, a.tier, a.jurisdictions, a.organisation, a.grants::text
      from gis.account a join gis.principal p using (principal_id)
     where p.notices and p.email is not null and p.locked_at is null
       and exists (select from gis.grant_now g where g.principal_id = p.principal_id and g.role = 'reviewer')
     order by a.name
"""
# What one has done oneself needs no notice.
ADDRESS: Final = """
    with made as (
      insert into gis.mail (principal_id, event_id, next_at)
      select p.principal_id, e.event_id, clock_timestamp() + make_interval(secs => $3)
        from gis.principal p join gis.proposal_event e on e.event_id = $1
       where p.name = any ($2::text[]) and p.name <> e.who
         and p.notices and p.email is not null and p.locked_at is null
      on conflict do nothing returning 1)
    select count(*)::int from made
"""
_OPEN = "m.sent_at is null and m.given_up_at is null"
_FREE = "(m.claimed_until is null or m.claimed_until < clock_timestamp())"
# All that waits for the person who waits longest, held for as long as a server may take.
CLAIM: Final = f"""
    with who as (
      select m.principal_id from gis.mail m
       where {_OPEN} and {_FREE} and m.next_at <= clock_timestamp()
       order by m.next_at, m.mail_id limit 1),
    taken as (
      select m.mail_id from gis.mail m join who using (principal_id)
       where {_OPEN} and {_FREE} order by m.mail_id limit $1 for update of m skip locked),
    held as (
      update gis.mail m set claimed_until = clock_timestamp() + interval '5 minutes', attempts = attempts + 1
        from taken where m.mail_id = taken.mail_id
      returning m.mail_id, m.principal_id, m.event_id, m.attempts, m.made_at)
    select h.mail_id, h.attempts, h.made_at, p.principal_id, p.name, p.email, p.language,
           p.notices and p.email is not null and p.locked_at is null,
           e.proposal_id, e.action, e.who, coalesce(w.display_name, e.who), e.at
      from held h join gis.principal p using (principal_id) join gis.proposal_event e using (event_id)
      left join gis.principal w on w.name = e.who
     order by e.event_id
"""
SENT: Final = """
    update gis.mail set sent_at = clock_timestamp(), claimed_until = null, fault = null
     where mail_id = any ($1::bigint[]) returning mail_id
"""
# Those that have waited too long, or that no further try would help, are given up.
FAILED: Final = """
    update gis.mail
       set fault = $2, claimed_until = null,
           given_up_at = case when $4 or made_at < clock_timestamp() - make_interval(days => $5)
                              then clock_timestamp() end,
           next_at = clock_timestamp() + make_interval(secs => $3)
     where mail_id = any ($1::bigint[]) returning mail_id, given_up_at is not null
"""
DROP: Final = "delete from gis.mail where mail_id = any ($1::bigint[]) returning mail_id"
OLD: Final = """
    with gone as (
      delete from gis.mail m where m.made_at < clock_timestamp() - make_interval(days => $1)
         and num_nonnulls(m.sent_at, m.given_up_at) = 1 returning 1)
    select count(*)::int from gone
"""
KEY: Final = "select value from gis.secret where name = 'notices'"
STATE: Final = """
    select p.notices, p.email,
           count(m.given_up_at)::int,
           count(m.mail_id) filter (where m.sent_at is null and m.given_up_at is null)::int
      from gis.principal p left join gis.mail m using (principal_id)
     where p.name = $1 group by p.principal_id
"""
SWITCH: Final = "update gis.principal set notices = $2 where name = $1 and notices <> $2 returning name"
END: Final = "update gis.principal set notices = false where principal_id = $1 returning name"
