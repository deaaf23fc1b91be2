//! Prints as Markdown whether each goal is met and how long every contestant takes, and draws the two pictures.
//! The arguments are ratios that `flags` measured in other builds; `run` passes them.

#[path = "../../../tests/common/allocations.rs"]
mod counter;
mod limits;
mod measure;
mod own;
mod peers;
mod pictures;
#[path = "../../raw/mod.rs"]
mod raw;

use measure::{Subject, Times};
use own::{LISTS, LONGEST};
use pictures::Bar;
use std::collections::BTreeMap;

const ROUNDS: usize = 4000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ratios: Vec<f64> = std::env::args()
        .skip(1)
        .map(|ratio| ratio.parse())
        .collect::<Result<_, _>>()?;
    let [crate_unit, tuned, tuned_scan] = ratios[..] else {
        return Err(
            "usage: peers <verify / aes-gcm in the crate-unit build> <verify / ring, tuned> <scan / sum, tuned>".into(),
        );
    };
    let mut subjects = own::subjects();
    subjects.extend(limits::subjects());
    subjects.extend(peers::subjects());
    let times = measure::measure(&mut subjects, ROUNDS);

    let allocations: Allocations = subjects.iter_mut().map(allocations_of_one_call).collect();

    goals(&times, &allocations, [crate_unit, tuned, tuned_scan]);
    contestants(&times, &allocations)?;
    lists(&times)
}

/// Heap allocations of one call, by subject.
type Allocations = BTreeMap<String, u64>;

fn allocations_of_one_call(subject: &mut Subject) -> (String, u64) {
    (subject.name.clone(), counter::allocations(|| subject.repeat(1)))
}

fn goals(times: &Times, allocations: &Allocations, [crate_unit, tuned, tuned_scan]: [f64; 3]) {
    let list = format!("list {LONGEST}");
    let sum = format!("sum {LONGEST}");
    let by_name = |a: &&&str, b: &&&str| times.nanoseconds(a).total_cmp(&times.nanoseconds(b));
    let fastest = peers::OPEN.iter().min_by(by_name).expect("`OPEN` is not empty");
    let ours = |name: &str| name == "issue" || name.starts_with("client-keys");
    let allocated: u64 = allocations
        .iter()
        .filter(|(name, _)| ours(name))
        .map(|(_, count)| count)
        .sum();

    println!("| goal | measured | at most | |\n| --- | --- | --- | --- |");
    let goal = |what: &str, measured: f64, limit: f64| {
        let verdict = if measured <= limit { "ok" } else { "**missed**" };
        println!("| {what} | {measured:.2} | {limit} | {verdict} |");
    };
    let ratio = |what: &str, one: &str, other: &str, limit| goal(what, times.median(|t| t[one] / t[other]), limit);
    let scan = times.median(|t| (t[&list] - t["client-keys"]) / t[&sum]);
    let length = ["client-keys malformed length", "malformed by length / `aes-gcm` open"];
    let prefix = ["client-keys malformed prefix", "malformed by prefix / `aes-gcm` open"];
    let (by_default, with_one_unit) = if has_wide_aes() { (1.1, 0.8) } else { (1.2, 1.1) };

    ratio("verify / `aes-gcm` open", "client-keys", "aes-gcm", by_default);
    goal(
        "the same, `codegen-units = 1` for this crate",
        crate_unit,
        with_one_unit,
    );
    goal("verify / `ring` open, tuned", tuned, 0.75);
    for [name, what] in [length, prefix] {
        ratio(what, name, "aes-gcm", 0.05);
    }
    goal("scan of 65,536 ids / plain sum", scan, 1.9);
    goal("the same, tuned", tuned_scan, 1.3);
    goal("heap allocations in issue and verify", allocated as f64, 0.0);
    ratio(
        &format!("verify / fastest that opens an id, `{fastest}`"),
        "client-keys",
        fastest,
        1.0,
    );
}

/// On these processors the cipher gains more from better code than on others.
fn has_wide_aes() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("vaes");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

fn contestants(times: &Times, allocations: &Allocations) -> Result<(), Box<dyn std::error::Error>> {
    let bar = |name, remark| Bar {
        name,
        remark,
        nanoseconds: times.nanoseconds(name),
    };
    let mut bars = vec![bar("client-keys", "")];
    bars.extend(["aes-gcm", limits::RING].map(|name| bar(name, "the cipher alone")));
    bars.extend([limits::STORED_HASH, peers::HASHES].map(|name| bar(name, "compares a stored hash")));
    bars.extend(peers::OPEN.map(|name| bar(name, "")));
    bars.sort_by(|one, other| one.nanoseconds.total_cmp(&other.nanoseconds));

    println!("\n| call | ns | / client-keys | heap allocations |\n| --- | --- | --- | --- |");
    let row = |name: &str, what: &str| {
        let ratio = times.median(|t| t[name] / t["client-keys"]);
        println!(
            "| {what} | {:.0} | {ratio:.2} | {} |",
            times.nanoseconds(name),
            allocations[name]
        );
    };
    for bar in &bars {
        row(bar.name, format!("`{}` {}", bar.name, bar.remark).trim_end());
    }
    for name in [
        "client-keys forged",
        "client-keys malformed length",
        "client-keys malformed prefix",
        "client-keys malformed character",
        "client-keys unlisted",
        "base64ct decode",
        "issue",
        "drawing 27 bytes",
    ] {
        row(name, name);
    }
    pictures::bars("../verify.svg", &bars)
}

fn lists(times: &Times) -> Result<(), Box<dyn std::error::Error>> {
    println!("\n| listed ids | verify, list | verify, `HashSet` | plain sum |\n| --- | --- | --- | --- |");
    let mut lines = [
        ("verify, ids in a list", "list", Vec::new()),
        ("verify, ids in a HashSet", "set", Vec::new()),
        ("plain sum over 16 bytes each", "sum", Vec::new()),
    ];
    for count in LISTS {
        print!("| {count} |");
        for (_, kind, line) in &mut lines {
            let nanoseconds = times.nanoseconds(&format!("{kind} {count}"));
            line.push((f64::from(count), nanoseconds));
            print!(" {nanoseconds:.0} ns |");
        }
        println!();
    }
    pictures::lines("../lists.svg", &lines.map(|(label, _, line)| (label, line)))
}
