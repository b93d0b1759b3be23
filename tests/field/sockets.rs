//! Databases that are reached by a socket of this machine.

use super::{Case, java};
use crate::support::repository;

/// pgjdbc#56, dcache#3626: JDBC knows no sockets of its own, and a server that trusts users of its machine only takes nothing else.
#[test]
fn production_trusts_users_of_its_machine_only() {
    let case = Case::new("unix-socket");
    // As root the server's programs run as another user.
    case.let_in_by_socket("notebook", &[&whoami(), "postgres"]);
    case.run(&["migrate"]).expect(0);
    assert_eq!(case.column("select distinct language from notes"), ["en"]);
    case.run(&["rollback", "--accept-loss"]).expect(0);
    assert_eq!(case.column("select count(*)::text from databasechangelog"), ["0"]);
}

fn whoami() -> String {
    nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name
}

/// Cancelling, limits of time, a close by another thread, much in both directions: `Sockets.java` says what is right.
#[test]
fn a_jdbc_driver_has_all_it_needs_of_a_socket() {
    let case = Case::named("unix-socket-jdbc", "unix-socket");
    let path = |name: &str| case.folder().join(name).display().to_string();
    let jars = format!("{}/*", repository().join("target/liquibase/lib").display());
    let factory = repository().join("engine/src/liquibase/driver/UnixSocketFactory.java");
    let compile = ["-m", "jdk.compiler/com.sun.tools.javac.Main", "-d", &path("classes")];
    java(&[&compile[..], &[factory.to_str().unwrap(), &path("Sockets.java")]].concat(), &jars);
    let user = case.column("select current_user::text");
    java(&["Sockets", &case.socket(), "unix_socket_jdbc", &user[0]], &format!("{}:{jars}", path("classes")));
}
