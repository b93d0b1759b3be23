--liquibase formatted sql

--changeset telematics:vehicle-positions
CREATE TABLE vehicle_positions (
  vehicle_id NUMBER(19) NOT NULL CONSTRAINT vehicle_positions_vehicle_id_fk REFERENCES vehicles (id),
  recorded_at TIMESTAMP(3) NOT NULL,
  lat NUMBER(9,6) NOT NULL,
  lon NUMBER(9,6) NOT NULL,
  speed_kmh NUMBER(5,1),
  CONSTRAINT vehicle_positions_pk PRIMARY KEY (vehicle_id, recorded_at)
);
--rollback DROP TABLE vehicle_positions;
