//! The file of passwords that libpq reads (<https://www.postgresql.org/docs/current/libpq-pgpass.html>).

use std::path::{Path, PathBuf};

/// The password of a user on one server. `file`: in place of the one that libpq looks for.
pub fn password(file: Option<&Path>, host: &str, port: u16, database: &str, user: &str) -> Option<String> {
    let file = file
        .map(Path::to_path_buf)
        .or_else(|| std::env::var_os("PGPASSFILE").map(PathBuf::from))
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".pgpass")))?;
    let host = if host.starts_with('/') { "localhost" } else { host };
    let port = port.to_string();
    std::fs::read_to_string(file).ok()?.lines().filter(|l| !l.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let [h, p, d, u, password] = fields.as_slice() else { return None };
        let fits = |pattern: &String, value: &str| pattern == "*" || pattern == value;
        (fits(h, host) && fits(p, &port) && fits(d, database) && fits(u, user)).then(|| password.clone())
    })
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        let add = match c {
            '\\' => characters.next(),
            ':' if fields.len() < 5 => {
                fields.push(String::new());
                None
            }
            other => Some(other),
        };
        if let (Some(last), Some(add)) = (fields.last_mut(), add) {
            last.push(add);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_file() {
        assert_eq!(fields(r"h:5432:*:us\:er:p\\a:b"), ["h", "5432", "*", "us:er", r"p\a:b"]);
    }
}
