//! runtime_in_r
