//! What Oracle's own driver makes of the stand-in for an Oracle server.

mod serve;
mod tns_tests;
