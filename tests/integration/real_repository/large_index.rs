//! How long an index of CRAN's size takes; `scripts/bench packages` asks.

use std::fmt::Write as _;
use std::io::Read as _;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};
use r_layer::package::PackageIndex;

/// CRAN has some 23,000 records, in some 10 MB.
const RECORDS: usize = 25_000;

/// The time that a parse may take.
const GOAL: Duration = Duration::from_millis(50);

/// Numbers as good as random, the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end
    }
}

/// The names.
fn name(number: usize) -> String {
    let syllables = [
        "ba", "co", "Du", "fe", "gi", "ka", "Lo", "mu", "ne", "ri", "sa", "Te", "vo",
    ];
    let mut name = String::from("p");
    let mut rest = number;
    for _ in 0..4 {
        name += syllables[rest % syllables.len()];
        rest /= syllables.len();
    }
    name
}

/// Requirements, some with versions, over several lines as CRAN folds them.
fn listed(numbers: &mut Numbers, most: usize) -> String {
    let mut text = String::new();
    for at in 0..=numbers.below(most) {
        let apart = match at {
            0 => "",
            at if at % 5 == 0 => ",\n        ",
            _ => ", ",
        };
        text += apart;
        text += &name(numbers.below(RECORDS));
        if numbers.below(3) == 0 {
            let _ = write!(
                text,
                " (>= {}.{}-{})",
                numbers.below(4),
                numbers.below(30),
                numbers.below(9)
            );
        }
    }
    text
}

fn large_index() -> String {
    let mut numbers = Numbers(1);
    let mut text = String::new();
    for number in 0..RECORDS {
        let (major, minor, patch) = (numbers.below(5), numbers.below(20), numbers.below(10));
        let _ = write!(
            text,
            "Package: {}\nVersion: {major}.{minor}.{patch}\n",
            name(number)
        );
        let _ = writeln!(
            text,
            "Depends: R (>= 3.{}.0), {}",
            numbers.below(7),
            listed(&mut numbers, 2)
        );
        let _ = writeln!(text, "Imports: {}", listed(&mut numbers, 10));
        if numbers.below(4) == 0 {
            text += "LinkingTo: pbababaco, pcobababa\n";
        }
        let _ = writeln!(text, "Suggests: {}", listed(&mut numbers, 10));
        let _ = write!(
            text,
            "License: GPL (>= 2)\nMD5sum: {:032x}\nNeedsCompilation: no\n\n",
            numbers.0
        );
    }
    text
}

/// The middle of the times that something takes.
fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..11)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

#[test]
#[ignore = "a measurement, for a machine that does nothing else; scripts/bench packages runs it"]
fn an_index_of_the_size_of_cran_s_is_parsed() {
    let text = large_index();
    let mut compressed = Vec::new();
    let mut encoder = GzEncoder::new(text.as_bytes(), Compression::default());
    encoder.read_to_end(&mut compressed).unwrap();
    let unpacked = median(|| {
        let mut read = String::with_capacity(text.len());
        GzDecoder::new(&compressed[..])
            .read_to_string(&mut read)
            .unwrap();
        assert_eq!(read.len(), text.len());
    });
    let mut texts: Vec<String> = (0..11).map(|_| text.clone()).collect();
    let parsed = median(|| {
        let index = PackageIndex::parse(texts.pop().unwrap()).unwrap();
        assert_eq!((index.len(), index.problems().len()), (RECORDS, 0));
    });
    let index = PackageIndex::parse(text.clone()).unwrap();
    let read = median(|| {
        for record in index.records() {
            record.dependencies().unwrap();
        }
    });
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "index: PACKAGES of {RECORDS} records and {:.1} MB, medians: parsed in {:.1} ms, goal {} ms, {}",
        text.len() as f64 / 1e6,
        milliseconds(parsed),
        GOAL.as_millis(),
        if parsed <= GOAL { "met" } else { "not met" },
    );
    println!(
        "index:   besides, PACKAGES.gz unpacked in {:.1} ms; the dependencies of every record read in {:.1} ms",
        milliseconds(unpacked),
        milliseconds(read)
    );
}
