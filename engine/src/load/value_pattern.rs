//! Texts that no row has yet, in a form that a check of the column may want.

use std::collections::BTreeSet;

use crate::load::types::{Draw, fresh};
use crate::load::values::pick;
use crate::model::column_type::ColumnType;
use crate::model::value::Value;

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

pub fn another(of: &ColumnType, samples: &[String], form: Form, draw: &mut Draw) -> Value {
    match form {
        Form::Word => fresh(of, draw),
        Form::Alike => match alike(&pick(samples, draw), samples, draw) {
            Some(text) => Value::Text(text),
            None => fresh(of, draw),
        },
        Form::Prefixed => {
            let word = fresh(of, draw);
            let text = format!("{}{}", draw.text(&word), pick(samples, draw));
            let longest = match of {
                ColumnType::Text { longest, .. } => longest.and_then(|l| usize::try_from(l).ok()),
                _ => None,
            };
            Value::Text(text.chars().take(longest.unwrap_or(usize::MAX)).collect())
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
    use crate::model::column_type::TextForm;
    use crate::product::test_dialect;

    fn draw(seed: u64) -> Draw {
        Draw::new(seed, Moment::at(1_700_000_000), test_dialect())
    }

    fn made(samples: &[String], form: Form, longest: Option<u32>) -> String {
        let text = ColumnType::Text { form: TextForm::Varying, longest };
        let mut draw = draw(1);
        let value = another(&text, samples, form, &mut draw);
        draw.text(&value)
    }

    #[test]
    fn another_text_of_the_same_form() {
        let mut draw = draw(2);
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
