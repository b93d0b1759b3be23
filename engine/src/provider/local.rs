//! Clusters on this machine.
