//! Texts as Liquibase hands them to Oracle, which takes one statement at a time, without what ends it elsewhere.

use super::facts::Piece;
use super::reader::{Context, read};
use crate::error::{Error, Result};

/// Refuses texts that Oracle would not take as they are, with the option of Liquibase that mends them.
///
/// # Errors
/// `Input` for a text that is no statement or more than one, or has a `;` or `/` behind it.
pub fn stand_alone(texts: &[String], context: &Context) -> Result<()> {
    let all: Vec<&str> = texts.iter().map(String::as_str).collect();
    for (text, read) in texts.iter().zip(read(&all, context)?) {
        stands_alone(text, &read.statements)?;
    }
    Ok(())
}

fn stands_alone(text: &str, pieces: &[Piece]) -> Result<()> {
    if let Some(complaint) = pieces.iter().find_map(|piece| piece.error.as_ref()) {
        return Err(complaint.error());
    }
    match pieces {
        // Comments alone.
        [] => Ok(()),
        [one] => match text.get(one.end..).map(str::trim).filter(|rest| !rest.is_empty()) {
            Some(rest) if rest.starts_with(';') => {
                Err(Error::input("a semicolon behind a statement is not Oracle's (ORA-00911)").hint(SPLIT))
            }
            Some(rest) if rest.starts_with('/') => {
                Err(Error::input("a slash behind a statement is SQL*Plus's, and not Oracle's")
                    .hint(DELIMITED))
            }
            _ => Ok(()),
        },
        [_, second, ..] => {
            let error = Error::input(format!(
                "these are {} statements, and Liquibase hands them to Oracle as one (the second begins on line {})",
                pieces.len(),
                second.line
            ));
            Err(error.hint(if pieces.iter().any(is_code) { DELIMITED } else { SPLIT }))
        }
    }
}

const DELIMITED: &str =
    "write endDelimiter:/ behind the changeset's id, and a slash on a line of its own between statements";
const SPLIT: &str = "let Liquibase split at semicolons: write splitStatements:true behind the changeset's id. It takes the last word of that \
                     kind for both directions: behind rollbackSplitStatements:false it has to be written too";

fn is_code(piece: &Piece) -> bool {
    let read = piece.read.as_ref();
    read.is_some_and(|read| {
        read.kind == "anonymous_block" || read.facts.routine.is_some() || read.facts.trigger.is_some()
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::catalog::Catalog;

    #[test]
    fn texts_are_refused_with_what_mends_them() {
        let context = Context::new("19c", &Catalog::default());
        let cases = [
            ("alter table t add a number", None),
            ("-- nothing but a comment", None),
            ("begin null; end;", None),
            ("create or replace trigger r before insert on t for each row begin :new.a := 1; end;", None),
            ("alter table t add a number;", Some(("ORA-00911", SPLIT))),
            ("insert into t values (1);\ninsert into t values (2)", Some(("2 statements", SPLIT))),
            ("begin null; end;\n/", Some(("slash", DELIMITED))),
            (
                "create or replace procedure p is begin null; end;\n/\ngrant execute on p to u",
                Some(("2 statements", DELIMITED)),
            ),
            // As it is cut apart at its semicolons.
            (
                "create or replace trigger r before insert on t for each row begin :new.a := 1",
                Some(("line 1", "splitStatements:false")),
            ),
            ("end", Some(("line 1", "splitStatements:false"))),
            ("alter tabel t add a number", Some(("line 1", ""))),
        ];
        for (text, refused) in cases {
            let found = stand_alone(&[text.to_owned()], &context);
            match (found, refused) {
                (Ok(()), None) => {}
                (Err(error), Some((words, hint))) => {
                    assert!(error.to_string().contains(words), "{text}: {error}");
                    assert!(
                        error.hint_text().unwrap_or_default().contains(hint),
                        "{text}: {:?}",
                        error.hint_text()
                    );
                }
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
