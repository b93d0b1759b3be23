//! What the reader cannot tell of an object, as wrapped code: the server's own record, which knows no columns.

use std::collections::BTreeSet;

use super::rows::Table as Rows;
use super::texts::Of;
use crate::error::Result;
use crate::product::oracle::dictionary::{Dictionary, Uses};
use crate::product::oracle::grammar::facts::Signature;

pub fn uses(rows: &Rows, unread: &BTreeSet<Of>, dictionary: &mut Dictionary) -> Result<()> {
    for row in rows.rows() {
        let name = row.name("OWNER", "NAME")?;
        let of = match row.text("TYPE")? {
            "VIEW" | "MATERIALIZED VIEW" => Of::View(name),
            "TRIGGER" => Of::Trigger(name),
            kind if kind.ends_with(" BODY") => Of::Body(name),
            _ => Of::Code(name),
        };
        let used = row.name("REFERENCED_OWNER", "REFERENCED_NAME")?;
        if !unread.contains(&of) || used == of.name() {
            continue;
        }
        let relation = dictionary.columns(&used).is_some();
        let other = dictionary.code.contains_key(&used) || dictionary.sequences.contains_key(&used);
        let Some(uses) = uses_of(&of, dictionary) else { continue };
        if relation {
            uses.relations.entry(used).or_default();
        } else if other {
            uses.others.insert(used);
        }
    }
    Ok(())
}

fn uses_of<'d>(of: &Of, dictionary: &'d mut Dictionary) -> Option<&'d mut Uses> {
    match of {
        Of::View(name) => dictionary.views.get_mut(name).map(|view| &mut view.uses),
        Of::Code(name) | Of::Body(name) => dictionary.code.get_mut(name).map(|code| &mut code.uses),
        Of::Trigger(name) => dictionary.triggers.get_mut(name).map(|trigger| &mut trigger.uses),
    }
}

pub fn signatures(rows: &Rows, unread: &BTreeSet<Of>, dictionary: &mut Dictionary) -> Result<()> {
    for row in rows.rows() {
        let name = row.name("OWNER", "OBJECT_NAME")?;
        if !unread.contains(&Of::Code(name.clone())) {
            continue;
        }
        let full = match row.maybe("PROCEDURE_NAME")? {
            Some(routine) => format!("{name}.{routine}"),
            None => name.clone(),
        };
        let count = |column: &str| {
            let number = row.number(column)?.and_then(|n| usize::try_from(n).ok());
            Ok::<_, crate::error::Error>(number.unwrap_or(0))
        };
        let signature = Signature { name: full, least: count("LEAST")?, most: count("MOST")? };
        if let Some(code) = dictionary.code.get_mut(&name) {
            code.signatures.push(signature);
        }
    }
    Ok(())
}
