//! What the statements of a changeset do to those who read and write, read off their words.

/// What one statement takes away, narrows or asks for, with names as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    DropColumn {
        table: String,
        column: String,
    },
    RenameColumn {
        table: String,
        from: String,
        to: String,
    },
    Retype {
        table: String,
        column: String,
    },
    NotNull {
        table: String,
        column: String,
    },
    /// A new column that must be given.
    AddRequired {
        table: String,
        column: String,
    },
    AddColumn {
        table: String,
        column: String,
    },
    DropDefault {
        table: String,
        column: String,
    },
    Constrain {
        table: String,
    },
    RenameTable {
        from: String,
        to: String,
    },
    /// A table, view, type, function, …: the word for it and its name.
    Drop {
        what: String,
        name: String,
    },
    /// A new label of an enum.
    AddValue {
        name: String,
        value: String,
    },
    Revoke,
}

/// The steps of one statement, read off its words: enough to name things to a person, never to decide.
pub(super) fn steps(sql: &str) -> Vec<Step> {
    let actions = actions(sql);
    let Some(first) = actions.first() else { return Vec::new() };
    let head: Vec<&str> = first.iter().map(String::as_str).collect();
    let lower: Vec<String> = head.iter().map(|w| w.to_lowercase()).collect();
    let word = |n: usize| lower.get(n).map(String::as_str).unwrap_or_default();
    match (word(0), word(1)) {
        ("revoke", _) => vec![Step::Revoke],
        ("drop", "materialized") => named_drops("view", &actions, 3),
        ("drop", what) => named_drops(what, &actions, 2),
        ("alter", "type") if (word(3), word(4)) == ("add", "value") => {
            let noise = ["if", "not", "exists"];
            let value = head.iter().skip(5).find(|w| !noise.contains(&w.to_lowercase().as_str()));
            let (Some(name), Some(value)) = (head.get(2), value) else { return Vec::new() };
            vec![Step::AddValue { name: (*name).to_owned(), value: (*value).to_owned() }]
        }
        ("alter", "table" | "view") => {
            let at =
                lower.iter().skip(2).take_while(|w| matches!(w.as_str(), "if" | "exists" | "only")).count()
                    + 2;
            let Some(table) = head.get(at) else { return Vec::new() };
            let rest = first.get(at + 1..).unwrap_or_default();
            std::iter::once(rest)
                .chain(actions.iter().skip(1).map(Vec::as_slice))
                .filter_map(|action| step(table, action))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn named_drops(what: &str, actions: &[Vec<String>], skip: usize) -> Vec<Step> {
    let noise = ["if", "exists", "concurrently"];
    let names = actions.iter().enumerate().filter_map(|(n, action)| {
        let words = action.iter().skip(if n == 0 { skip } else { 0 });
        words.into_iter().find(|w| !noise.contains(&w.to_lowercase().as_str()))
    });
    names.map(|name| Step::Drop { what: what.to_owned(), name: name.clone() }).collect()
}

/// One action of ALTER TABLE.
fn step(table: &str, action: &[String]) -> Option<Step> {
    let noise = ["column", "if", "exists", "not"];
    let lower: Vec<String> = action.iter().map(|w| w.to_lowercase()).collect();
    let verb = lower.first()?.as_str();
    let has = |wanted: &[&str]| {
        lower.windows(wanted.len()).any(|w| w.iter().map(String::as_str).eq(wanted.iter().copied()))
    };
    let second = lower.get(1).map(String::as_str).unwrap_or_default();
    let constraint = ["constraint", "check", "unique", "primary", "foreign", "exclude"].contains(&second);
    // The first word behind the verb that is a name.
    let at = 1 + lower.iter().skip(1).take_while(|w| noise.contains(&w.as_str())).count();
    let table = table.to_owned();
    let column = action.get(at).cloned();
    match verb {
        "drop" if !constraint => Some(Step::DropColumn { table, column: column? }),
        "rename" if second == "to" => Some(Step::RenameTable { from: table, to: action.get(2)?.clone() }),
        "rename" if !constraint && has(&["to"]) => {
            Some(Step::RenameColumn { table, from: column?, to: action.last()?.clone() })
        }
        "add" if constraint => Some(Step::Constrain { table }),
        "add" => {
            let required = has(&["not", "null"]) && !has(&["default"]) && !has(&["generated"]);
            let column = column?;
            Some(if required {
                Step::AddRequired { table, column }
            } else {
                Step::AddColumn { table, column }
            })
        }
        "alter" if has(&["set", "not", "null"]) => Some(Step::NotNull { table, column: column? }),
        "alter" if has(&["drop", "default"]) => Some(Step::DropDefault { table, column: column? }),
        "alter" if has(&["type"]) => Some(Step::Retype { table, column: column? }),
        _ => None,
    }
}

/// The words of a statement, in parts at the commas that stand outside brackets and quotes. Quotes around names go.
fn actions(sql: &str) -> Vec<Vec<String>> {
    let mut parts = vec![Vec::new()];
    let mut word = String::new();
    let (mut depth, mut quote) = (0_u32, None);
    let end = |word: &mut String, parts: &mut Vec<Vec<String>>| {
        if let (false, Some(part)) = (word.is_empty(), parts.last_mut()) {
            part.push(std::mem::take(word));
        }
    };
    for c in sql.chars() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), c) => word.push(c),
            (None, '"' | '\'') => quote = Some(c),
            (None, '(') => {
                depth += 1;
                end(&mut word, &mut parts);
            }
            (None, ')') => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            (None, ',') => {
                end(&mut word, &mut parts);
                parts.push(Vec::new());
            }
            (None, ';') => end(&mut word, &mut parts),
            (None, c) if c.is_whitespace() => end(&mut word, &mut parts),
            (None, c) => word.push(c),
        }
    }
    end(&mut word, &mut parts);
    parts.retain(|p| !p.is_empty());
    parts
}
