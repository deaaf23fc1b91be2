//! The log, on standard error. A thread of its own writes it, so that neither requests nor the end wait for the reader.

use std::io::{self, Write};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::time::{Duration, Instant};
use std::{fmt::Write as _, panic, thread};
use tracing::error;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::{format::Writer, time::FormatTime as _, time::SystemTime};

/// How many lines may wait to be written. Further ones are dropped.
const WAITING: usize = 8192;
/// How often the log reports dropped lines while it has no room for all lines.
const REPORTS: Duration = Duration::from_secs(10);
/// How long the last lines may take.
const LIMIT: Duration = Duration::from_secs(1);

static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();
static WRITING: Mutex<Option<WorkerGuard>> = Mutex::new(None);

pub fn start(filter: EnvFilter) {
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING)
        .finish(StandardError {
            failed: 0,
            reported: 0,
            last: Instant::now(),
        });
    let _ = DROPPED.set(writer.error_counter());
    *WRITING.lock().unwrap_or_else(PoisonError::into_inner) = Some(guard);
    tracing_subscriber::fmt()
        .with_writer(writer)
        .with_ansi(false)
        .with_env_filter(filter)
        .init();
    // Rust's own hook would write to standard error and wait for its reader.
    panic::set_hook(Box::new(|panic| {
        error!("{panic}");
        if thread::current().name() == Some("main") {
            end(String::new());
        }
    }));
}

/// Writes the lines that wait and then `last`, as far as standard error takes them within [`LIMIT`].
pub fn end(last: String) {
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        drop(WRITING.lock().unwrap_or_else(PoisonError::into_inner).take());
        let _ = io::stderr().write_all(last.as_bytes());
        let _ = done.send(());
    });
    let _ = ended.recv_timeout(LIMIT);
}

struct StandardError {
    failed: usize,
    reported: usize,
    last: Instant,
}

impl StandardError {
    /// Writes how many lines were lost since the last report.
    fn report(&mut self) {
        let lost = self.failed + DROPPED.get().map_or(0, ErrorCounter::dropped_lines);
        if lost == self.reported {
            return;
        }
        let mut line = String::new();
        let _ = SystemTime.format_time(&mut Writer::new(&mut line));
        let _ = writeln!(line, "  WARN service::log: {} lines dropped", lost - self.reported);
        if io::stderr().write_all(line.as_bytes()).is_ok() {
            (self.reported, self.last) = (lost, Instant::now());
        }
    }
}

impl Write for StandardError {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match io::stderr().write_all(line) {
            Ok(()) if self.last.elapsed() > REPORTS => self.report(),
            Ok(()) => {}
            Err(_) => self.failed += 1,
        }
        Ok(line.len())
    }

    /// The writing thread calls this when no line waits.
    fn flush(&mut self) -> io::Result<()> {
        self.report();
        Ok(())
    }
}
