//! Tools for understanding notices: the model, the means by which carriers' formats are read, and the checks behind every reader.
//! Pure and total: no I/O, no clock, no panic for any bytes. The carriers and `parse` are the crate `carriers`.

pub mod bilingual;
mod calendar;
pub mod change;
pub mod dates;
pub mod draft;
pub mod failure;
pub mod fallback;
pub mod fingerprint;
pub mod found;
pub mod gate;
pub mod json;
pub mod lines;
pub mod listed;
pub mod maintnote;
pub mod model;
pub mod opinion;
pub mod outcome;
pub mod page;
mod passages;
pub mod pattern;
pub mod provider;
pub mod sheet;
pub mod source;
mod white_space;
pub mod whole;
pub mod words;
pub mod workbook;
pub mod zones;
