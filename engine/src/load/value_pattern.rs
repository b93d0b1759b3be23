//! Texts that no row has yet, in a form that a check of the column may want.

use std::collections::BTreeSet;

use crate::load::types::{Draw, Shape, fresh};
use crate::load::values::pick;

/// How such a text is written. Which one a table takes shows when it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Where existing texts differ from one another, with characters they have there: `ORD-2026-7KD93`.
    Alike,
    /// A word: `7KD93XW2MA4Q`.
    Word,
    /// A word in front of an existing text: `7KD93XW2MA4Qann@example.com`.
    Prefixed,
}

impl Form {
    pub const ALL: [Form; 3] = [Form::Alike, Form::Word, Form::Prefixed];
}

/// Enough that one of them is free, however many rows there are.
const POSSIBLE: f64 = 1e11;

pub fn another(shape: &Shape, samples: &[String], form: Form, draw: &mut Draw) -> String {
    match form {
        Form::Word => fresh(shape, draw),
        Form::Alike => alike(&pick(samples, draw), samples, draw).unwrap_or_else(|| fresh(shape, draw)),
        Form::Prefixed => {
            let text = format!("{}{}", fresh(shape, draw), pick(samples, draw));
            let longest = shape.longest.and_then(|l| usize::try_from(l).ok()).unwrap_or(usize::MAX);
            text.chars().take(longest).collect()
        }
    }
}

/// `None` when so few values are possible that one of them may be taken.
fn alike(sample: &str, samples: &[String], draw: &mut Draw) -> Option<String> {
    let length = sample.chars().count();
    let mut seen: Vec<BTreeSet<char>> = vec![BTreeSet::new(); length];
    for other in samples.iter().filter(|other| other.chars().count() == length) {
        seen.iter_mut().zip(other.chars()).for_each(|(set, c)| _ = set.insert(c));
    }
    let choices: Vec<Vec<char>> = seen.into_iter().map(|set| set.into_iter().collect()).collect();
    let possible: f64 = choices.iter().map(|c| c.len() as f64).product();
    (possible >= POSSIBLE).then(|| choices.iter().filter_map(|c| draw.fresh_one_of(c)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::types::Moment;

    fn made(samples: &[String], form: Form, longest: Option<u32>) -> String {
        let shape = Shape { sql_type: "text".to_owned(), longest, digits: None };
        another(&shape, samples, form, &mut Draw::new(1, Moment::at(1_700_000_000)))
    }

    #[test]
    fn another_text_of_the_same_form() {
        let mut draw = Draw::new(2, Moment::at(1_700_000_000));
        let mut digits = || {
            (0..14)
                .filter_map(|_| draw.fresh_one_of(&['0', '1', '4', '7', '8', '9', '5']))
                .collect::<String>()
        };
        let samples: Vec<String> = (0..100).map(|_| format!("CTR-2026-{}", digits())).collect();
        let code = made(&samples, Form::Alike, None);
        assert!(code.starts_with("CTR-2026-") && code.len() == 23 && !samples.contains(&code), "{code}");
        assert!(code.chars().skip(9).all(|c| c.is_ascii_digit()), "{code}");
    }

    #[test]
    fn where_few_values_are_possible_it_is_a_word() {
        let samples: Vec<String> = (10..99).map(|n| format!("user{n}@example.com")).collect();
        assert_eq!(made(&samples, Form::Alike, None).len(), 12);
        assert!(made(&samples, Form::Prefixed, None).ends_with("@example.com"));
        assert_eq!(made(&samples, Form::Prefixed, Some(15)).len(), 15);
        assert_eq!(made(&[], Form::Alike, Some(5)).len(), 5);
    }
}
