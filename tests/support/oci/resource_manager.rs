//! Resource Manager: stacks, and jobs that take two looks each. Plans are scripted: one database is made of the stack's variables, and
//! taken away again.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::entry::{Entry, page, unknown};
use super::terraform::Runner;
use super::{Answer, Asked, Oci, State, fail, give};

#[derive(Default)]
pub(super) struct Stacks {
    stacks: BTreeMap<String, Entry>,
    jobs: BTreeMap<String, Entry>,
    /// What the next plans find, in place of what the variables say.
    plan: Option<Value>,
    /// Operations that fail, with code, message and the last line of the log, and whether they have done it before.
    fails: BTreeMap<String, (&'static str, &'static str, &'static str, bool)>,
    pub runner: Runner,
    /// How many lists do not show a new job.
    hidden: u32,
}

impl Oci {
    pub fn set_plan(&self, plan: Option<Value>) {
        self.state().stacks.plan = plan;
    }
    /// From now on this operation fails so; `done`: after it has made what it should.
    pub fn jobs_fail(&self, operation: &str, code: &'static str, log: &'static str, done: bool) {
        let how = (code, "the job failed", log, done);
        self.state().stacks.fails.insert(operation.to_owned(), how);
    }
    pub fn hide_new_jobs(&self, lists: u32) {
        self.state().stacks.hidden = lists;
    }
    pub fn jobs_succeed(&self) {
        self.state().stacks.fails.clear();
    }
    /// Stacks that are there, with their variables.
    pub fn stacks(&self) -> Vec<Value> {
        let state = self.state();
        state.stacks.stacks.values().filter(|s| !s.is("DELETED")).map(|s| s.value.clone()).collect()
    }
    /// Operations and states of all jobs, the oldest first.
    pub fn jobs(&self) -> Vec<(String, String)> {
        let state = self.state();
        let told = |job: &Entry| (job.text("operation").to_owned(), job.text("lifecycleState").to_owned());
        state.stacks.jobs.values().map(told).collect()
    }
    /// What a plan finds that makes one database, as a test may change it.
    pub fn plan_of(variables: &Value) -> Value {
        let text = |name: &str| variables[name].as_str().unwrap_or_default().to_owned();
        json!({"format_version": "1.2", "terraform_version": "1.5.7", "errored": false, "resource_changes": [{
            "address": "oci_database_autonomous_database.clone", "mode": "managed", "type": "oci_database_autonomous_database",
            "name": "clone", "provider_name": "registry.terraform.io/oracle/oci",
            "change": {"actions": ["create"], "before": null, "after": {
                "display_name": text("display_name"), "db_name": text("db_name"), "source": "BACKUP_FROM_ID",
                "autonomous_database_backup_id": text("backup_id"), "clone_type": text("clone_type"),
                "compartment_id": text("compartment_ocid"), "freeform_tags": {"drydock-run": text("run")}}}}]})
    }
}

pub(super) fn act(state: &mut State, asked: &Asked<'_>) -> Answer {
    let most = state.page;
    let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
    if let ["jobs", ..] = path.as_slice() {
        progress(state);
    }
    let all = &mut state.stacks;
    match (asked.method, path.as_slice()) {
        ("POST", ["stacks"]) => create_stack(state, asked),
        ("GET", ["stacks"]) => page(all.stacks.values_mut(), asked, most, &["variables", "zip"]),
        ("GET", ["stacks", id]) => of(all.stacks.get(*id)),
        ("PUT", ["stacks", id]) => {
            let Some(stack) = all.stacks.get_mut(*id).filter(|s| !s.is("DELETED")) else { return unknown() };
            if let Some(answer) = stack.mismatch(asked) {
                return answer;
            }
            stack.set(&json!({"variables": asked.body["variables"],
                "zip": asked.body["configSource"]["zipFileBase64Encoded"]}));
            of(Some(stack))
        }
        ("DELETE", ["stacks", id]) => {
            let under_way = all.jobs.values().any(|j| j.text("stackId") == *id && !ended(j));
            match all.stacks.get_mut(*id).filter(|s| !s.is("DELETED")) {
                None => unknown(),
                Some(_) if under_way => fail(409, "IncorrectState", "A job of the stack is under way"),
                Some(stack) => stack.mismatch(asked).unwrap_or_else(|| {
                    stack.set(&json!({"lifecycleState": "DELETED"}));
                    give("")
                }),
            }
        }
        ("POST", ["jobs"]) => create_job(state, asked),
        ("GET", ["jobs"]) => {
            page(all.jobs.values_mut(), asked, most, &["variables", "failureDetails", "log"])
        }
        ("GET", ["jobs", id]) => of(all.jobs.get(*id)),
        ("DELETE", ["jobs", id]) => match all.jobs.get_mut(*id) {
            None => unknown(),
            Some(job) if ended(job) => fail(409, "IncorrectState", "The job has ended"),
            Some(job) => {
                job.set(&json!({"lifecycleState": "CANCELING"}));
                job.plan(&[(1, json!({"lifecycleState": "CANCELED"}))]);
                give("")
            }
        },
        ("GET", ["jobs", id, "logs"]) => {
            let log = all.jobs.get(*id).map_or(json!([]), |job| job.value["log"].clone());
            let lines = log.as_array().unwrap().iter().map(|line| {
                let level = if line.as_str().unwrap().contains("Error") { "ERROR" } else { "INFO" };
                json!({"type": "TERRAFORM_CONSOLE", "level": level, "timestamp": "2026-11-25T10:00:00Z", "message": line})
            });
            give(Value::Array(lines.collect()).to_string())
        }
        ("GET", ["jobs", id, part @ ("tfPlan" | "tfState")]) => {
            match all.jobs.get(*id).map(|job| job.value[*part].clone()).filter(|v| !v.is_null()) {
                Some(value) => give(value.to_string()),
                None => unknown(),
            }
        }
        _ => unknown(),
    }
}

fn ended(job: &Entry) -> bool {
    ["SUCCEEDED", "FAILED", "CANCELED"].iter().any(|state| job.is(state))
}

fn of(entry: Option<&Entry>) -> Answer {
    let Some(entry) = entry.filter(|e| !e.is("DELETED")) else { return unknown() };
    let mut shown = entry.clone();
    let fields = shown.value.as_object_mut().unwrap();
    for hidden in ["zip", "log", "tfPlan", "tfState", "half_done"] {
        fields.remove(hidden);
    }
    shown.answer()
}

fn create_stack(state: &mut State, asked: &Asked<'_>) -> Answer {
    let token = (asked.header)("opc-retry-token");
    if let Some(stack) = state.databases.made.get(&token).and_then(|id| state.stacks.stacks.get(id)) {
        if stack.is("DELETED") {
            return fail(409, "InvalidatedRetryToken", "The resource of this token has been deleted");
        }
        return of(Some(stack));
    }
    let id = state.databases.id("ormstack");
    let body = &asked.body;
    let mut entry = Entry::new(
        json!({"id": id, "compartmentId": body["compartmentId"], "displayName": body["displayName"],
        "description": body["description"], "lifecycleState": "ACTIVE", "timeCreated": Timestamp::now(),
        "variables": body["variables"], "freeformTags": body["freeformTags"], "terraformVersion": body["terraformVersion"],
        "configSource": {"configSourceType": "ZIP_UPLOAD"}, "zip": body["configSource"]["zipFileBase64Encoded"]}),
    );
    entry.hidden = state.databases.hidden;
    let answer = of(Some(&entry));
    state.stacks.stacks.insert(id.clone(), entry);
    state.databases.made.insert(token, id);
    answer
}

fn create_job(state: &mut State, asked: &Asked<'_>) -> Answer {
    let token = (asked.header)("opc-retry-token");
    if let Some(id) = state.databases.made.get(&token) {
        return of(state.stacks.jobs.get(id));
    }
    let stack_id = asked.body["stackId"].as_str().unwrap_or_default();
    let Some(stack) = state.stacks.stacks.get(stack_id).filter(|s| s.is("ACTIVE")) else { return unknown() };
    let (stack, details) = (stack.value.clone(), &asked.body["jobOperationDetails"]);
    let operation = details["operation"].as_str().unwrap().to_owned();
    let planned = details["executionPlanJobId"].as_str().and_then(|id| state.stacks.jobs.get(id));
    let approved = match (operation.as_str(), details["executionPlanStrategy"].as_str()) {
        ("PLAN", None) | ("APPLY" | "DESTROY", Some("AUTO_APPROVED")) => true,
        ("APPLY", Some("FROM_PLAN_JOB_ID")) => {
            planned.is_some_and(|plan| plan.is("SUCCEEDED") && plan.text("stackId") == stack_id)
        }
        _ => false,
    };
    if !approved {
        return fail(400, "InvalidParameter", "no plan that could be applied");
    }
    let id = state.databases.id("ormjob");
    // So that the order of jobs that are made within a millisecond is known.
    let created =
        Timestamp::now() + SignedDuration::from_millis(i64::try_from(state.stacks.jobs.len()).unwrap());
    let mut entry = Entry::new(
        json!({"id": id, "stackId": stack_id, "compartmentId": stack["compartmentId"], "operation": operation,
        "displayName": asked.body["displayName"], "jobOperationDetails": details, "lifecycleState": "ACCEPTED",
        "variables": stack["variables"], "timeCreated": created, "log": ["Terraform has begun"]}),
    );
    let mut end = json!({"lifecycleState": "SUCCEEDED"});
    if let Some((code, message, line, done)) = state.stacks.fails.get(&operation) {
        entry.value["half_done"] = json!(done);
        end = json!({"lifecycleState": "FAILED", "failureDetails": {"code": code, "message": message},
            "log": ["Terraform has begun", line]});
    }
    let is_there = actions(state, stack_id, &stack["variables"]) != ["create"];
    if operation == "APPLY" && is_there && state.stacks.runner.program.is_none() {
        end = json!({"lifecycleState": "FAILED", "log": ["Error: Saved plan is stale"],
            "failureDetails": {"code": "TERRAFORM_EXECUTION_ERROR", "message": "the job failed"}});
    }
    match state.stacks.runner.run(&stack, &operation) {
        Some(Ok(mut ran)) => {
            match (operation.as_str(), &mut ran.state) {
                // Terraform's own database is none that could be asked for.
                ("APPLY", Some(after)) => {
                    let database = make_clone(state, stack_id, &stack["variables"]);
                    after["outputs"]["database_id"]["value"] = json!(database);
                }
                ("DESTROY", _) => end_clone(state, stack_id),
                _ => {}
            }
            entry.value["log"] = json!(ran.log);
            entry.value["tfPlan"] = json!(ran.plan);
            entry.value["tfState"] = json!(ran.state);
        }
        Some(Err(log)) => {
            end = json!({"lifecycleState": "FAILED", "log": log,
                "failureDetails": {"code": "TERRAFORM_EXECUTION_ERROR", "message": "the job failed"}});
        }
        None => {}
    }
    entry.plan(&[(1, json!({"lifecycleState": "IN_PROGRESS"})), (1, end)]);
    entry.hidden = state.stacks.hidden;
    let answer = of(Some(&entry));
    state.stacks.jobs.insert(id.clone(), entry);
    state.databases.made.insert(token, id);
    answer
}

/// Everybody who looks at a job lets all of them go on, as they do by themselves.
fn progress(state: &mut State) {
    let scripted = state.stacks.runner.program.is_none();
    let ids: Vec<String> = state.stacks.jobs.keys().cloned().collect();
    for id in ids {
        let job = state.stacks.jobs.get_mut(&id).unwrap();
        if !job.look() || !ended(job) || !scripted {
            continue;
        }
        let (operation, stack, failed) =
            (job.text("operation").to_owned(), job.text("stackId").to_owned(), !job.is("SUCCEEDED"));
        let done = job.value["half_done"] == true;
        if failed && !done {
            continue;
        }
        let variables = job.value["variables"].clone();
        let fields = match operation.as_str() {
            "PLAN" => {
                let mut found = Oci::plan_of(&variables);
                found["resource_changes"][0]["change"]["actions"] = json!(actions(state, &stack, &variables));
                let plan = state.stacks.plan.clone().unwrap_or(found);
                json!({"tfPlan": plan})
            }
            "APPLY" => {
                let database = make_clone(state, &stack, &variables);
                let value = state.databases.databases[&database].value.clone();
                json!({"tfState": {"version": 4, "outputs": {
                    "database_id": {"value": database, "type": "string"},
                    "connection_profiles": {"value": value["connectionStrings"]["profiles"], "type": "dynamic"}}}})
            }
            _ => {
                end_clone(state, &stack);
                json!({"tfState": {"version": 4, "outputs": {}}})
            }
        };
        state.stacks.jobs.get_mut(&id).unwrap().set(&fields);
    }
}

/// What Terraform would do to the stack's database.
fn actions(state: &State, stack: &str, variables: &Value) -> &'static [&'static str] {
    let made = state.stacks.stacks[stack].value["database"].as_str();
    match made.map(|id| &state.databases.databases[id]).filter(|d| !d.is("TERMINATED")) {
        None => &["create"],
        Some(database) if database.value["variables"] == *variables => &["no-op"],
        Some(_) => &["delete", "create"],
    }
}

/// The database that a stack makes.
fn make_clone(state: &mut State, stack: &str, variables: &Value) -> String {
    let database = state.databases.make(
        &json!({"displayName": variables["display_name"], "dbName": variables["db_name"],
            "freeformTags": {"drydock-run": variables["run"]}, "compartmentId": variables["compartment_ocid"],
            "variables": variables}),
        0,
    );
    state.stacks.stacks.get_mut(stack).unwrap().value["database"] = json!(database);
    database
}

fn end_clone(state: &mut State, stack: &str) {
    if let Some(id) = state.stacks.stacks[stack].value["database"].as_str() {
        state.databases.databases.get_mut(id).unwrap().set(&json!({"lifecycleState": "TERMINATED"}));
    }
}
