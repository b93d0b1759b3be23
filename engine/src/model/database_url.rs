//! The parts of a database's URL as written. It may name several servers (`scheme://user@one:5432,other:5432/name`), which the crate
//! `url` does not read.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// `scheme://user@servers/rest`. The user's part may have a password: nothing here is shown to anybody.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DatabaseUrl<'a> {
    scheme: &'a str,
    user: Option<&'a str>,
    /// Servers with commas between them, each with its port where one is written; empty where they are named elsewhere.
    pub servers: &'a str,
    /// From the path on.
    rest: &'a str,
}

impl<'a> DatabaseUrl<'a> {
    /// `None`: it is no URL with an authority.
    pub fn split(text: &'a str) -> Option<Self> {
        let (scheme, after) = text.split_once("://")?;
        let (authority, rest) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
        let (user, servers) =
            authority.rsplit_once('@').map_or((None, authority), |(user, servers)| (Some(user), servers));
        Some(Self { scheme, user, servers, rest })
    }

    /// The same URL with other servers.
    pub fn with_servers(&self, servers: &str) -> String {
        let user = self.user.map(|user| format!("{user}@")).unwrap_or_default();
        format!("{}://{user}{servers}{}", self.scheme, self.rest)
    }

    /// Whether a password is in it, before the servers or as an option.
    pub fn has_password(&self) -> bool {
        self.user.is_some_and(|user| user.contains(':')) || self.option("password").is_some()
    }

    fn option(&self, name: &str) -> Option<&'a str> {
        let (_, query) = self.rest.split_once('?')?;
        query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }

    /// The same URL with this password, in place of one that it has.
    pub fn with_password(&self, password: &str) -> String {
        let name = self.user.map_or("", |user| user.split_once(':').map_or(user, |(name, _)| name));
        let password = utf8_percent_encode(password, NON_ALPHANUMERIC);
        format!("{}://{name}:{password}@{}{}", self.scheme, self.servers, self.rest)
    }

    /// What tells one target from others where it names several servers: the same in whatever order it names them, and whoever connects.
    /// `None`: it names one.
    pub fn of_several(&self) -> Option<String> {
        let path = self.rest.split_once('?').map_or(self.rest, |(path, _)| path);
        let plain = |list: &str| list.replace("%2C", ",").replace("%2c", ",");
        let hosts = match self.servers {
            "" => plain(self.option("host").unwrap_or_default()),
            servers => plain(servers),
        };
        if !hosts.contains(',') {
            return None;
        }
        let ports = plain(self.option("port").unwrap_or_default());
        let ports: Vec<&str> = ports.split(',').collect();
        let port = |at: usize| if ports.len() == 1 { ports.first() } else { ports.get(at) };
        let mut servers: Vec<String> = hosts
            .split(',')
            .enumerate()
            .map(|(at, host)| match port(at) {
                Some(port) if !port.is_empty() => format!("{host}:{port}"),
                _ => host.to_owned(),
            })
            .collect();
        servers.sort();
        servers.dedup();
        Some(format!("{}{path}", servers.join(",")))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_target_of_several_servers_is_the_same_in_any_order() {
        let of = |url| DatabaseUrl::split(url).unwrap().of_several();
        let one = of("postgresql://a:x@h1:5432,h2:5433/d?target_session_attrs=primary");
        assert_eq!(one.as_deref(), Some("h1:5432,h2:5433/d"));
        assert_eq!(one, of("postgresql://b@h2:5433,h1:5432/d"));
        assert_ne!(one, of("postgresql://b@h2:5433,h3:5432/d"));
        assert_ne!(one, of("postgresql://b@h2:5433,h1:5432/other"));
        let one = of("postgresql://u@/d?host=h1,h2&port=1,2");
        assert_eq!(one, of("postgresql://u@/d?port=2,1&host=h2%2Ch1"));
        assert_ne!(one, of("postgresql://u@/d?port=1,2&host=h2,h1"));
        assert_eq!(of("postgresql://u@h1:5432/d"), None);
        assert_eq!(of("postgresql://u@/d?host=h1"), None);
    }

    #[test]
    fn a_password_is_put_in() {
        let url = "postgresql://me:old@h1:1,[::1]:2/d?sslmode=require";
        let put = DatabaseUrl::split(url).unwrap().with_password("p@:/ w");
        assert_eq!(put, "postgresql://me:p%40%3A%2F%20w@h1:1,[::1]:2/d?sslmode=require");
        let put = DatabaseUrl::split("postgresql:///d?host=/run").unwrap().with_password("p");
        assert_eq!(put, "postgresql://:p@/d?host=/run");
        assert!(DatabaseUrl::split("postgresql:d").is_none());
        let has = |url| DatabaseUrl::split(url).unwrap().has_password();
        assert!(has("postgresql://me:p@h1,h2/d") && has("postgresql://h1,h2/d?sslmode=disable&password=p"));
        assert!(!has("postgresql://me@h1:1,h2:2/d?passfile=/x"));
    }
}
