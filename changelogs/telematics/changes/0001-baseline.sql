--liquibase formatted sql

--changeset telematics:vehicle-positions
create table vehicle_positions (
  vehicle_id bigint not null references vehicles (id),
  at timestamptz not null,
  lat double precision not null,
  lon double precision not null,
  speed_kmh real,
  primary key (vehicle_id, at)
);
--rollback drop table vehicle_positions;
