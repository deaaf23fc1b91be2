//! Prints, as Markdown, how far each goal is reached and what every contestant takes, and draws the two pictures.
//! The argument is the ratio that `flags` found in the build for the processor at hand; `run` puts the two together.

#[path = "../../../tests/common/allocations.rs"]
mod counter;
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
    let tuned: f64 = std::env::args()
        .nth(1)
        .ok_or("usage: peers <ratio of the tuned build>")?
        .parse()?;
    let mut subjects = own::subjects();
    subjects.extend(peers::subjects());
    let times = measure::measure(&mut subjects, ROUNDS);

    let allocations: Allocations = subjects.iter_mut().map(allocations_of_one_call).collect();

    goals(&times, &allocations, tuned);
    contestants(&times, &allocations)?;
    lists(&times)
}

/// On the heap, by subject.
type Allocations = BTreeMap<String, u64>;

fn allocations_of_one_call(subject: &mut Subject) -> (String, u64) {
    (subject.name.clone(), counter::allocations(|| subject.repeat(1)))
}

fn goals(times: &Times, allocations: &Allocations, tuned: f64) {
    let list = format!("list {LONGEST}");
    let sum = format!("sum {LONGEST}");
    let by_name = |a: &&&str, b: &&&str| times.nanoseconds(a).total_cmp(&times.nanoseconds(b));
    let fastest = peers::OPEN.iter().min_by(by_name).expect("some take part");
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
    ratio("verify, 1 listed / `aes-gcm` open", "client-keys", "aes-gcm", 1.2);
    goal("the same, target-cpu=native, fat LTO, one codegen unit", tuned, 1.5);
    goal(
        "scan of 65,536 ids / plain sum",
        times.median(|t| (t[&list] - t["client-keys"]) / t[&sum]),
        1.7,
    );
    ratio(
        "malformed by length / `aes-gcm` open",
        "client-keys malformed length",
        "aes-gcm",
        0.05,
    );
    ratio(
        "malformed by prefix / `aes-gcm` open",
        "client-keys malformed prefix",
        "aes-gcm",
        0.05,
    );
    ratio("forged / accepted", "client-keys forged", "client-keys", 1.0);
    goal(
        "(issue − drawing 27 bytes) / `aes-gcm` seal",
        times.median(|t| (t["issue"] - t["drawing 27 bytes"]) / t["aes-gcm seal"]),
        1.4,
    );
    goal("heap allocations in issue and verify", allocated as f64, 0.0);
    ratio(
        &format!("verify / fastest that opens an id, `{fastest}`"),
        "client-keys",
        fastest,
        0.8,
    );
    ratio(
        "verify / `prefixed-api-key`, which only hashes",
        "client-keys",
        peers::HASHES,
        1.1,
    );
}

fn contestants(times: &Times, allocations: &Allocations) -> Result<(), Box<dyn std::error::Error>> {
    let bar = |name, remark| Bar {
        name,
        remark,
        nanoseconds: times.nanoseconds(name),
    };
    let mut bars = vec![bar("client-keys", ""), bar(peers::HASHES, "only hashes")];
    bars.extend(peers::LIMITS.map(|name| bar(name, "the cipher alone")));
    bars.extend(peers::OPEN.map(|name| bar(name, "")));
    bars.sort_by(|one, other| one.nanoseconds.total_cmp(&other.nanoseconds));

    println!("\n| what | ns | / client-keys | heap allocations |\n| --- | --- | --- | --- |");
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
        "aes-gcm seal",
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
