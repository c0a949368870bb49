-- Monitoring: programme, design, stratum, plot, visit (Darwin Core Event with the Humboldt extension),
-- measurement (eMoF); rasters with their legends; targets with their definitions.

create table gis.programme (
  programme_id int generated always as identity primary key,
  code text not null unique,
  title text not null check (title <> ''),
  title_vi text,
  purpose text,
  organisation_id int references gis.organisation,
  dataset_id int references gis.dataset,
  started date,
  ended date,
  constraint programme_ended_check check (ended >= started)
);

create table gis.design (
  design_id int generated always as identity primary key,
  programme_id int not null references gis.programme,
  code text not null,
  title text not null check (title <> ''),
  frame text,
  frame_area_km2 double precision check (frame_area_km2 > 0),
  selection_method text check (selection_method in (
    'simple random', 'stratified random', 'systematic', 'cluster', 'probability proportional to size',
    'opportunistic', 'census')),
  inclusion_probability double precision check (inclusion_probability > 0 and inclusion_probability <= 1),
  plot_shape text check (plot_shape in ('square', 'rectangle', 'circle', 'line', 'point', 'other')),
  plot_area_m2 double precision check (plot_area_m2 > 0),
  plots_per_cluster int check (plots_per_cluster > 0),
  revisit_months int check (revisit_months > 0),
  unique (programme_id, code)
);

-- Estimates weigh strata by the areas of their frames.
create table gis.stratum (
  stratum_id int generated always as identity primary key,
  design_id int not null references gis.design,
  code text not null,
  title text not null check (title <> ''),
  title_vi text,
  frame_area_km2 double precision not null check (frame_area_km2 > 0),
  planned_plots int check (planned_plots >= 0),
  unique (design_id, code)
);

select gis.create_feature_table('plot', 'Point');
alter table gis.plot
  add column geom_public public.geometry(Point, 4326) generated always as (gis.cell_centre(geom, 10)) stored,
  add column location_id text,
  add column name text,
  add column plot_type text check (plot_type in (
    'plot', 'subplot', 'transect', 'camera trap', 'point count', 'listening post', 'trap', 'other')),
  add column design_id int references gis.design,
  add column stratum_id int references gis.stratum,
  add column stratum text,
  add column cluster text,
  add column shape text check (shape in ('square', 'rectangle', 'circle', 'line', 'point', 'other')),
  add column area_m2 double precision check (area_m2 >= 0),
  add column elevation_m double precision,
  add column habitat text,
  add column status text check (status in ('planned', 'active', 'paused', 'closed', 'lost')),
  add column established date,
  add column closed date,
  add column last_visit date,
  add column next_due date,
  add column observer text,
  add column locality text,
  add column footprint_wkt text,
  add constraint plot_closed_check check (closed >= established);
create index on gis.plot using gist (geom_public);
create index on gis.plot (stratum_id);
create index on gis.plot (design_id);
create index on gis.plot (location_id);
select gis.keep_history('plot');

create table gis.visit (
  visit_id bigint generated always as identity primary key,
  dataset_id int not null references gis.dataset,
  plot_gid bigint references gis.feature_key,
  event_id text not null,
  parent_event_id text,
  event_type text,
  event_date date,
  event_date_end date,
  location_id text,
  sampling_protocol text,
  sample_size_value double precision check (sample_size_value >= 0),
  sample_size_unit text,
  sampling_effort text,
  habitat text,
  footprint_wkt text,
  event_remarks text,
  site_count int check (site_count >= 0),
  total_area_sampled_value double precision check (total_area_sampled_value >= 0),
  total_area_sampled_unit text,
  geospatial_scope_area_value double precision check (geospatial_scope_area_value >= 0),
  geospatial_scope_area_unit text,
  target_taxonomic_scope text,
  excluded_taxonomic_scope text,
  is_taxonomic_scope_fully_reported boolean,
  taxon_completeness_reported text,
  is_absence_reported boolean,
  absent_taxa text,
  has_non_target_taxa boolean,
  inventory_types text,
  protocol_names text,
  protocol_references text,
  is_abundance_reported boolean,
  is_vegetation_cover_reported boolean,
  is_sampling_effort_reported boolean,
  sampling_effort_value double precision check (sampling_effort_value >= 0),
  sampling_effort_unit text,
  sampling_effort_protocol text,
  sampling_performed_by text,
  target_habitat_scope text,
  event_duration_value double precision check (event_duration_value >= 0),
  event_duration_unit text,
  has_vouchers boolean,
  extra jsonb,
  unique (dataset_id, event_id),
  constraint visit_event_date_end_check check (event_date_end >= event_date),
  constraint visit_sample_size_unit_check check (sample_size_value is null or sample_size_unit is not null)
);
create index on gis.visit (plot_gid);
create index on gis.visit (event_date);

-- The value as it was reported, and as a number where it is one.
create function gis.number_of(value text) returns double precision
language sql immutable strict parallel safe
return case when value ~ '^\s*[+-]?(\d{1,15}(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?\s*$' then value::double precision end;

create table gis.measurement (
  measurement_key bigint generated always as identity primary key,
  dataset_id int not null references gis.dataset,
  visit_id bigint references gis.visit on delete cascade,
  occurrence_gid bigint references gis.feature_key,
  measurement_id text not null,
  event_id text,
  occurrence_id text,
  organism_id text,
  scientific_name text,
  measurement_type text not null check (measurement_type <> ''),
  measurement_type_id text,
  measurement_value text not null,
  measurement_number double precision generated always as (gis.number_of(measurement_value)) stored,
  measurement_unit text,
  measurement_unit_id text,
  measurement_method text,
  measurement_determined_date date,
  measurement_determined_by text,
  measurement_remarks text,
  extra jsonb,
  unique (dataset_id, measurement_id),
  constraint measurement_belongs_check check (visit_id is not null or occurrence_gid is not null)
);
create index on gis.measurement (visit_id, measurement_type);
create index on gis.measurement (occurrence_gid);

create table gis.raster (
  raster_id int generated always as identity primary key,
  dataset_id int not null references gis.dataset,
  slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9._-]{0,99}$'),
  title text not null check (title <> ''),
  title_vi text,
  product text not null check (product <> ''),
  year int check (year between 1900 and 2200),
  path text,
  url text,
  kind text not null check (kind in ('classes', 'continuous')),
  unit text,
  srid int,
  resolution double precision check (resolution > 0),
  resolution_unit text check (resolution_unit in ('degree', 'metre')),
  nodata double precision,
  checksum text check (checksum ~ '^[0-9a-f]{64}$'),
  footprint public.geometry(MultiPolygon, 4326),
  constraint raster_path_check check (path is not null or url is not null)
);
create index on gis.raster using gist (footprint);

create table gis.raster_class (
  raster_id int not null references gis.raster on delete cascade,
  value int not null,
  label text not null check (label <> ''),
  label_vi text,
  colour text check (colour ~ '^#[0-9a-f]{6}$'),
  class_group text,
  primary key (raster_id, value)
);

-- The same percentage means different things in different decisions, so no target stands without its definition.
create table gis.target (
  target_id int generated always as identity primary key,
  code text not null unique,
  title text not null check (title <> ''),
  title_vi text,
  definition text not null check (definition <> ''),
  definition_vi text,
  value double precision not null,
  value_to double precision,
  unit text not null check (unit in ('percent', 'hectare', 'km2', 'count')),
  year int not null check (year between 1900 and 2200),
  decision text,
  decision_date date,
  source text not null check (source <> ''),
  constraint target_value_to_check check (value_to >= value)
);

-- Functions are for the owner. Restricted roles get what they need by name.
revoke execute on all functions in schema gis from public;
grant execute on function gis.my_jurisdictions() to gis_public, gis_full, gis_jurisdiction;
