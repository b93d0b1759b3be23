//! Constants that `pg_stat_statements` takes out of a result and leaves in GROUP BY, ORDER BY and DISTINCT ON: `date_trunc($1, at)` is
//! then grouped by `date_trunc('day', at)`, and the server does not see that both are one.

use std::ops::Range;

use pg_query::protobuf::Token;

use crate::product::postgres::server::parameter_inference::{Piece, pieces, rewritten};

const CONSTANTS: [Token; 3] = [Token::Sconst, Token::Iconst, Token::Fconst];
/// Where a list of GROUP BY or ORDER BY ends.
const ENDS: [&str; 11] =
    ["having", "window", "order", "group", "limit", "offset", "fetch", "for", "union", "intersect", "except"];

/// The text with such constants back in the result; `None` where there are none.
pub fn put_back(text: &str) -> Option<String> {
    let pieces = pieces(text);
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    for item in items(&pieces) {
        let Some(wanted) = pieces.get(item.clone()) else { continue };
        // A constant alone is the place of a column.
        if wanted.len() < 2 || !wanted.iter().any(|p| CONSTANTS.contains(&p.kind)) {
            continue;
        }
        for (start, window) in pieces.windows(wanted.len()).enumerate() {
            if item.contains(&start) || !alike(window, wanted) {
                continue;
            }
            let lost = window.iter().zip(wanted).filter(|(has, _)| has.kind == Token::Param);
            for (has, constant) in lost {
                if !changes.iter().any(|(at, _)| *at == has.at) {
                    changes.push((has.at.clone(), constant.text.to_owned()));
                }
            }
        }
    }
    if changes.is_empty() {
        return None;
    }
    changes.sort_by_key(|(at, _)| at.start);
    Some(numbered(&rewritten(text, &changes)))
}

/// The same but for parameters where the other has constants.
fn alike(window: &[Piece<'_>], wanted: &[Piece<'_>]) -> bool {
    window.iter().zip(wanted).all(|(has, wants)| {
        has.text.eq_ignore_ascii_case(wants.text) && has.kind == wants.kind
            || has.kind == Token::Param && CONSTANTS.contains(&wants.kind)
    })
}

/// The expressions of each GROUP BY, ORDER BY and DISTINCT ON, as places among the pieces.
fn items(pieces: &[Piece<'_>]) -> Vec<Range<usize>> {
    let is = |n: usize, word: &str| pieces.get(n).is_some_and(|p| p.text.eq_ignore_ascii_case(word));
    let mut found = Vec::new();
    for n in 0..pieces.len() {
        let list = (is(n, "group") || is(n, "order")) && is(n + 1, "by");
        let distinct = is(n, "distinct") && is(n + 1, "on") && is(n + 2, "(");
        if !list && !distinct {
            continue;
        }
        let first = if list { n + 2 } else { n + 3 };
        let mut from = first;
        let mut depth = 0_u32;
        for at in first..=pieces.len() {
            let text = pieces.get(at).map_or(")", |p| p.text).to_lowercase();
            let closes = text == ")";
            let ends = depth == 0 && (closes || ENDS.contains(&text.as_str()));
            // How it is sorted is no part of the expression.
            let ordered = depth == 0 && ["asc", "desc", "nulls", "using"].contains(&text.as_str());
            if ends || ordered || depth == 0 && text == "," {
                if at > from {
                    found.push(from..at);
                }
                from = at + 1;
            }
            if ends {
                break;
            }
            depth = match text.as_str() {
                "(" => depth + 1,
                ")" => depth.saturating_sub(1),
                _ => depth,
            };
        }
    }
    found
}

/// Parameters that are left, numbered without gaps.
fn numbered(text: &str) -> String {
    let mut seen: Vec<String> = Vec::new();
    let mut changes = Vec::new();
    let all = pieces(text);
    let mut numbers: Vec<(u32, String)> = all
        .iter()
        .filter(|p| p.kind == Token::Param)
        .filter_map(|p| Some((p.text.strip_prefix('$')?.parse().ok()?, p.text.to_owned())))
        .collect();
    numbers.sort();
    for (_, name) in numbers {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    for piece in all.iter().filter(|p| p.kind == Token::Param) {
        if let Some(at) = seen.iter().position(|name| name == piece.text) {
            changes.push((piece.at.clone(), format!("${}", at + 1)));
        }
    }
    rewritten(text, &changes)
}

#[cfg(test)]
mod tests {
    use super::put_back;

    /// libpg_query#124, powa-web#146
    #[test]
    fn the_result_has_the_constants_of_what_it_is_grouped_by() {
        let cases = [
            (
                "select date_trunc($1, at), count(*) from o where id > $2 group by date_trunc('day', at)",
                Some(
                    "select date_trunc('day', at), count(*) from o where id > $1 group by date_trunc('day', at)",
                ),
            ),
            (
                "select case when c > $1 then $2 else $3 end as s from o group by case when c > 100 then 'b' else 's' end",
                Some(
                    "select case when c > 100 then 'b' else 's' end as s from o group by case when c > 100 then 'b' else 's' end",
                ),
            ),
            (
                "select distinct date_trunc($1, at) from o order by date_trunc('hour', at) desc limit $2",
                Some(
                    "select distinct date_trunc('hour', at) from o order by date_trunc('hour', at) desc limit $1",
                ),
            ),
            (
                "select coalesce(s, $1), sum(c) from o group by 1, coalesce(s, 'n') order by coalesce(s, 'n')",
                Some(
                    "select coalesce(s, 'n'), sum(c) from o group by 1, coalesce(s, 'n') order by coalesce(s, 'n')",
                ),
            ),
            ("select a, $1 from o group by a", None),
            ("select a from o where b = $1 group by a order by a + 1", None),
        ];
        for (text, expected) in cases {
            assert_eq!(put_back(text).as_deref(), expected, "{text}");
        }
    }
}
