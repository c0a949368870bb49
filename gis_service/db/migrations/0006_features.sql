-- The feature tables. Names and allowed values: WDPA (November 2025) in lower case, IUCN ranges, Darwin Core in
-- snake_case, and the national extension.

select gis.create_feature_table('admin_unit', 'MultiPolygon');
alter table gis.admin_unit
  add column level text not null check (level in ('country', 'province', 'district', 'commune')),
  add column code text not null check (code <> ''),
  add column parent_code text,
  add column name text not null check (name <> ''),
  add column name_en text,
  add column unit_type text,
  add column area_km2 double precision check (area_km2 >= 0),
  add column decree text,
  add column valid_from date,
  add column valid_to date,
  add column predecessor_codes text[] not null default '{}',
  add constraint admin_unit_province_code_check
    check (level <> 'province' or code ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$'),
  add constraint admin_unit_valid_to_check check (valid_to > valid_from),
  add unique nulls not distinct (dataset_id, level, code, valid_from) deferrable;
create index on gis.admin_unit (level, code);
select gis.keep_history('admin_unit');

select gis.create_feature_table('sea_area', 'MultiPolygon');
alter table gis.sea_area
  add column code text,
  add column name text not null check (name <> ''),
  add column name_en text,
  add column sea_type text check (sea_type in (
    'internal waters', 'territorial sea', 'contiguous zone', 'exclusive economic zone', 'continental shelf',
    'high seas', 'other')),
  add column iso3 text,
  add column area_km2 double precision check (area_km2 >= 0);
select gis.keep_history('sea_area');

select gis.create_feature_table('ecoregion', 'MultiPolygon');
alter table gis.ecoregion
  add column code text,
  add column name text not null check (name <> ''),
  add column name_en text,
  add column scheme text,
  add column biome text,
  add column realm text;
select gis.keep_history('ecoregion');

-- A site may have several parcels; what must be the same for all of them is here once.
create table gis.protected_site (
  dataset_id int not null references gis.dataset,
  site_id bigint not null,
  name text,
  name_eng text,
  primary key (dataset_id, site_id)
);

select gis.create_feature_table('protected_area', 'MultiPolygon');
alter table gis.protected_area
  add column site_id bigint,
  add column site_pid text,
  add column site_type text not null default 'PA' check (site_type in ('PA', 'OECM')),
  add column name_eng text,
  add column name text not null check (name <> ''),
  add column desig text,
  add column desig_eng text,
  add column desig_type text check (desig_type in ('National', 'Regional', 'International', 'Not Applicable')),
  add column iucn_cat text check (iucn_cat in (
    'Ia', 'Ib', 'II', 'III', 'IV', 'V', 'VI', 'Not Reported', 'Not Applicable', 'Not Assigned')),
  add column int_crit text,
  add column realm text check (realm in ('Terrestrial', 'Coastal', 'Marine')),
  add column rep_m_area double precision check (rep_m_area >= 0),
  add column gis_m_area double precision check (gis_m_area >= 0),
  add column rep_area double precision check (rep_area >= 0),
  add column gis_area double precision check (gis_area >= 0),
  add column no_take text check (no_take in ('All', 'Part', 'None', 'Not Reported', 'Not Applicable')),
  add column no_tk_area double precision check (no_tk_area >= 0),
  add column status text check (status in (
    'Proposed', 'Inscribed', 'Adopted', 'Designated', 'Established', 'Not Reported')),
  add column status_yr int check (status_yr = 0 or status_yr between 1819 and extract(year from current_date)),
  add column gov_type text check (gov_type in (
    'Federal or national ministry or agency', 'Sub-national ministry or agency',
    'Government-delegated management', 'Transboundary governance', 'Collaborative governance',
    'Joint governance', 'Individual landowners', 'Non-profit organisations', 'For-profit organisations',
    'Indigenous peoples', 'Local communities', 'Not Reported')),
  add column govsubtype text,
  add column own_type text check (own_type in (
    'State', 'Communal', 'Individual landowners', 'For-profit organisations', 'Non-profit organisations',
    'Joint ownership', 'Multiple ownership', 'Contested', 'Not Reported')),
  add column ownsubtype text,
  add column mang_auth text,
  add column mang_plan text,
  add column verif text check (verif in ('State Verified', 'Expert Verified', 'Not Reported')),
  add column metadataid int,
  add column prnt_iso3 text check (prnt_iso3 ~ '^[A-Z]{3,4}(;[A-Z]{3,4})*$'),
  add column iso3 text check (iso3 ~ '^[A-Z]{3,4}(;[A-Z]{3,4})*$'),
  add column supp_info text,
  add column cons_obj text,
  add column inlnd_wtrs text,
  add column oecm_asmt text,
  -- The national extension: the decision behind an area and the time for which it is in force.
  add column national_code text,
  add column national_class text check (national_class in (
    'national park', 'nature reserve', 'species and habitat conservation area', 'landscape protection area',
    'marine protected area', 'research forest', 'national botanical garden', 'national seed forest')),
  add column management_level text check (management_level in ('national', 'provincial')),
  add column decision_no text,
  add column decision_date date,
  add column decided_area_ha double precision check (decided_area_ha >= 0),
  add column management_board text,
  add column planning_period text,
  add column valid_from date,
  add column valid_to date,
  add constraint protected_area_valid_to_check check (valid_to > valid_from),
  add constraint protected_area_no_tk_area_within_rep_m_area check (no_tk_area <= rep_m_area),
  add constraint protected_area_desig_type_not_applicable
    check (desig_type <> 'Not Applicable' or status is null or status = 'Established'),
  add constraint protected_area_iucn_cat_of_oecm
    check (site_type <> 'OECM' or iucn_cat is null or iucn_cat = 'Not Applicable'),
  add constraint protected_area_status_inscribed
    check (status <> 'Inscribed' or desig_eng is null or desig_eng ilike 'World Heritage Site%'),
  add constraint protected_area_status_adopted
    check (status <> 'Adopted' or desig_eng is null or desig_eng ~* 'Mediterranean|Barcelona|SPAMI'),
  add foreign key (dataset_id, site_id) references gis.protected_site;
create index on gis.protected_area (dataset_id, site_id);
create index on gis.protected_area (site_pid);
select gis.keep_history('protected_area');

create function gis.ensure_site() returns trigger
language plpgsql set search_path = gis, pg_temp as $$
begin
  insert into gis.protected_site (dataset_id, site_id, name, name_eng)
    values (new.dataset_id, new.site_id, new.name, new.name_eng)
    on conflict (dataset_id, site_id) do update set name = excluded.name, name_eng = excluded.name_eng
    where (protected_site.name, protected_site.name_eng) is distinct from (excluded.name, excluded.name_eng);
  return new;
end $$;
create trigger d_site before insert or update of site_id, name, name_eng on gis.protected_area
  for each row when (new.site_id is not null) execute function gis.ensure_site();

select gis.create_feature_table('management_zone', 'MultiPolygon');
alter table gis.management_zone
  add column protected_area_gid bigint references gis.feature_key,
  add column site_id bigint,
  add column zone text not null check (zone in ('strict', 'restoration', 'service', 'buffer')),
  add column name text,
  add column decision_no text,
  add column decision_date date,
  add column decided_area_ha double precision check (decided_area_ha >= 0),
  add column valid_from date,
  add column valid_to date,
  add constraint management_zone_valid_to_check check (valid_to > valid_from);
create index on gis.management_zone (protected_area_gid);
create index on gis.management_zone (site_id);
select gis.keep_history('management_zone');

select gis.create_feature_table('species_range', 'MultiPolygon');
alter table gis.species_range
  add column sensitivity smallint not null default 0 check (sensitivity between 0 and 4),
  add column taxon_id text,
  add column id_no bigint,
  add column sci_name text not null check (sci_name <> ''),
  add column presence smallint check (presence between 1 and 6),
  add column origin smallint check (origin between 1 and 6),
  add column seasonal smallint check (seasonal between 1 and 5),
  add column compiler text,
  add column yrcompiled int,
  add column citation text,
  add column source text,
  add column dist_comm text,
  add column island text,
  add column subspecies text,
  add column subpop text,
  add column tax_comm text,
  add column legend text,
  add column category text check (category in ('EX', 'EW', 'CR', 'EN', 'VU', 'NT', 'LC', 'DD', 'NE')),
  add column marine boolean,
  add column terrestria boolean,
  add column freshwater boolean;
create index on gis.species_range (sci_name);
create index on gis.species_range (taxon_id);
select gis.keep_history('species_range');

select gis.create_feature_table('occurrence', 'Point');
alter table gis.occurrence
  add column sensitivity smallint not null default 0 check (sensitivity between 0 and 4),
  add column geom_public public.geometry(Point, 4326) generated always as (gis.public_point(geom, sensitivity)) stored,
  add column occurrence_id text,
  add column basis_of_record text check (basis_of_record in (
    'PreservedSpecimen', 'FossilSpecimen', 'LivingSpecimen', 'MaterialSample', 'MaterialEntity',
    'MaterialCitation', 'HumanObservation', 'MachineObservation', 'Event', 'Taxon', 'Occurrence')),
  add column event_date timestamptz,
  add column verbatim_event_date text,
  add column scientific_name text not null check (scientific_name <> ''),
  add column taxon_id text,
  add column taxon_rank text,
  add column kingdom text,
  add column phylum text,
  add column class_name text,
  add column order_name text,
  add column family text,
  add column genus text,
  add column vernacular_name text,
  add column geodetic_datum text,
  add column coordinate_uncertainty_in_meters double precision check (coordinate_uncertainty_in_meters >= 0),
  add column coordinate_precision double precision check (coordinate_precision >= 0),
  add column verbatim_coordinates text,
  add column verbatim_srs text,
  add column occurrence_status text check (occurrence_status in ('present', 'absent')),
  add column individual_count int check (individual_count >= 0),
  add column organism_quantity text,
  add column organism_quantity_type text,
  add column recorded_by text,
  add column identified_by text,
  add column event_id text,
  add column locality text,
  add column country_code text,
  add column dataset_name text,
  add column source_dataset_id text,
  add column institution_code text,
  add column collection_code text,
  add column catalog_number text,
  add column license text,
  add column rights_holder text,
  add column data_generalizations text,
  add column information_withheld text,
  add column establishment_means text,
  add column footprint_wkt text,
  add column occurrence_remarks text;
create index on gis.occurrence using gist (geom_public);
create index on gis.occurrence (scientific_name);
create index on gis.occurrence (taxon_id);
create index on gis.occurrence (event_date);
create index on gis.occurrence (event_id);
select gis.keep_history('occurrence');

create trigger b_stamp_sensitivity before insert or update on gis.species_range
  for each row execute function gis.stamp_sensitivity();
create trigger b_stamp_sensitivity before insert or update on gis.occurrence
  for each row execute function gis.stamp_sensitivity();

-- Provinces: their pieces follow the rows at once, the rights of all other rows at the end of the transaction.
create function gis.cut_province() returns trigger
language plpgsql set search_path = gis, public, pg_temp as $$
begin
  if tg_op <> 'INSERT' then
    delete from gis.province_piece where gid = old.gid;
  end if;
  if tg_op <> 'DELETE' and new.level = 'province' then
    insert into gis.province_piece (gid, code, valid_from, valid_to, geom)
      select new.gid, new.code, new.valid_from, new.valid_to, ST_Subdivide(new.geom, 128);
  end if;
  perform set_config('gis.stale_provinces', 'on', true);
  return null;
end $$;
create trigger e_cut_insert after insert on gis.admin_unit
  for each row when (new.level = 'province') execute function gis.cut_province();
create trigger e_cut_update after update on gis.admin_unit
  for each row when ((new.level = 'province' or old.level = 'province')
    and (new.level, new.code, new.valid_from, new.valid_to, new.geom)
        is distinct from (old.level, old.code, old.valid_from, old.valid_to, old.geom))
  execute function gis.cut_province();
create trigger e_cut_delete after delete on gis.admin_unit
  for each row when (old.level = 'province') execute function gis.cut_province();
create constraint trigger f_refresh_insert after insert on gis.admin_unit
  deferrable initially deferred for each row when (new.level = 'province') execute function gis.refresh_rights();
create constraint trigger f_refresh_update after update on gis.admin_unit
  deferrable initially deferred for each row when (new.level = 'province' or old.level = 'province')
  execute function gis.refresh_rights();
create constraint trigger f_refresh_delete after delete on gis.admin_unit
  deferrable initially deferred for each row when (old.level = 'province') execute function gis.refresh_rights();
