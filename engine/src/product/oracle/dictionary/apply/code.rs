//! Sequences, synonyms, routines, packages, types and triggers.

use super::{Outcome, Statement, refuse};
use crate::model::change::Events;
use crate::product::oracle::dictionary::objects::{Code, CodeKind, Dictionary, Sequence, Trigger};
use crate::product::oracle::dictionary::uses::Uses;
use crate::product::oracle::grammar::facts::{self, Facts};

impl Dictionary {
    pub(super) fn code_objects(&mut self, statement: &Statement<'_>) -> Outcome {
        let facts = statement.facts();
        if let Some(sequence) = &facts.sequence {
            self.sequence(sequence, statement)?;
        }
        if let Some(synonym) = &facts.synonym {
            self.synonym(synonym, facts)?;
        }
        if let Some(routine) = &facts.routine {
            self.routine_made(routine, statement)?;
        }
        if let (Some(name), true) = (&facts.object_type, statement.read.kind.starts_with("create")) {
            let kind = if facts.body { "type_body" } else { "type" };
            let routine = facts::Routine { kind: kind.to_owned(), name: name.clone() };
            self.routine_made(&routine, statement)?;
        }
        if let Some(trigger) = &facts.trigger {
            self.trigger(trigger, statement)?;
        }
        if let (Some(how), Some(table)) = (&facts.all_triggers, statement.read.relations.first()) {
            let own = self.triggers.values_mut().filter(|t| t.table == *table);
            own.for_each(|trigger| trigger.enabled = how == "enable");
        }
        Ok(())
    }

    fn sequence(&mut self, written: &facts::Sequence, statement: &Statement<'_>) -> Outcome {
        let name = &written.name;
        if statement.read.kind.starts_with("create") {
            if statement.facts().if_not_exists && self.sequences.contains_key(name) {
                return Ok(());
            }
            self.name_is_free(name)?;
            let number = self.number();
            // What is not said: SQL Language Reference, CREATE SEQUENCE.
            let made = Sequence {
                number,
                increment: "1".to_owned(),
                cache: Some("20".to_owned()),
                ..Sequence::default()
            };
            self.sequences.insert(name.clone(), made);
        }
        let Some(known) = self.sequences.get_mut(name) else {
            return refuse("ORA-02289", format!("sequence {name} does not exist"));
        };
        let says = |option: &str| written.options.get(option).is_some_and(|v| v.as_bool() == Some(true));
        if let Some(increment) = &written.increment {
            known.increment.clone_from(increment);
        }
        match &written.cache {
            Some(cache) => known.cache = Some(cache.clone()),
            None if says("nocache") => known.cache = None,
            None => {}
        }
        known.cycle = (known.cycle || says("cycle")) && !says("nocycle");
        known.ordered = (known.ordered || says("order")) && !says("noorder");
        if written.maxvalue.is_some() {
            known.maximum.clone_from(&written.maxvalue);
        }
        if written.minvalue.is_some() {
            known.minimum.clone_from(&written.minvalue);
        }
        Ok(())
    }

    fn synonym(&mut self, written: &facts::Synonym, facts: &Facts) -> Outcome {
        let Some(target) = &written.target else {
            return match self.synonyms.remove(&written.name) {
                None if !facts.if_exists => {
                    refuse("ORA-01434", format!("the synonym {} does not exist", written.name))
                }
                _ => Ok(()),
            };
        };
        let replaces = facts.replace && self.synonyms.contains_key(&written.name);
        if facts.if_not_exists && self.synonyms.contains_key(&written.name) {
            return Ok(());
        }
        if !replaces {
            self.name_is_free(&written.name)?;
        }
        // What lies beyond a link is not known.
        if written.link.is_none() {
            self.synonyms.insert(written.name.clone(), target.clone());
        }
        Ok(())
    }

    fn routine_made(&mut self, written: &facts::Routine, statement: &Statement<'_>) -> Outcome {
        let name = &written.name;
        let text = statement.sql.trim().to_owned();
        let query = statement.read.query.clone().unwrap_or_default();
        if let Some(of) = written.kind.strip_suffix("_body") {
            let uses = Uses::of(&query, self.schema_of(name), self);
            let Some(known) = self.code.get_mut(name) else {
                // Without its specification a body is made, and invalid.
                return refuse("ORA-04043", format!("{of} {name} does not exist: its body would be invalid"));
            };
            let has = |wanted: &&facts::Signature| {
                query.signatures.iter().any(|own| own.name == wanted.name && own.most == wanted.most)
            };
            // Oracle makes it all the same, with errors.
            if let Some(lacking) = known.signatures.iter().find(|wanted| !has(wanted)) {
                return refuse(
                    "ORA-24344",
                    format!(
                        "the body of {name} has compilation errors: {} with {} parameters is declared in the specification and not \
                         defined (PLS-00323)",
                        lacking.name, lacking.most
                    ),
                );
            }
            known.body = Some(text);
            known.body_signatures = query.signatures;
            known.uses = uses;
            return Ok(());
        }
        let kind = match written.kind.as_str() {
            "procedure" => CodeKind::Procedure,
            "function" => CodeKind::Function,
            "package" => CodeKind::Package,
            _ => CodeKind::Type,
        };
        let known = self.code.get(name).filter(|known| known.kind == kind).cloned();
        if known.is_none() {
            self.name_is_free(name)?;
        } else if !statement.facts().replace {
            if statement.facts().if_not_exists {
                return Ok(());
            }
            return refuse("ORA-00955", format!("the name {name} is already used by an existing object"));
        }
        let mut uses = Uses::of(&query, self.schema_of(name), self);
        // It may call itself.
        uses.others.remove(name);
        let mut made = Code {
            number: 0,
            kind,
            text,
            body: None,
            signatures: query.signatures,
            body_signatures: Vec::new(),
            uses,
        };
        match known {
            Some(known) => {
                made.number = known.number;
                // What a package does is in its body, which stays.
                if known.body.is_some() {
                    made.uses = known.uses;
                    made.body = known.body;
                    made.body_signatures = known.body_signatures;
                }
            }
            None => made.number = self.number(),
        }
        self.code.insert(name.clone(), made);
        Ok(())
    }

    pub(super) fn drop_code(&mut self, name: &str, facts: &Facts) -> Outcome {
        let Some(known) = self.code.get_mut(name) else {
            if facts.if_exists {
                return Ok(());
            }
            return refuse("ORA-04043", format!("object {name} does not exist"));
        };
        if facts.body {
            known.body = None;
            return Ok(());
        }
        self.code.remove(name);
        self.grants.remove(name);
        Ok(())
    }

    fn trigger(&mut self, written: &facts::Trigger, statement: &Statement<'_>) -> Outcome {
        let name = &written.name;
        let facts = statement.facts();
        if !statement.read.kind.starts_with("create") {
            let Some(known) = self.triggers.get_mut(name) else {
                return refuse("ORA-04080", format!("trigger {name} does not exist"));
            };
            known.enabled = (known.enabled || facts.enable) && !facts.disable;
            return Ok(());
        }
        let known = self.triggers.get(name).map(|t| t.number);
        if known.is_some() && !facts.replace {
            return refuse("ORA-04081", format!("trigger {name} already exists"));
        }
        let Some(table) = written.table.clone() else {
            // Of the schema or the database: nothing of a table's.
            return Ok(());
        };
        if self.columns(&table).is_none() && self.schema_of(&table) == self.schema_of(name) {
            return refuse("ORA-00942", format!("table or view {table} does not exist"));
        }
        let on = |event: &str| written.events.iter().any(|e| e == event);
        let query = statement.read.query.clone().unwrap_or_default();
        let number = match known {
            Some(number) => number,
            None => self.number(),
        };
        let trigger = Trigger {
            number,
            uses: Uses::of(&query, self.schema_of(name), self),
            table,
            columns: written.columns.clone(),
            events: Events { insert: on("insert"), update: on("update"), delete: on("delete") },
            enabled: written.enabled,
            instead: written.instead,
            text: statement.sql.trim().to_owned(),
        };
        self.triggers.insert(name.clone(), trigger);
        Ok(())
    }
}
