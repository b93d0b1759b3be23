//! What runs the whole command on real databases, and takes minutes. One binary, so that the tests run beside one another: most
//! of them wait for servers, Java and each other's sessions most of the time.

mod adapter;
mod corpus;
mod crash;
mod field;
mod foreign;
mod journal_versions;
mod migrate;
mod runtime;
mod slow;
mod storage;
mod support;
