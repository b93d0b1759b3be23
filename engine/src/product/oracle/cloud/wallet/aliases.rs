//! `tnsnames.ora`: names, and for each a descriptor in nested parentheses:
//! <https://docs.oracle.com/en/database/oracle/oracle-database/23/netrf/local-naming-parameters-in-tns-ora-file.html>.

/// A name that clients connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    pub name: String,
    /// The whole descriptor, `(description=…)`.
    pub descriptor: String,
}

impl Alias {
    /// The first value of a parameter, as `host` or `service_name`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let lower = self.descriptor.to_ascii_lowercase();
        let name = name.to_ascii_lowercase();
        let mut from = 0;
        loop {
            let at = from + lower.get(from..)?.find(&name)?;
            from = at + name.len();
            let before = lower.get(..at)?.trim_end();
            let after = self.descriptor.get(from..)?.trim_start();
            if let (true, Some(value)) = (before.ends_with('('), after.strip_prefix('=')) {
                return Some(value.split(')').next()?.trim().trim_matches('"'));
            }
        }
    }

    /// The consumer group that the name ends with: `high`, `medium`, `low`, `tp`, `tpurgent`.
    pub fn group(&self) -> Option<&str> {
        self.name.rsplit_once('_').map(|(_, group)| group)
    }
}

/// All entries, in their order. What is no entry is left out.
pub(super) fn read(text: &str) -> Vec<Alias> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let text = lines.collect::<Vec<_>>().join("\n");
    let (mut found, mut rest) = (Vec::new(), text.as_str());
    while let Some((names, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let Some(end) = closing(after) else {
            // `IFILE = path`, or an entry that does not end.
            rest = after.split_once('\n').map_or("", |(_, next)| next);
            continue;
        };
        let (descriptor, next) = after.split_at(end);
        let flat = descriptor.split_whitespace().collect::<Vec<_>>().join(" ");
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            found.push(Alias { name: name.to_owned(), descriptor: flat.clone() });
        }
        rest = next;
    }
    found
}

/// Where the parenthesis that begins the text is closed.
fn closing(text: &str) -> Option<usize> {
    if !text.starts_with('(') {
        return None;
    }
    let mut depth = 0_u32;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at + c.len_utf8());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn entries_are_read_however_they_are_written() {
        let text = "# ours\nIFILE = /etc/more.ora\napp_high = (description= (retry_count=20)(address=(protocol=tcps)(port=1522)\
            (host=adb.eu-frankfurt-1.oraclecloud.com))(connect_data=(service_name=g1_app_high.adb.oraclecloud.com)))\r\n\r\n\
            APP_TP, other =\n  (DESCRIPTION =\n    (ADDRESS = (PROTOCOL = TCPS)(HOST = \"h\")(PORT = 1521)) # here\n  )\n\
            broken = (description=(address=\n";
        let found = read(text);
        let names: Vec<&str> = found.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(names, ["app_high", "APP_TP", "other"]);
        for (alias, parameter, wanted) in [
            (0, "service_name", Some("g1_app_high.adb.oraclecloud.com")),
            (0, "HOST", Some("adb.eu-frankfurt-1.oraclecloud.com")),
            (0, "port", Some("1522")),
            (0, "count", None),
            (1, "host", Some("h")),
            (2, "port", Some("1521")),
            (2, "service_name", None),
        ] {
            assert_eq!(found.get(alias).unwrap().parameter(parameter), wanted, "{alias} {parameter}");
        }
        assert_eq!(found.first().unwrap().group(), Some("high"));
        for text in ["", "=", "a", "a = b", "(((", "a = )", "= (x)"] {
            assert_eq!(read(text), [], "{text}");
        }
    }
}
