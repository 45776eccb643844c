//! The runtime's own tests, which are written in R, by the built layer's R in a root like Lambda's: what they start
//! (`sh`, `env`, R itself) is what a function could start there, and the code they test is the layer's.

use crate::emulated::{inside, like_lambda};
use crate::parts::succeed;

/// How many tests there are at least: a run that finds fewer has not found its files.
const TESTS: u32 = 80;

#[test]
fn the_runtime_passes_its_own_tests() {
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut sandbox = like_lambda(&tests);
    // bin/R puts the layer's libraries first by itself; the locale is what bootstrap sets.
    sandbox
        .environment
        .insert("LC_ALL".into(), "C.UTF-8".into());
    let arguments = ["/var/task/runtime/run.R", "/opt/r-layer"];
    let output = succeed(&mut inside(&sandbox, "/opt/R/bin/Rscript", &arguments));
    let said = String::from_utf8_lossy(&output.stdout);
    let closing = said.lines().last().unwrap_or_default();
    let passed = closing
        .strip_suffix(" passed, 0 failed")
        .and_then(|count| count.parse().ok());
    assert!(passed.is_some_and(|passed: u32| passed > TESTS), "{said}");
}
