//! Prints the figures of one build, in the order of the table that `run` prints: nanoseconds of `verify` and of its
//! alternatives, ratios, and nanoseconds for each listed id.

mod limits;
mod measure;
mod own;
#[path = "../../raw/mod.rs"]
mod raw;

use own::LONGEST;

fn main() {
    let mut subjects = own::subjects();
    subjects.extend(limits::subjects());
    let times = measure::measure(&mut subjects, 2000);
    let (list, sum) = (format!("list {LONGEST}"), format!("sum {LONGEST}"));
    println!(
        "{:.0} {:.0} {:.0} {:.0} {:.2} {:.2} {:.2} {:.2}",
        times.nanoseconds("client-keys"),
        times.nanoseconds("aes-gcm"),
        times.nanoseconds(limits::RING),
        times.nanoseconds(limits::STORED_HASH),
        times.median(|t| t["client-keys"] / t["aes-gcm"]),
        times.median(|t| t["client-keys"] / t[limits::RING]),
        times.median(|t| (t[&list] - t["client-keys"]) / t[&sum]),
        times.median(|t| (t[&list] - t["client-keys"]) / f64::from(LONGEST)),
    );
}
