//! The parts that people think of a layer in: R packages one by one, other folders of R, folders beside R.

use std::collections::BTreeMap;

use serde::Serialize;

use super::LayerArchive;

/// The folder that an entry counts for; `.` is what lies in none.
pub fn part_of(path: &str) -> &str {
    let depth = if path.starts_with("R/library/") { 3 } else { 2 };
    let folders = path.match_indices('/').map(|(end, _)| end);
    match folders.take(depth).last() {
        Some(0) | None => ".",
        Some(end) => &path[..end],
    }
}

/// How much room something takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Room {
    /// How many files it is.
    pub files: usize,
    /// Their bytes in the zip.
    pub zipped: u64,
    /// Their bytes.
    pub unzipped: u64,
}

/// The room that each part of a layer takes, by its folder.
pub fn parts(layer: &LayerArchive) -> BTreeMap<&str, Room> {
    let mut parts: BTreeMap<&str, Room> = BTreeMap::new();
    for entry in layer.entries.iter().filter(|entry| !entry.is_folder()) {
        let room = parts.entry(part_of(&entry.path)).or_default();
        room.files += 1;
        room.zipped = room.zipped.saturating_add(entry.zipped_size);
        room.unzipped = room.unzipped.saturating_add(entry.size);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_count_one_by_one_and_other_folders_together() {
        for (path, part) in [
            ("bootstrap", "."),
            ("/absolute", "."),
            ("lib/libz.so", "lib"),
            ("R/lib/libR.so", "R/lib"),
            ("R/VERSION", "R"),
            ("R/bin/exec/R", "R/bin"),
            ("R/library/Matrix/libs/Matrix.so", "R/library/Matrix"),
            ("R/library/Matrix/DESCRIPTION", "R/library/Matrix"),
            ("r-layer/main.R", "r-layer"),
        ] {
            assert_eq!(part_of(path), part, "{path}");
        }
    }
}
