//! What the names of a query mean, by the tree that the server made of it.
//!
//! The tree says where in the text each name stands, so a name is the same name before and after a change of the schema.

mod views;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::resolved::{Meaning, MeaningKind, Named, NaturalJoin, Place, Resolved};
use crate::product::postgres::queries::node_tree::Tree;
pub use views::View;

/// OIDs below this are the product's own and keep their meaning.
const FIRST_USER_OID: u32 = 16384;
/// `REGCLASSOID`.
const REGCLASS: u32 = 2205;
/// `RTEKind`.
const RELATION: u32 = 0;
const JOIN: u32 = 2;
const GROUP: u32 = 9;
/// `CmdType`.
const UPDATE: u32 = 2;
const INSERT: u32 = 3;
/// Joins over joins, and views over views.
const DEEPEST: usize = 100;

/// A relation as the catalog has it.
#[derive(Debug, Clone, Default)]
pub struct Relation {
    /// `schema.name`
    pub name: String,
    /// What a view shows.
    pub view: Option<View>,
    /// It is a view, materialised or not.
    pub is_view: bool,
    /// Its partitions and children, and theirs.
    pub parts: BTreeSet<u32>,
}

/// What the numbers in trees stand for.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    pub relations: BTreeMap<u32, Relation>,
    /// `schema.name(types)`.
    pub routines: BTreeMap<u32, String>,
    /// The same, of operators.
    pub operators: BTreeMap<u32, String>,
}

/// Numbers that a tree has: of relations, routines and operators.
#[derive(Debug, Default)]
pub struct Numbers {
    pub relations: BTreeSet<u32>,
    pub routines: BTreeSet<u32>,
    pub operators: BTreeSet<u32>,
}

impl Numbers {
    pub fn add(&mut self, tree: &Tree) {
        visit(tree, &mut |node| {
            let mut put = |all: fn(&mut Self) -> &mut BTreeSet<u32>, field: &str| {
                let number = node.number(field);
                if number > 0 {
                    all(self).insert(number);
                }
            };
            put(|n| &mut n.relations, "relid");
            put(|n| &mut n.routines, "funcid");
            put(|n| &mut n.routines, "aggfnoid");
            put(|n| &mut n.routines, "winfnoid");
            put(|n| &mut n.operators, "opno");
            self.relations.extend(named_relation(node));
        });
        self.operators.retain(|number| *number >= FIRST_USER_OID);
    }
}

/// The relation whose name a constant is, as in `nextval('orders_id_seq')`.
fn named_relation(node: &Tree) -> Option<u32> {
    if node.tag() != "CONST" || node.number::<u32>("consttype") != REGCLASS {
        return None;
    }
    // The length, and the bytes in brackets, as the server has them: the least first, and with a sign.
    let bytes = node.field("constvalue").words().skip(2).take(4);
    let bytes: Vec<u8> = bytes.filter_map(|b| Some(b.parse::<i16>().ok()?.to_le_bytes()[0])).collect();
    Some(u32::from_le_bytes(bytes.try_into().ok()?)).filter(|number| *number >= FIRST_USER_OID)
}

fn visit(tree: &Tree, see: &mut impl FnMut(&Tree)) {
    match tree {
        Tree::Node { fields, .. } => {
            see(tree);
            fields.iter().for_each(|(_, value)| visit(value, see));
        }
        Tree::List(items) => items.iter().for_each(|item| visit(item, see)),
        Tree::Word(_) | Tree::Nothing => {}
    }
}

impl Objects {
    /// A relation, and what stands behind it where it is a view that passes a table on.
    pub fn meaning(&self, number: u32) -> Meaning {
        let Some(relation) = self.relations.get(&number) else { return Meaning::default() };
        let (base, _) = self.behind(number, 0);
        let shows = self.shown(number).into_iter().map(identity).collect();
        let kind = if relation.is_view && base == number { MeaningKind::View } else { MeaningKind::Table };
        let own = Some((relation.name.clone(), identity(base)));
        Meaning {
            kind,
            identity: identity(base),
            name: relation.name.clone(),
            relation: own,
            column: None,
            shows,
        }
    }

    /// What a column is through views that pass it on; its relation and number.
    fn behind(&self, relation: u32, column: i32) -> (u32, i32) {
        let mut at = (relation, column);
        for _ in 0..DEEPEST {
            let view = self.relations.get(&at.0).and_then(|r| r.view.as_ref());
            let Some(base) = view.and_then(|v| v.passes_on) else { break };
            if at.1 == 0 {
                at = (base, 0);
                continue;
            }
            // What the view makes itself is its own.
            let Some(own) = view.and_then(|v| v.columns.get(&at.1)) else { break };
            at = (base, *own);
        }
        at
    }

    /// All relations whose rows it gives, itself left out.
    fn shown(&self, number: u32) -> BTreeSet<u32> {
        let (mut open, mut all) = (vec![number], BTreeSet::new());
        while let Some(relation) = open.pop().and_then(|n| self.relations.get(&n)) {
            let behind = relation.view.iter().flat_map(|v| &v.relations).chain(&relation.parts);
            for next in behind.filter(|n| **n != number) {
                if all.insert(*next) {
                    open.push(*next);
                }
            }
        }
        all
    }

    /// A column by its number in the relation.
    pub fn column(&self, relation: u32, number: i32, column: &str) -> Meaning {
        let name = self.relations.get(&relation).map(|r| r.name.clone()).unwrap_or_default();
        let (base, own) = self.behind(relation, number);
        let made_by_view = self.relations.get(&base).is_some_and(|r| r.is_view);
        let shows =
            if made_by_view { self.shown(base).into_iter().map(identity).collect() } else { BTreeSet::new() };
        Meaning {
            kind: MeaningKind::Column,
            identity: format!("column {base} {own}"),
            name: format!("{name}.{column}"),
            relation: Some((name, identity(self.behind(relation, 0).0))),
            column: Some(column.to_owned()),
            shows,
        }
    }
}

fn identity(relation: u32) -> String {
    format!("relation {relation}")
}

/// `tree`: of a statement whose query begins at byte `start`; `sql`: that query.
pub fn resolved(tree: &Tree, sql: &str, start: usize, objects: &Objects) -> Resolved {
    let (queries, said, found) = (Vec::new(), BTreeMap::new(), Resolved::default());
    let mut walk = Walk { sql, start, objects, queries, said, relations: 0, targets: 0, found };
    walk.see(tree, false);
    walk.found
}

struct Walk<'a> {
    sql: &'a str,
    start: usize,
    objects: &'a Objects,
    /// The query that is looked at, and those around it before it.
    queries: Vec<&'a Tree>,
    /// How many things stand for what is said at a place.
    said: BTreeMap<usize, usize>,
    /// Relations and written columns so far.
    relations: usize,
    targets: usize,
    found: Resolved,
}

impl<'a> Walk<'a> {
    /// `by_place`: what the query gives goes on by its place and not by its name.
    fn see(&mut self, tree: &'a Tree, by_place: bool) {
        match tree {
            Tree::List(items) => items.iter().for_each(|item| self.see(item, by_place)),
            Tree::Word(_) | Tree::Nothing => {}
            Tree::Node { tag, fields } => match tag.as_str() {
                "QUERY" => self.query(tree, by_place),
                "RANGETBLENTRY" => {
                    let own = |name: &str| !["joinaliasvars", "eref", "alias"].contains(&name);
                    fields
                        .iter()
                        .filter(|(name, _)| own(name))
                        .for_each(|(_, value)| self.see(value, by_place));
                }
                _ => {
                    self.node(tree, by_place);
                    let by_place = by_place && tag != "SUBLINK";
                    fields.iter().for_each(|(_, value)| self.see(value, by_place));
                }
            },
        }
    }

    fn query(&mut self, query: &'a Tree, by_place: bool) {
        self.queries.push(query);
        for entry in query.field("rtable").items().iter().filter(|e| is_relation(e)) {
            let means = self.objects.meaning(entry.number("relid"));
            let name = means.name.rsplit('.').next().unwrap_or_default().to_owned();
            let place = Place::Relation(self.relations);
            self.relations += 1;
            self.found.names.insert(place, Named { name, means });
        }
        let command: u32 = query.number("commandType");
        if command == INSERT || command == UPDATE {
            self.targets(query.field("targetList"));
        }
        self.targets(query.field("onConflict").field("onConflictSet"));
        for action in query.field("mergeActionList").items() {
            self.targets(action.field("targetList"));
        }
        // The parts of a union, and what is inserted, are put together by their places.
        let inside = command == INSERT || !query.lacks("setOperations");
        for (name, value) in query.fields() {
            self.see(value, if name == "rtable" { inside } else { by_place });
        }
        self.queries.pop();
    }

    /// Columns that are written. Those of an INSERT without a list have the names that they have now.
    fn targets(&mut self, list: &Tree) {
        let Some(query) = self.queries.last() else { return };
        let place: usize = query.number("resultRelation");
        let Some(entry) = place.checked_sub(1).and_then(|n| query.field("rtable").items().get(n)) else {
            return;
        };
        for target in list.items().iter().filter(|t| !t.is("resjunk")) {
            let name = target.field("resname").word().to_owned();
            let means = self.objects.column(entry.number("relid"), target.number("resno"), &name);
            let place = Place::Target(self.targets);
            self.targets += 1;
            self.found.names.insert(place, Named { name, means });
        }
    }

    fn node(&mut self, node: &'a Tree, by_place: bool) {
        let routine = match node.tag() {
            "VAR" => return self.variable(node, by_place),
            "CONST" => return self.constant(node),
            "JOINEXPR" if node.is("isNatural") => {
                let columns = node.field("usingClause").words().map(str::to_owned).collect();
                let mut compared = Vec::new();
                visit(node.field("quals"), &mut |inside| {
                    compared.extend((inside.tag() == "VAR").then(|| self.compared(inside)).flatten());
                });
                return self.found.natural_joins.push(NaturalJoin { columns, compared });
            }
            // Casts are made by functions too, and are no names.
            "FUNCEXPR" if node.number::<u32>("funcformat") == 0 => {
                self.objects.routines.get_key_value(&node.number("funcid"))
            }
            "AGGREF" => self.objects.routines.get_key_value(&node.number("aggfnoid")),
            "WINDOWFUNC" => self.objects.routines.get_key_value(&node.number("winfnoid")),
            "OPEXPR" => self.objects.operators.get_key_value(&node.number("opno")),
            _ => None,
        };
        let Some((number, name)) = routine else { return };
        // Which form of one of its own the server takes follows from types, and is no other meaning.
        let identity = match *number < FIRST_USER_OID {
            true => format!("routine {}", name.split('(').next().unwrap_or(name)),
            false => format!("routine {number}"),
        };
        let means =
            Meaning { kind: MeaningKind::Routine, identity, name: name.clone(), ..Meaning::default() };
        self.say(node, means);
    }

    fn variable(&mut self, node: &'a Tree, by_place: bool) {
        let Some((query, entry)) = self.entry(node, self.queries.len()) else { return };
        if node.number::<i32>("varattno") == 0 {
            let Some((at, name)) = self.place(node) else { return };
            let columns = entry.field("eref").field("colnames").words().filter(|c| !c.is_empty());
            let means = columns.map(str::to_owned).collect();
            self.found.rows.insert(Place::Text { at, nth: 0 }, Named { name, means });
            return;
        }
        // A star stands for what there is; that it is more or less is seen by what the query gives.
        if !by_place && self.place(node).is_some_and(|(_, name)| name.ends_with('*')) {
            return;
        }
        if let Some(means) = self.meaning(node, entry, query, 0) {
            self.say(node, means);
        }
    }

    fn constant(&mut self, node: &Tree) {
        let relation = named_relation(node).filter(|number| self.objects.relations.contains_key(number));
        if let Some(relation) = relation {
            self.say(node, self.objects.meaning(relation));
        }
    }

    fn compared(&self, variable: &Tree) -> Option<Named> {
        let (query, entry) = self.entry(variable, self.queries.len())?;
        let means = self.meaning(variable, entry, query, 0)?;
        Some(Named { name: means.column.clone()?, means })
    }

    /// The entry that a variable is of, and how many queries there are up to that entry's.
    fn entry(&self, node: &Tree, depth: usize) -> Option<(usize, &'a Tree)> {
        let depth = depth.checked_sub(node.number("varlevelsup"))?;
        let query = self.queries.get(depth.checked_sub(1)?)?;
        let place: usize = node.number("varno");
        Some((depth, query.field("rtable").items().get(place.checked_sub(1)?)?))
    }

    fn meaning(&self, node: &Tree, entry: &'a Tree, depth: usize, deep: usize) -> Option<Meaning> {
        let number: i32 = node.number("varattno");
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        let column = entry.field("eref").field("colnames").words().nth(place)?;
        if is_relation(entry) {
            return Some(self.objects.column(entry.number("relid"), number, column));
        }
        let made_of = match entry.number("rtekind") {
            JOIN => entry.field("joinaliasvars"),
            GROUP => entry.field("groupexprs"),
            _ => &Tree::Nothing,
        };
        match made_of.items().get(place).filter(|made| made.tag() == "VAR" && deep < DEEPEST) {
            Some(made) => {
                let (depth, entry) = self.entry(made, depth)?;
                self.meaning(made, entry, depth, deep + 1)
            }
            None => {
                let name = format!("{}.{column}", entry.field("eref").field("aliasname").word());
                Some(Meaning { identity: format!("own {name}"), name, ..Meaning::default() })
            }
        }
    }

    fn say(&mut self, node: &Tree, means: Meaning) {
        let Some((at, name)) = self.place(node) else { return };
        let nth = self.said.entry(at).or_default();
        self.found.names.insert(Place::Text { at, nth: *nth }, Named { name, means });
        *nth += 1;
    }

    /// Where the query says what the node is, and how.
    fn place(&self, node: &Tree) -> Option<(usize, String)> {
        let at = node.field("location").word().parse::<usize>().ok()?.checked_sub(self.start)?;
        Some((at, name_at(self.sql.get(at..)?)))
    }
}

fn is_relation(entry: &Tree) -> bool {
    entry.number::<u32>("rtekind") == RELATION && entry.number::<u32>("relid") > 0
}

/// The name that a text begins with, with what is before its dots; a name in a string; or the operator.
fn name_at(text: &str) -> String {
    if let Some(inside) = text.strip_prefix('\'') {
        return inside.chars().take_while(|c| *c != '\'').collect();
    }
    let (mut name, mut quoted) = (String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if quoted || c.is_alphanumeric() || "_$.".contains(c) => {}
            '*' if name.is_empty() || name.ends_with('.') => {}
            _ => break,
        }
        name.push(c);
    }
    if name.is_empty() {
        name = text.chars().take_while(|c| !c.is_whitespace() && !c.is_alphanumeric()).collect();
    }
    name
}

#[cfg(test)]
mod tests {
    use super::name_at;

    #[test]
    fn a_name_ends_where_it_ends() {
        for (text, name) in [
            ("o.customer_id in (1)", "o.customer_id"),
            ("\"My Table\".id = 1", "\"My Table\".id"),
            ("*, 1", "*"),
            ("o.* from t", "o.*"),
            ("<-> $1", "<->"),
            ("note", "note"),
            ("'public.orders_id_seq'::regclass", "public.orders_id_seq"),
        ] {
            assert_eq!(name_at(text), name);
        }
    }
}
