mod database;
mod harness;
mod list;
