"""Oracle's own Python SDK, as it is, as the client of the stand-in for OCI: what it makes of the answers.

    sdk.py FOLDER

FOLDER is what the stand-in was started with (README.md). Needs `oci` of PyPI. Every line says what was seen; the first thing that is not as
it should be ends it.
"""

import base64
import io
import json
import pathlib
import sys
import zipfile

import oci

given = json.loads((pathlib.Path(sys.argv[1]) / "oci.json").read_text())
key = pathlib.Path(given["key"]).read_text()
signer = oci.signer.Signer(given["tenancy"], given["user"], given["fingerprint"], None, private_key_content=key)


# What the SDK wants to see before it takes the signer.
config = {
    "region": "eu-frankfurt-1",
    "user": given["user"],
    "tenancy": given["tenancy"],
    "key_file": given["key"],
    "fingerprint": ":".join(["00"] * 16),
}


def client(kind):
    return kind(
        config,
        signer=signer,
        service_endpoint=given["endpoint"] + kind.path,
        retry_strategy=oci.retry.NoneRetryStrategy(),
    )


# The SDK puts the version of a service into its endpoint.
oci.database.DatabaseClient.path = "/20160918"
oci.work_requests.WorkRequestClient.path = "/20160918"
oci.resource_manager.ResourceManagerClient.path = "/20180917"
db = client(oci.database.DatabaseClient)
work = client(oci.work_requests.WorkRequestClient)
stacks = client(oci.resource_manager.ResourceManagerClient)
D, R = oci.database.models, oci.resource_manager.models
DATABASE, COMPARTMENT = given["database"], given["compartment"]
seen = 0


def see(what, found, wanted):
    global seen
    seen += 1
    print(f"{what}: {found}")
    if found != wanted:
        sys.exit(f"  wanted: {wanted}")


def refused(what, call, status, code):
    try:
        call()
    except oci.exceptions.ServiceError as error:
        return see(what, (error.status, error.code), (status, code))
    sys.exit(f"{what}: not refused")


def until(client, answer, field, value):
    return oci.wait_until(client, answer, field, value, max_interval_seconds=0.01, max_wait_seconds=10)


# Databases and backups.
answer = db.get_autonomous_database(DATABASE)
see("database", (type(answer.data).__name__, answer.data.lifecycle_state, answer.data.open_mode), ("AutonomousDatabase", "AVAILABLE", "READ_WRITE"))
see("profile", answer.data.connection_strings.profiles[0].tls_authentication, "MUTUAL")
details = D.CreateAutonomousDatabaseBackupDetails(
    autonomous_database_id=DATABASE, display_name="drydock-sdk", is_long_term_backup=True, retention_period_in_days=90
)
made = db.create_autonomous_database_backup(details, opc_retry_token="one")
again = db.create_autonomous_database_backup(details, opc_retry_token="one")
see("one token, one backup", again.data.id == made.data.id, True)
see("a backup begins as", (made.data.lifecycle_state, made.data.type), ("CREATING", "LONGTERM"))
request = until(work, work.get_work_request(made.headers["opc-work-request-id"]), "status", "SUCCEEDED").data
see("work request", (request.status, request.percent_complete), ("SUCCEEDED", 100.0))
backup = until(db, db.get_autonomous_database_backup(made.data.id), "lifecycle_state", "ACTIVE").data
see("times are read", backup.time_started <= backup.time_ended < backup.time_available_till, True)
see("sizes are read", (backup.size_in_tbs, backup.database_size_in_tbs), (0.25, 1.5))
db.create_autonomous_database_backup(
    D.CreateAutonomousDatabaseBackupDetails(autonomous_database_id=DATABASE, display_name="other"), opc_retry_token="two"
)
pages = oci.pagination.list_call_get_all_results(db.list_autonomous_database_backups, autonomous_database_id=DATABASE, limit=1)
see("list over pages", sorted(b.display_name for b in pages.data), ["drydock-sdk", "other"])
named = db.list_autonomous_database_backups(autonomous_database_id=DATABASE, display_name="other")
see("list by name", [b.display_name for b in named.data], ["other"])
refused("unknown backup", lambda: db.get_autonomous_database_backup("none"), 404, "NotAuthorizedOrNotFound")
refused("another version", lambda: db.stop_autonomous_database(DATABASE, if_match="other"), 412, "NoEtagMatch")
db.delete_autonomous_database_backup(backup.id)
until(db, db.get_autonomous_database_backup(backup.id), "lifecycle_state", "DELETED")
refused("the token of what is gone", lambda: db.create_autonomous_database_backup(details, opc_retry_token="one"), 409, "InvalidatedRetryToken")

# Stop, start, restore, wallet, clone.
db.stop_autonomous_database(DATABASE)
until(db, db.get_autonomous_database(DATABASE), "lifecycle_state", "STOPPED")
refused("stopped twice", lambda: db.stop_autonomous_database(DATABASE), 409, "IncorrectState")
db.start_autonomous_database(DATABASE)
until(db, db.get_autonomous_database(DATABASE), "lifecycle_state", "AVAILABLE")
moment = backup.time_ended
db.restore_autonomous_database(DATABASE, D.RestoreAutonomousDatabaseDetails(timestamp=moment))
put_back = until(db, db.get_autonomous_database(DATABASE), "lifecycle_state", "AVAILABLE_NEEDS_ATTENTION").data
see("after a restore", put_back.open_mode, "READ_ONLY")
db.stop_autonomous_database(DATABASE)
until(db, db.get_autonomous_database(DATABASE), "lifecycle_state", "STOPPED")
db.start_autonomous_database(DATABASE)
until(db, db.get_autonomous_database(DATABASE), "lifecycle_state", "AVAILABLE")
wallet = db.generate_autonomous_database_wallet(
    DATABASE, D.GenerateAutonomousDatabaseWalletDetails(generate_type="SINGLE", password="Abcdefg1!"), opc_retry_token="w"
)
names = zipfile.ZipFile(io.BytesIO(wallet.data.content)).namelist()
see("wallet", sorted(names), ["README", "cwallet.sso", "ewallet.pem", "sqlnet.ora", "tnsnames.ora"])
refused(
    "weak password",
    lambda: db.generate_autonomous_database_wallet(DATABASE, D.GenerateAutonomousDatabaseWalletDetails(password="kurz")),
    400,
    "InvalidParameter",
)
clone = db.create_autonomous_database(
    D.CreateAutonomousDatabaseFromBackupDetails(
        compartment_id=COMPARTMENT, db_name="CLONE", display_name="clone", autonomous_database_backup_id="ocid1.b",
        clone_type="FULL", compute_model="ECPU", compute_count=2.0, secret_id="ocid1.vaultsecret.oc1..s",
    ),
    opc_retry_token="c",
).data
see("a clone begins as", clone.lifecycle_state, "PROVISIONING")
until(db, db.get_autonomous_database(clone.id), "lifecycle_state", "AVAILABLE")
listed = db.list_autonomous_databases(compartment_id=COMPARTMENT, display_name="clone")
see("databases by name", [type(d).__name__ for d in listed.data], ["AutonomousDatabaseSummary"])
db.delete_autonomous_database(clone.id)
until(db, db.get_autonomous_database(clone.id), "lifecycle_state", "TERMINATED")

# Stacks and jobs.
variables = {"run": "sdk", "display_name": "drydock-sdk", "db_name": "DDSDK", "backup_id": "ocid1.b", "compartment_ocid": COMPARTMENT}
stack = stacks.create_stack(
    R.CreateStackDetails(
        compartment_id=COMPARTMENT,
        display_name="drydock-sdk",
        config_source=R.CreateZipUploadConfigSourceDetails(zip_file_base64_encoded=base64.b64encode(b"PK").decode()),
        variables=variables,
        freeform_tags={"drydock-run": "sdk"},
        terraform_version="1.5.x",
    ),
    opc_retry_token="s",
).data
see("stack", (stack.lifecycle_state, stack.variables, type(stack.config_source).__name__), ("ACTIVE", variables, "ZipUploadConfigSource"))
found = stacks.list_stacks(compartment_id=COMPARTMENT, display_name="drydock-sdk").data
see("stacks by name", [s.freeform_tags for s in found], [{"drydock-run": "sdk"}])


def job(details, token):
    begun = stacks.create_job(R.CreateJobDetails(stack_id=stack.id, job_operation_details=details), opc_retry_token=token)
    return until(stacks, stacks.get_job(begun.data.id), "lifecycle_state", "SUCCEEDED").data


plan = job(R.CreatePlanJobOperationDetails(), "plan")
see("details of a plan", type(plan.job_operation_details).__name__, "PlanJobOperationDetails")
found = json.loads(stacks.get_job_tf_plan(plan.id, tf_plan_format="JSON").data.content)
see("the plan", [c["change"]["actions"] for c in found["resource_changes"]], [["create"]])
apply = job(R.CreateApplyJobOperationDetails(execution_plan_strategy="FROM_PLAN_JOB_ID", execution_plan_job_id=plan.id), "apply")
see("details of an apply", apply.job_operation_details.execution_plan_job_id, plan.id)
state = json.loads(stacks.get_job_tf_state(apply.id).data.content)
see("outputs", sorted(state["outputs"]), ["connection_profiles", "database_id"])
see("log", [(line.level, line.message) for line in stacks.get_job_logs(apply.id).data], [("INFO", "Terraform has begun")])
refused("a stack with nothing planned", lambda: stacks.create_job(R.CreateJobDetails(
    stack_id=stack.id,
    job_operation_details=R.CreateApplyJobOperationDetails(execution_plan_strategy="FROM_PLAN_JOB_ID", execution_plan_job_id="none"),
)), 400, "InvalidParameter")
job(R.CreateDestroyJobOperationDetails(execution_plan_strategy="AUTO_APPROVED"), "destroy")
see("jobs", [j.operation for j in sorted(stacks.list_jobs(stack_id=stack.id).data, key=lambda j: j.time_created)], ["PLAN", "APPLY", "DESTROY"])
changed = stacks.update_stack(stack.id, R.UpdateStackDetails(variables=dict(variables, run="other"))).data
see("changed stack", changed.variables["run"], "other")
stacks.delete_stack(stack.id)
refused("the stack is gone", lambda: stacks.get_stack(stack.id), 404, "NotAuthorizedOrNotFound")
print(f"all {seen} as they should be, with oci {oci.__version__}")
