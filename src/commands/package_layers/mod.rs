//! Layers of packages: from installed packages to zips, and the proof that they load.

pub mod check;
pub mod pack;
