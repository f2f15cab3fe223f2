//! The taoyao program: command line, assembly, the driver loop around core, supervision and drain.

pub mod certificates;
pub mod report;
