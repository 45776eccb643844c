//! `attach` and `detach` against moto: which layers are meant, in which order they end up, what is checked before, and what
//! AWS may do meanwhile.

mod arranged;
mod changed;
mod checked;
mod disturbed;
mod found;
mod making;
mod permitted;
