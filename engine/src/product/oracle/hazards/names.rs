//! Names that are hard to use, and literals that are too long.
//!
//! Sources: SQL Language Reference, "Database Object Naming Rules", "Literals", "Oracle SQL Reserved Words".

use super::around::Around;
use super::builder::Builder;
use super::rules;
use crate::model::relation_name;
use crate::model::schema_action::SchemaAction as A;

/// Up to 12.1 no name was longer, in bytes.
const SHORT: usize = 30;

pub fn read(around: &Around<'_>, builder: &mut Builder<'_>) {
    for name in made(builder) {
        if !is_plain(&name) {
            builder.warn(around, &rules::QUOTED_NAME, &format!("\"{name}\""));
        }
        if name.len() > SHORT {
            builder.warn(around, &rules::LONG_NAME, &name);
        }
    }
    // Code takes 32,767 bytes.
    let code = builder.read.actions.contains(&A::RunsCode) || builder.read.facts.routine.is_some();
    let longest = builder.read.facts.literal_length.filter(|length| !code || *length > 32_767);
    if let Some(length) = longest {
        builder.warn(around, &rules::LITERAL, &length.to_string());
    }
}

/// The names that a statement gives to something, without their schemas.
fn made(builder: &Builder<'_>) -> Vec<String> {
    let read = builder.read;
    let facts = &read.facts;
    let bare = |name: &String| relation_name::bare(name).into_owned();
    let mut names: Vec<String> = Vec::new();
    for action in &read.actions {
        match action {
            A::CreateTable { table } => {
                names.push(bare(table));
                names.extend(facts.columns.iter().map(|column| column.name.clone()));
            }
            A::RenameTable { to, .. } => names.push(bare(to)),
            A::AddColumn { column, .. } => names.push(column.clone()),
            A::RenameColumn { to, .. } => names.push(to.clone()),
            A::CreateIndex { index: Some(index), .. } => names.push(bare(index)),
            A::CreateView { view } => names.push(bare(view)),
            _ => {}
        }
    }
    names.extend(facts.constraints.iter().filter_map(|constraint| constraint.name.clone()));
    if read.kind.starts_with("create") {
        names.extend(facts.routine.iter().map(|routine| bare(&routine.name)));
        names.extend(facts.sequence.iter().map(|sequence| bare(&sequence.name)));
        names.extend(facts.trigger.iter().map(|trigger| bare(&trigger.name)));
        names.extend(facts.synonym.iter().map(|synonym| bare(&synonym.name)));
    }
    names
}

/// Whether a name can be written without quotes.
fn is_plain(name: &str) -> bool {
    let mut letters = name.chars();
    let begins = letters.next().is_some_and(|c| c.is_alphabetic() && !c.is_lowercase());
    begins
        && letters.all(|c| c.is_alphanumeric() && !c.is_lowercase() || "_$#".contains(c))
        && !RESERVED.split_whitespace().any(|word| word == name)
}

const RESERVED: &str = "ACCESS ADD ALL ALTER AND ANY AS ASC AUDIT BETWEEN BY CHAR CHECK CLUSTER COLUMN COMMENT COMPRESS CONNECT CREATE \
    CURRENT DATE DECIMAL DEFAULT DELETE DESC DISTINCT DROP ELSE EXCLUSIVE EXISTS FILE FLOAT FOR FROM GRANT GROUP HAVING IDENTIFIED IMMEDIATE \
    IN INCREMENT INDEX INITIAL INSERT INTEGER INTERSECT INTO IS LEVEL LIKE LOCK LONG MAXEXTENTS MINUS MLSLABEL MODE MODIFY NOAUDIT NOCOMPRESS \
    NOT NOWAIT NULL NUMBER OF OFFLINE ON ONLINE OPTION OR ORDER PCTFREE PRIOR PUBLIC RAW RENAME RESOURCE REVOKE ROW ROWID ROWNUM ROWS SELECT \
    SESSION SET SHARE SIZE SMALLINT START SUCCESSFUL SYNONYM SYSDATE TABLE THEN TO TRIGGER UID UNION UNIQUE UPDATE USER VALIDATE VALUES \
    VARCHAR VARCHAR2 VIEW WHENEVER WHERE WITH";
