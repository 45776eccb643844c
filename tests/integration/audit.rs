//! `audit`: each fault is planted in a layer of its own and found by the real binary; the real runtime layer has none.

mod elf_files;
pub mod making;
mod zips;

use crate::parts::runtime_layer;

/// What the runtime layer may weigh, zipped and unzipped: most of Lambda's room is for the user's own packages.
const LARGEST: (u64, u64) = (20_000_000, 70_000_000);

#[test]
fn the_real_runtime_layer_would_load_and_is_small() {
    let verdict = making::audit(&[runtime_layer()], &["--runtime"]);
    verdict.assert_clean();
    let layer = &verdict.json["layers"][0];
    let (zipped, unzipped) = (
        layer["zipped"].as_u64().unwrap(),
        layer["unzipped"].as_u64().unwrap(),
    );
    assert_eq!(zipped, std::fs::metadata(runtime_layer()).unwrap().len());
    assert!(
        zipped <= LARGEST.0 && unzipped <= LARGEST.1,
        "{zipped} zipped, {unzipped} unzipped"
    );
    assert!(
        unzipped > zipped && verdict.json["elf_files"].as_u64().unwrap() > 10,
        "{}",
        verdict.text
    );
}
