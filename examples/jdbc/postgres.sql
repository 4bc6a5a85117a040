-- Where the example for PostgreSQL writes: psql -U postgres -f postgres.sql
CREATE ROLE mover LOGIN PASSWORD 'mover-secret';
CREATE DATABASE warehouse OWNER mover;
