//! What the compiler's flags are worth: nanoseconds of `verify` and of the raw call, their ratio, the scan's ratio and
//! nanoseconds for each listed id.

mod measure;
mod own;
#[path = "../../raw/mod.rs"]
mod raw;

use own::LONGEST;

fn main() {
    let times = measure::measure(&mut own::subjects(), 2000);
    let (list, sum) = (format!("list {LONGEST}"), format!("sum {LONGEST}"));
    println!(
        "{:.0} {:.0} {:.2} {:.2} {:.2}",
        times.nanoseconds("client-keys"),
        times.nanoseconds("aes-gcm"),
        times.median(|t| t["client-keys"] / t["aes-gcm"]),
        times.median(|t| (t[&list] - t["client-keys"]) / t[&sum]),
        times.median(|t| (t[&list] - t["client-keys"]) / f64::from(LONGEST)),
    );
}
