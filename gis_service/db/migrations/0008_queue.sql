-- The queue: procrastinate's own schema in gis_queue, inserted from the installed package, whose version must be
-- the one named here. A newer version brings its changes as a further migration.
create schema if not exists gis_queue;
set local search_path = gis_queue, public;
set local client_min_messages = warning;

-- insert: procrastinate 3.10.0
reset search_path;
reset client_min_messages;
