//! The host's side: writes the memory map, turns tests/vectors.json into a table, and issues tokens that the device has
//! never seen.

use client_keys::{ClientSecret, KeyId, issue};
use serde_json::Value;
use std::{env, error::Error, fmt::Write, fs, path::PathBuf};

const VECTORS: &str = "../../tests/vectors.json";
/// The Stellaris LM3S6965, as QEMU emulates it.
const MEMORY: &str = "MEMORY { FLASH : ORIGIN = 0, LENGTH = 256K RAM : ORIGIN = 0x20000000, LENGTH = 64K }";
/// Ids in the list of each secret. Two of its tokens have the first and the last id, and a third is unlisted.
const LISTED: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("memory.x"), MEMORY)?;
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg=-Tlink.x");
    println!("cargo:rerun-if-changed={VECTORS}");
    println!("cargo:rerun-if-changed=build.rs");

    let vectors: Value = serde_json::from_str(&fs::read_to_string(VECTORS)?)?;
    let mut table = vector_groups(&vectors)?;
    writeln!(table, "pub static HOSTS: [Host; 2] = [")?;
    for _ in 0..2 {
        table += &host()?;
    }
    table += "];\n";
    fs::write(out.join("table.rs"), table)?;
    Ok(())
}

fn vector_groups(vectors: &Value) -> Result<String, Box<dyn Error>> {
    let mut table = String::from("pub static GROUPS: &[Group] = &[\n");
    for group in list(&vectors["testGroups"])? {
        writeln!(table, "Group {{ secret: {:?}, allowed: &[", text(&group["secret"])?)?;
        for id in list(&group["allowed"])? {
            write!(table, "{}, ", key_id(text(id)?.parse()?))?;
        }
        table += "], tests: &[\n";
        for test in list(&group["tests"])? {
            let id = || -> Result<String, Box<dyn Error>> { Ok(key_id(text(&test["keyId"])?.parse()?)) };
            let expected = match text(&test["result"])? {
                "accepted" => format!("Ok({})", id()?),
                "unlisted" => format!("Err(VerifyError::Unlisted({}))", id()?),
                "inauthentic" => "Err(VerifyError::Inauthentic)".into(),
                "malformed" => "Err(VerifyError::Malformed)".into(),
                other => return Err(other.into()),
            };
            let nonce = match test["nonce"].as_str() {
                Some(digits) => format!("Some({:?})", bytes(digits)?),
                None => "None".into(),
            };
            writeln!(
                table,
                "Test {{ id: {}, token: {:?}, expected: {expected}, nonce: {nonce} }},",
                test["tcId"],
                text(&test["token"])?
            )?;
        }
        table += "] },\n";
    }
    table += "];\n";
    Ok(table)
}

/// A secret, a list, and tokens for the first and the last id of the list and for one that is not in it.
fn host() -> Result<String, Box<dyn Error>> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let client_secret = ClientSecret::from_bytes(&secret);
    let issued = || issue(&client_secret, &mut getrandom::SysRng);
    let (first, last, unlisted) = (issued()?, issued()?, issued()?);
    let mut allowed = vec![first.key_id];
    for _ in 2..LISTED {
        allowed.push(issued()?.key_id);
    }
    allowed.push(last.key_id);

    let allowed: Vec<_> = allowed.into_iter().map(key_id).collect();
    Ok(format!(
        "Host {{ secret: {secret:?}, allowed: [{}], first: *b{:?}, last: *b{:?}, unlisted: *b{:?}, unlisted_id: {} }},\n",
        allowed.join(", "),
        first.key_access_token.as_str(),
        last.key_access_token.as_str(),
        unlisted.key_access_token.as_str(),
        key_id(unlisted.key_id),
    ))
}

fn key_id(id: KeyId) -> String {
    format!("KeyId::from_bytes({:?})", id.to_bytes())
}

fn bytes(digits: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    (0..digits.len())
        .step_by(2)
        .map(|at| Ok(u8::from_str_radix(&digits[at..at + 2], 16)?))
        .collect()
}

fn text(value: &Value) -> Result<&str, Box<dyn Error>> {
    value.as_str().ok_or_else(|| format!("{value} is not a string").into())
}

fn list(value: &Value) -> Result<&Vec<Value>, Box<dyn Error>> {
    value.as_array().ok_or_else(|| format!("{value} is not a list").into())
}
