//! The stand-in for an Oracle server, and what Oracle's own driver makes of it.

mod serve;
mod tns;
mod tns_tests;
