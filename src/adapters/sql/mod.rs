//! The record in a SQL database, SQLite or Postgres: statements apart, for each has its best; rows read alike.

mod errors;
mod migrations;
pub mod postgres;
mod read;
mod rows;
pub mod sqlite;
