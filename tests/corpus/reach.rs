//! Which queries a change may reach, by nothing but names: what a query names, what the definitions of that name, and so
//! on. Says too much rather than too little, and knows nothing of the checker. Keeps what cannot matter from being run.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Client;

/// Every object with all that is written in its definition. Changes of a row go from parent to child where a key cascades.
const DEFINITIONS: &str = "
select c.relname::text, concat_ws(' ', pg_get_viewdef(c.oid),
    (select string_agg(concat_ws(' ', format_type(a.atttypid, null), pg_get_expr(d.adbin, d.adrelid), pg_get_serial_sequence(c.oid::regclass::text, a.attname)), ' ')
       from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
    (select string_agg(pg_get_indexdef(indexrelid), ' ') from pg_index where indrelid = c.oid),
    (select string_agg(pg_get_triggerdef(oid), ' ') from pg_trigger where tgrelid = c.oid and not tgisinternal),
    (select string_agg(conname || ' ' || case contype when 'f' then '' else pg_get_constraintdef(oid) end, ' ') from pg_constraint where conrelid = c.oid),
    (select string_agg(conrelid::regclass::text, ' ') from pg_constraint where confrelid = c.oid and (confdeltype in ('c', 'n', 'd') or confupdtype in ('c', 'n', 'd'))),
    (select string_agg(pg_get_ruledef(oid), ' ') from pg_rewrite where ev_class = c.oid),
    (select string_agg(concat_ws(' ', polname, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)), ' ') from pg_policy where polrelid = c.oid),
    (select string_agg(case inhrelid when c.oid then inhparent else inhrelid end::regclass::text, ' ') from pg_inherits where c.oid in (inhrelid, inhparent)))
  from pg_class c where relkind in ('r', 'p', 'v', 'm') and relnamespace::regnamespace::text !~ '^(pg_|information)'
union all select relname::text, '' from pg_class where relkind in ('S', 'i', 'I') and relnamespace::regnamespace::text !~ '^(pg_|information)'
union all select conname::text, '' from pg_constraint where connamespace::regnamespace::text !~ '^(pg_|information)'
union all select tgname::text, '' from pg_trigger where not tgisinternal
union all select polname::text, '' from pg_policy
union all select proname::text, prosrc from pg_proc p where pronamespace::regnamespace::text !~ '^(pg_|information)'
    and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
union all select typname::text, (select string_agg(pg_get_constraintdef(o.oid) || ' ' || o.conname, ' ') from pg_constraint o where o.contypid = t.oid) from pg_type t
    where typtype in ('e', 'd') and typnamespace::regnamespace::text !~ '^(pg_|information)'
union all select relname::text, (select string_agg(format_type(atttypid, null), ' ') from pg_attribute where attrelid = c.oid) from pg_class c
    where relkind = 'c' and relnamespace::regnamespace::text !~ '^(pg_|information)'";

pub struct Reach {
    definitions: BTreeMap<String, BTreeSet<String>>,
}

fn words(text: &str) -> BTreeSet<String> {
    let word = |c: char| !(c.is_alphanumeric() || c == '_');
    text.split(word).filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
}

impl Reach {
    pub async fn read(client: &Client) -> Self {
        let mut definitions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in client.query(DEFINITIONS, &[]).await.unwrap() {
            let (name, text): (String, Option<String>) = (row.get(0), row.get(1));
            definitions.entry(name.to_lowercase()).or_default().extend(words(&text.unwrap_or_default()));
        }
        Self { definitions }
    }

    fn named(&self, text: &str) -> BTreeSet<String> {
        words(text).into_iter().filter(|w| self.definitions.contains_key(w)).collect()
    }

    /// Every object that a query comes to.
    pub fn of(&self, sql: &str) -> BTreeSet<String> {
        let mut found = self.named(sql);
        let mut open: Vec<String> = found.iter().cloned().collect();
        while let Some(name) = open.pop() {
            for next in self.definitions[&name].iter().filter(|w| self.definitions.contains_key(*w)) {
                if found.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        found
    }

    /// Whether a change may reach what comes to these; one that names nothing that is there may reach all.
    pub fn reaches(&self, change: &str, objects: &BTreeSet<String>) -> bool {
        let named = self.named(change);
        named.is_empty() || !named.is_disjoint(objects)
    }
}
