//! Times many short batches of all subjects in turn, so that other load affects every subject equally.

use std::{
    hint::black_box,
    ops::Index,
    time::{Duration, Instant},
};

const BATCH: Duration = Duration::from_micros(40);

pub struct Subject {
    pub name: String,
    calls: u32,
    run: Box<dyn FnMut(u32)>,
}

impl Subject {
    pub fn new<T>(name: impl Into<String>, mut call: impl FnMut() -> T + 'static) -> Self {
        let mut subject = Self {
            name: name.into(),
            calls: 1,
            run: Box::new(move |calls| {
                for _ in 0..calls {
                    // By reference, because passing the result on would time its copy.
                    black_box(&call());
                }
            }),
        };
        while subject.batch() < BATCH {
            subject.calls *= 2;
        }
        subject
    }

    pub fn repeat(&mut self, calls: u32) {
        (self.run)(calls);
    }

    /// Times one batch, after an eighth of one that brings the subject's code and data back into the caches.
    fn batch(&mut self) -> Duration {
        self.repeat(self.calls.div_ceil(8));
        let start = Instant::now();
        self.repeat(self.calls);
        start.elapsed()
    }
}

/// Nanoseconds per call, by round and subject.
pub struct Times {
    names: Vec<String>,
    rounds: Vec<Vec<f64>>,
}

/// Nanoseconds per call in one round.
pub struct Round<'a> {
    names: &'a [String],
    nanoseconds: &'a [f64],
}

impl Index<&str> for Round<'_> {
    type Output = f64;

    fn index(&self, name: &str) -> &f64 {
        let subject = self.names.iter().position(|known| known == name);
        &self.nanoseconds[subject.unwrap_or_else(|| panic!("no subject is called {name:?}"))]
    }
}

pub fn measure(subjects: &mut [Subject], rounds: usize) -> Times {
    let round = |_| {
        let per_call = |subject: &mut Subject| subject.batch().as_secs_f64() * 1e9 / f64::from(subject.calls);
        subjects.iter_mut().map(per_call).collect()
    };
    let rounds = (0..rounds).map(round).collect();
    Times {
        names: subjects.iter().map(|subject| subject.name.clone()).collect(),
        rounds,
    }
}

impl Times {
    /// The median of `of` over all rounds.
    pub fn median(&self, of: impl Fn(&Round<'_>) -> f64) -> f64 {
        let of_round = |nanoseconds: &Vec<f64>| {
            of(&Round {
                names: &self.names,
                nanoseconds,
            })
        };
        let mut values: Vec<f64> = self.rounds.iter().map(of_round).collect();
        let middle = values.len() / 2;
        *values.select_nth_unstable_by(middle, f64::total_cmp).1
    }

    pub fn nanoseconds(&self, name: &str) -> f64 {
        self.median(|round| round[name])
    }
}
