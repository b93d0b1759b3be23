//! Autonomous Databases, their backups and wallets, and the work requests of both. One database is there from the beginning.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::entry::{Entry, page, unknown};
use super::{Answer, Asked, COMPARTMENT, DATABASE, Oci, State, fail, give, wallet};

pub(super) struct Databases {
    pub databases: BTreeMap<String, Entry>,
    backups: BTreeMap<String, Entry>,
    work: BTreeMap<String, Entry>,
    /// What was made with which token.
    pub made: BTreeMap<String, String>,
    number: u32,
    /// How the next backups end: with which state and details.
    backup_ends: (&'static str, &'static str),
    /// How many lists do not show what is new.
    pub hidden: u32,
}

impl Default for Databases {
    fn default() -> Self {
        let production = json!({
            "id": DATABASE, "compartmentId": COMPARTMENT, "dbName": "APP", "displayName": "app", "lifecycleState": "AVAILABLE",
            "openMode": "READ_WRITE", "permissionLevel": "UNRESTRICTED", "dbVersion": "19c", "dbWorkload": "OLTP",
            "computeModel": "ECPU", "computeCount": 4.0, "dataStorageSizeInGBs": 100, "isMtlsConnectionRequired": true,
            "timeCreated": "2026-01-01T00:00:00.000Z", "freeformTags": {},
            "connectionStrings": {"profiles": [{"displayName": "app_tp", "value": "(description=…)", "consumerGroup": "TP",
                "protocol": "TCPS", "hostFormat": "FQDN", "sessionMode": "DIRECT", "syntaxFormat": "LONG",
                "tlsAuthentication": "MUTUAL"}]},
        });
        Self {
            databases: [(DATABASE.to_owned(), Entry::new(production))].into(),
            backups: BTreeMap::new(),
            work: BTreeMap::new(),
            made: BTreeMap::new(),
            number: 0,
            backup_ends: ("ACTIVE", ""),
            hidden: 0,
        }
    }
}

impl Databases {
    pub(super) fn id(&mut self, kind: &str) -> String {
        self.number += 1;
        format!("ocid1.{kind}.oc1..{:04}", self.number)
    }

    fn work(&mut self, operation: &str, end: &str, resource: &str) -> String {
        let id = self.id("coreservicesworkrequest");
        let begun = json!({"id": id, "operationType": operation, "status": "ACCEPTED", "percentComplete": 0.0,
            "compartmentId": COMPARTMENT, "resources": [], "resourceId": resource, "timeAccepted": Timestamp::now()});
        let entry = Entry::new(begun)
            .then(1, json!({"status": "IN_PROGRESS", "percentComplete": 40.0}))
            .then(1, json!({"status": end, "percentComplete": 100.0}));
        self.work.insert(id.clone(), entry);
        id
    }

    /// Another database, which Terraform or somebody else makes.
    pub(super) fn make(&mut self, fields: &Value, looks: u32) -> String {
        let id = self.id("autonomousdatabase");
        let mut entry = self.databases[DATABASE].clone();
        entry.plan(&[]);
        entry.set(fields);
        entry.set(&json!({"id": id, "lifecycleState": "PROVISIONING"}));
        entry.plan(&[(looks, json!({"lifecycleState": "AVAILABLE"}))]);
        self.databases.insert(id.clone(), entry);
        id
    }
}

impl Oci {
    /// Changes fields of the database that is there from the beginning.
    pub fn set_database(&self, fields: &Value) {
        self.state().databases.databases.get_mut(DATABASE).unwrap().set(fields);
    }
    pub fn database(&self) -> Value {
        self.state().databases.databases[DATABASE].value.clone()
    }
    /// What the database becomes, each after so many looks.
    pub fn database_becomes(&self, steps: &[(u32, Value)]) {
        self.state().databases.databases.get_mut(DATABASE).unwrap().plan(steps);
    }
    /// A database that Terraform does not know.
    pub fn make_database(&self, fields: &Value) -> String {
        self.state().databases.make(fields, 0)
    }
    pub fn backups_end(&self, state: &'static str, details: &'static str) {
        self.state().databases.backup_ends = (state, details);
    }
    pub fn set_backup(&self, id: &str, fields: &Value) {
        self.state().databases.backups.get_mut(id).unwrap().set(fields);
    }
    /// Lists do not show what is new so many times.
    pub fn hide_new(&self, lists: u32) {
        self.state().databases.hidden = lists;
    }
    /// Backups that are there, by state.
    pub fn backups(&self) -> Vec<String> {
        let state = self.state();
        state.databases.backups.values().map(|b| b.text("lifecycleState").to_owned()).collect()
    }
    /// Databases besides the first that cost something, by name.
    pub fn other_databases(&self) -> Vec<String> {
        let state = self.state();
        let others = state.databases.databases.iter().filter(|(id, _)| *id != DATABASE);
        let billed = others.filter(|(_, d)| !d.is("TERMINATED") && !d.is("TERMINATING"));
        billed.map(|(_, d)| d.text("displayName").to_owned()).collect()
    }
}

pub(super) fn act(state: &mut State, asked: &Asked<'_>) -> Answer {
    let most = state.page;
    let all = &mut state.databases;
    let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
    match (asked.method, path.as_slice()) {
        ("GET", ["autonomousDatabases"]) => {
            if !asked.query.contains_key("compartmentId") {
                return fail(400, "MissingParameter", "compartmentId");
            }
            page(all.databases.values_mut(), asked, most, &[])
        }
        ("GET", ["autonomousDatabaseBackups"]) => page(all.backups.values_mut(), asked, most, &[]),
        ("GET", ["workRequests"]) => {
            for work in all.work.values_mut() {
                while work.end() {}
            }
            page(all.work.values_mut(), asked, most, &["resourceId"])
        }
        ("GET", ["workRequests", id]) => look(all.work.get_mut(*id)),
        ("GET", ["workRequests", id, "errors"]) => {
            let work = all.work.get_mut(*id);
            // It has ended by now, whoever has looked how often.
            let failed = work.is_some_and(|work| {
                while work.end() {}
                work.text("status") == "FAILED"
            });
            let error = json!({"code": "InternalError", "message": "the disk group is full", "timestamp": "2026-11-25T10:00:00Z"});
            give(Value::Array(failed.then_some(error).into_iter().collect()).to_string())
        }
        ("GET", ["workRequests", _, "logs"]) => {
            give(json!([{"message": "begun", "timestamp": "2026-11-25T10:00:00Z"}]).to_string())
        }
        ("POST", ["autonomousDatabases"]) => create_database(all, asked),
        ("GET", ["autonomousDatabases", id]) => look(all.databases.get_mut(*id)),
        ("DELETE", ["autonomousDatabases", id]) => end(all, true, id, asked),
        ("POST", ["autonomousDatabases", id, "actions", action]) => act_on(all, id, action, asked),
        ("POST", ["autonomousDatabaseBackups"]) => create_backup(all, asked),
        ("GET", ["autonomousDatabaseBackups", id]) => look(all.backups.get_mut(*id)),
        ("DELETE", ["autonomousDatabaseBackups", id]) => end(all, false, id, asked),
        _ => unknown(),
    }
}

fn look(entry: Option<&mut Entry>) -> Answer {
    entry.map_or_else(unknown, |entry| {
        entry.look();
        entry.answer()
    })
}

fn create_database(all: &mut Databases, asked: &Asked<'_>) -> Answer {
    let token = (asked.header)("opc-retry-token");
    if let Some(id) = all.made.get(&token).filter(|_| !token.is_empty()) {
        return all.databases[id].answer();
    }
    let given =
        [&asked.body["adminPassword"], &asked.body["secretId"]].iter().filter(|v| v.is_string()).count();
    if given != 1 || asked.body["source"] != "BACKUP_FROM_ID" {
        return fail(400, "InvalidParameter", "one of adminPassword and secretId");
    }
    let mut fields = asked.body.clone();
    fields.as_object_mut().unwrap().remove("adminPassword");
    let id = all.make(&fields, 2);
    all.made.insert(token, id.clone());
    let work = all.work("CreateAutonomousDatabase", "SUCCEEDED", &id);
    all.databases[&id].answer().with("opc-work-request-id", work)
}

fn create_backup(all: &mut Databases, asked: &Asked<'_>) -> Answer {
    let token = (asked.header)("opc-retry-token");
    if let Some(backup) = all.made.get(&token).and_then(|id| all.backups.get(id)) {
        if backup.is("DELETED") || backup.is("DELETING") {
            return fail(409, "InvalidatedRetryToken", "The resource of this token has been deleted");
        }
        return backup.answer();
    }
    let of = asked.body["autonomousDatabaseId"].as_str().unwrap_or_default();
    match all.databases.get(of) {
        None => return unknown(),
        Some(database) if !database.is("AVAILABLE") => {
            return fail(409, "IncorrectState", "The database is not AVAILABLE");
        }
        Some(_) => {}
    }
    let long = asked.body["isLongTermBackup"].as_bool().unwrap_or_default();
    let days = asked.body["retentionPeriodInDays"].as_i64();
    if long != days.is_some() {
        return fail(400, "InvalidParameter", "retentionPeriodInDays is of long-term backups");
    }
    let id = all.id("autonomousdatabasebackup");
    let (now, (end, details)) = (Timestamp::now(), all.backup_ends);
    let until = now + SignedDuration::from_hours(24 * days.unwrap_or(60));
    let backup = json!({"id": id, "compartmentId": COMPARTMENT, "autonomousDatabaseId": of, "displayName": asked.body["displayName"],
        "type": if long { "LONGTERM" } else { "FULL" }, "isAutomatic": false, "isRestorable": false, "timeStarted": now,
        "lifecycleState": "CREATING", "retentionPeriodInDays": days, "dbVersion": "19c"});
    let mut entry = Entry::new(backup).then(
        2,
        json!({"lifecycleState": end, "lifecycleDetails": details, "isRestorable": !long, "timeEnded": now,
            "timeAvailableTill": until, "sizeInTBs": 0.25, "databaseSizeInTBs": 1.5}),
    );
    entry.hidden = all.hidden;
    let work = all.work("CreateBackup", if end == "ACTIVE" { "SUCCEEDED" } else { "FAILED" }, of);
    let answer = entry.answer().with("opc-work-request-id", work);
    all.backups.insert(id.clone(), entry);
    all.made.insert(token, id);
    answer
}

fn end(all: &mut Databases, database: bool, id: &str, asked: &Asked<'_>) -> Answer {
    let (from, word) = if database { (&mut all.databases, "TERMINAT") } else { (&mut all.backups, "DELET") };
    let Some(entry) = from.get_mut(id).filter(|e| !e.is("TERMINATED") && !e.is("DELETED")) else {
        return unknown();
    };
    if let Some(answer) = entry.mismatch(asked) {
        return answer;
    }
    if !database && entry.text("type") != "LONGTERM" {
        return fail(400, "InvalidParameter", "only long-term backups can be deleted");
    }
    entry.set(&json!({"lifecycleState": format!("{word}ING")}));
    entry.plan(&[(1, json!({"lifecycleState": format!("{word}ED")}))]);
    let work = all.work("Delete", "SUCCEEDED", id);
    give("").with("opc-work-request-id", work)
}

/// What a call may be made in, what the database is then, and what it becomes.
fn act_on(all: &mut Databases, id: &str, action: &str, asked: &Asked<'_>) -> Answer {
    let Some(database) = all.databases.get_mut(id) else { return unknown() };
    if let Some(answer) = database.mismatch(asked) {
        return answer;
    }
    let (from, now, steps): (&[&str], _, _) = match action {
        "stop" => (
            &["AVAILABLE", "AVAILABLE_NEEDS_ATTENTION"],
            "STOPPING",
            vec![(2, json!({"lifecycleState": "STOPPED"}))],
        ),
        "start" => (
            &["STOPPED"],
            "STARTING",
            vec![(2, json!({"lifecycleState": "AVAILABLE", "openMode": "READ_WRITE"}))],
        ),
        "restore" => {
            let to: Timestamp = asked.body["timestamp"].as_str().unwrap().parse().unwrap();
            assert!(to < Timestamp::now());
            let then = json!({"lifecycleState": "AVAILABLE_NEEDS_ATTENTION", "openMode": "READ_ONLY", "restoredTo": to});
            (&["AVAILABLE"], "RESTORE_IN_PROGRESS", vec![(2, then)])
        }
        "generateWallet" => return wallet::generate(asked),
        _ => return unknown(),
    };
    if !from.iter().any(|state| database.is(state)) {
        return fail(409, "IncorrectState", &format!("The database is {}", database.text("lifecycleState")));
    }
    database.set(&json!({"lifecycleState": now}));
    database.plan(&steps);
    let answer = database.answer();
    let operation = if action == "restore" { "RestoreAutonomousDatabase" } else { action };
    let work = all.work(operation, "SUCCEEDED", id);
    answer.with("opc-work-request-id", work)
}
