//! Serves until it is killed, for clients that are tried by hand ([README](README.md)).

use drydock_oracle_standin::{Account, Config, Fixtures, LiquibaseTables, Server, Version};

/// `DRYDOCK_TNS_FIXTURES` names a file of answers, `DRYDOCK_TNS_PORT` the port, `DRYDOCK_TNS_VERSION` 19, 21 or 23. What comes in
/// is printed.
#[test]
#[ignore = "serves until it is killed"]
fn serve() {
    let setting = |name: &str| std::env::var(format!("DRYDOCK_TNS_{name}")).ok();
    let json = setting("FIXTURES").map_or("{}".into(), |path| std::fs::read_to_string(path).unwrap());
    let version = match setting("VERSION").as_deref() {
        Some("21") => Version::V21,
        Some("23") => Version::V23,
        _ => Version::V19,
    };
    let port = setting("PORT").map_or(0, |port| port.parse().unwrap());
    let config = Config { version, port, ..Default::default() }
        .user("locked", "Secret_12345678", Account::Locked)
        .user("expired", "Secret_12345678", Account::Expired)
        .user("expiring", "Secret_12345678", Account::Expiring);
    let server = Server::start(config, LiquibaseTables::before(Fixtures::parse(&json).unwrap()));
    println!("app/Secret_12345678@{}", server.connect_string());
    let mut printed = 0;
    loop {
        for received in server.received().iter().skip(printed) {
            println!("{} {:?}", received.session.id, received.call);
            printed += 1;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
