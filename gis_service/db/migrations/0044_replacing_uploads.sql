-- A file may be sent in the place of a draft, its author's own: the draft is withdrawn in the transaction that makes the
-- new one, so that there is always exactly one of them.

alter table gis.upload add column replaces bigint references gis.proposal;
