//! The route that the client keys guard: the list of the walk-through.

use axum::Json;
use serde_json::{Value, json};

pub async fn apps() -> Json<Value> {
    Json(json!([
        { "id": 1, "user_id": 1, "name": "ba6811fb3e073d" },
        { "id": 2, "user_id": 1, "name": "0f3c1f8e5d9a42" },
    ]))
}
