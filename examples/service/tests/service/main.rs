mod database;
mod dotenv;
mod harness;
mod list;
mod tls;
