//! `build runtime`.
