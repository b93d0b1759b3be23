//! The schema of a database of ours, which is looked at after each changeset: what has not changed since the last look is not read again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::catalog::Catalog;
use crate::model::schema::{NumberSource, ObjectIdentity, SchemaSnapshot};
use crate::product::postgres::Postgres;
use crate::product::postgres::diff::members::Roles;
use crate::product::postgres::diff::numbers::{self, Sources};
use crate::product::postgres::diff::objects::{self, Line};
use crate::product::postgres::diff::{fingerprint, members, object_ids};
use crate::product::postgres::server::catalog;
use crate::product::postgres::server::connect::{INSPECT, ServerContext};
use crate::product::postgres::server::connection::Connection;
use crate::product::postgres::server::relations::Relations;
use crate::product::postgres::server::stamps::{self, Since, Stamps};

const READ: &str = "cannot read the schema";

/// What is read of a schema, of all of it or of some relations.
pub struct Part {
    lines: Vec<Line>,
    objects: BTreeMap<String, ObjectIdentity>,
    sources: Sources,
}

/// What changes although no relation does.
pub struct Beside {
    sequences: BTreeMap<u32, NumberSource>,
    roles: Roles,
}

impl Beside {
    async fn read(client: &Connection) -> Result<Self> {
        let (sequences, roles) = futures::try_join!(numbers::sequences(client), members::read(client))?;
        Ok(Self { sequences, roles })
    }
}

impl Part {
    fn snapshot(self, beside: Beside) -> SchemaSnapshot {
        let Roles { members, superusers, unbound } = beside.roles;
        SchemaSnapshot {
            schema: objects::fingerprint_of(self.lines),
            objects: self.objects,
            numbers: numbers::numbers(&self.sources, &beside.sequences),
            members,
            superusers,
            unbound,
        }
    }
}

/// What the last look has read.
pub struct KnownSchema {
    stamps: Stamps,
    pub catalog: Arc<Catalog>,
    pub snapshot: Arc<SchemaSnapshot>,
    /// The lines of each relation, by its number.
    identities: BTreeMap<u32, BTreeSet<String>>,
    sources: Sources,
}

impl KnownSchema {
    fn whole(stamps: Stamps, part: Part, beside: Beside, catalog: Catalog) -> Self {
        let (identities, sources) = (of_relations(&part.lines), part.sources.clone());
        let snapshot = Arc::new(part.snapshot(beside));
        Self { stamps, catalog: Arc::new(catalog), snapshot, identities, sources }
    }

    /// Takes over what was read anew of relations that have changed; with `others`, also of what belongs to none. Whether that was enough: what
    /// refers to an object by a name that is gone reads otherwise now, and a partitioned table has the sizes of its partitions.
    fn renew(&mut self, part: Part, catalog: Catalog, others: bool) -> bool {
        let identities = of_relations(&part.lines);
        let gone = |(number, now): (&u32, &BTreeSet<String>)| {
            self.identities.get(number).is_some_and(|before| !before.is_subset(now))
        };
        if identities.iter().any(gone) || catalog.tables.values().any(|t| t.partitioned || t.parent.is_some())
        {
            return false;
        }
        self.identities.extend(identities);
        let known = Arc::make_mut(&mut self.snapshot);
        let mut objects = std::mem::take(&mut known.schema.objects);
        objects.extend(part.lines.into_iter().map(|line| (line.identity, line.definition)));
        known.schema = objects::fingerprint(objects);
        known.objects.extend(part.objects);
        self.sources.retain(|(table, _), _| !catalog.tables.contains_key(table));
        self.sources.extend(part.sources);
        Arc::make_mut(&mut self.catalog).renew(catalog, others);
        true
    }

    fn with(mut self, stamps: Stamps, beside: Beside) -> Self {
        let numbers = numbers::numbers(&self.sources, &beside.sequences);
        let Roles { members, superusers, unbound } = beside.roles;
        let last = &*self.snapshot;
        let known = (&last.numbers, &last.members, &last.superusers, &last.unbound);
        if known != (&numbers, &members, &superusers, &unbound) {
            let known = Arc::make_mut(&mut self.snapshot);
            (known.numbers, known.members) = (numbers, members);
            (known.superusers, known.unbound) = (superusers, unbound);
        }
        Self { stamps, ..self }
    }
}

impl Postgres {
    /// A session in a transaction that a look at these relations is made in.
    async fn begun(&self, relations: &Relations) -> Result<Connection> {
        let client = self.take(INSPECT).await?;
        fingerprint::begin(&client, None).await?;
        if !relations.settings().is_empty() {
            client.batch_execute(relations.settings()).await.server_context(READ)?;
        }
        Ok(client)
    }

    /// What tells two snapshots apart, of these relations and with `others` of what belongs to none.
    async fn part(&self, relations: &Relations, others: bool) -> Result<Part> {
        let lines = async {
            let client = self.begun(relations).await?;
            let major = Self::major(&client).await?;
            let lines = objects::lines(&client, major, &self.shared.spelled, relations, others).await?;
            self.put_back(client).await?;
            Ok::<_, Error>(lines)
        };
        let beside = async {
            let client = self.begun(relations).await?;
            let objects = object_ids::read(&client, relations, others);
            let (objects, sources) = futures::try_join!(objects, numbers::sources(&client, relations))?;
            self.put_back(client).await?;
            Ok::<_, Error>((objects, sources))
        };
        // Beside one another: nobody changes a schema that is looked at. A session has catalogs of its own to read first, so that
        // the small looks share one.
        let (lines, (objects, sources)) = futures::try_join!(lines, beside)?;
        Ok(Part { lines, objects, sources })
    }

    pub async fn catalog_of(&self, relations: &Relations, others: bool) -> Result<Catalog> {
        let client = self.take(INSPECT).await?;
        let begin = format!("BEGIN READ ONLY; {}", relations.settings());
        client.batch_execute(&begin).await.server_context(READ)?;
        let catalog = catalog::read(&client, relations, others).await?;
        self.put_back(client).await?;
        Ok(catalog)
    }

    pub async fn whole_snapshot(&self) -> Result<SchemaSnapshot> {
        let beside = async {
            let client = self.take(INSPECT).await?;
            let beside = Beside::read(&client).await?;
            self.give_back(INSPECT, client);
            Ok(beside)
        };
        let (part, beside) = futures::try_join!(self.part(&Relations::All, true), beside)?;
        Ok(part.snapshot(beside))
    }

    /// What is known of the schema, brought up to date by reading what has changed.
    pub async fn renewed(&self, last: Option<KnownSchema>) -> Result<KnownSchema> {
        let (one, other) = futures::try_join!(self.take(INSPECT), self.take(INSPECT))?;
        let stamps = Stamps::read((&one, &other), last.as_ref().map(|last| &last.stamps));
        let ((stamps, since), beside) = futures::try_join!(stamps, Beside::read(&other))?;
        let changed = match since {
            Since::Changed { relations, others } => {
                stamps::with_dependents(&one, relations).await?.map(|relations| (relations, others))
            }
            Since::Anything => None,
        };
        self.give_back(INSPECT, one);
        self.give_back(INSPECT, other);
        if let (Some(mut last), Some((relations, others))) = (last, changed) {
            if relations.is_empty() && !others {
                return Ok(last.with(stamps, beside));
            }
            let relations = Relations::Only(relations);
            let part = self.part(&relations, others);
            let (part, catalog) = futures::try_join!(part, self.catalog_of(&relations, others))?;
            if last.renew(part, catalog, others) {
                return Ok(last.with(stamps, beside));
            }
        }
        let part = self.part(&Relations::All, true);
        let (part, catalog) = futures::try_join!(part, self.catalog_of(&Relations::All, true))?;
        Ok(KnownSchema::whole(stamps, part, beside, catalog))
    }
}

fn of_relations(lines: &[Line]) -> BTreeMap<u32, BTreeSet<String>> {
    let mut all: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for line in lines {
        let Some(relation) = line.relation else { continue };
        all.entry(relation).or_default().insert(line.identity.clone());
    }
    all
}
